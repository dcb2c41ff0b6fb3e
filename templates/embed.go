// Package templates holds everything that is written rather than programmed: mails, pages, styles, sample articles, the
// linter's word lists and the consent texts. It exists so that they are files an editor can open, and still travel
// inside each binary.
package templates

import "embed"

// FS holds the folders by their names: email (compiled HTML and text parts), pages, static, articles, lint, consent.
// The MJML sources stay out of it: email/*.html is what email/build.sh made of them.
//
//go:embed email/*.html email/*.txt pages static all:articles all:lint all:consent
var FS embed.FS
