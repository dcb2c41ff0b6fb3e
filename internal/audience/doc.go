// Package audience is the people: who asked for the newsletter, who confirmed, who left, and the evidence of each step. It
// exists so that nobody gets on the list without having said so twice, everybody gets off it at once, and nobody else
// learns who is on it.
package audience
