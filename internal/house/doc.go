// Package house holds the rules of the house, checked: which package may depend on what, and who may ask the clock. It
// exists because a layout that is only described erodes by one convenient import at a time. The rules are
// functions over a package graph, as `go list -deps -json ./...` prints it, so that its tests can show each of them a graph that breaks it.
//
// Rule 1 keeps the domain pure, 2 keeps Amazon's types at the edge, 3 keeps names honest, 4 keeps what is local out of the
// functions, 5 keeps storage behind its port, 6 keeps time and chance injected. A seventh keeps mains thin.
package house
