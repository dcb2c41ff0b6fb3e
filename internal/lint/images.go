package lint

import (
	"regexp"
	"strings"
)

// fileName finds an alt that is the image's file name.
var fileName = regexp.MustCompile(`(?i)^\S+\.(?:jpe?g|png|gif|webp|svg|avif|bmp)$`)

// images applies img-alt. An empty alt is right for decoration, except where the image is all there is of a link.
func (l *Linter) images(r *report, where string, p *page) {
	for _, i := range p.images {
		alt := strings.ToLower(i.alt)
		switch {
		case !i.hasAlt:
			r.error("img-alt", where, "In %s an image has no alt attribute: %s", where, short(i.src))
		case alt == "" && i.inLink:
			r.warn("img-alt", where, "In %s an image is a link, but its alt is empty, so that nobody can hear where it leads: %s", where, short(i.src))
		case alt != "" && (words(alt) == "" || fileName.MatchString(alt) || l.says(alt)):
			r.warn("img-alt", where, "In %s an image's alt, “%s”, says nothing about it: %s", where, short(i.alt), short(i.src))
		}
	}
}

// says reports whether an alt consists of nothing but words such as "image" and numbers.
func (l *Linter) says(alt string) bool {
	rest := strings.TrimFunc(blank(" "+alt+" ", l.words["vague"]), func(r rune) bool { return !('a' <= r && r <= 'z') && r < 0x80 })
	return rest == ""
}
