package lint

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// attributes reads what any element can have: identity, language, handlers, and what it loads.
func (b *builder) attributes(n *html.Node) {
	for _, a := range n.Attr {
		value := strings.TrimSpace(a.Val)
		switch key := strings.ToLower(a.Key); {
		case key == "id" && !b.outlook:
			b.ids[a.Val]++
		case key == "lang" && n.DataAtom == atom.Html:
			b.lang = value
		case strings.HasPrefix(key, "on") && len(key) > 4:
			b.scripts++
		case key == "style":
			b.css("a style", a.Val)
		case key == "background", key == "poster":
			b.loads = append(b.loads, load{"an image", value})
		case key == "srcset":
			for _, candidate := range strings.Split(value, ",") {
				if f := strings.Fields(candidate); len(f) > 0 {
					b.loads = append(b.loads, load{"an image", f[0]})
				}
			}
		case key == "src" && n.DataAtom != atom.Script:
			b.loads = append(b.loads, load{kind(n), value})
		case key == "data" && n.DataAtom == atom.Object:
			b.loads = append(b.loads, load{"an embedded page", value})
		case key == "href" && n.DataAtom == atom.Link:
			b.loads = append(b.loads, load{"a font or style sheet", value})
		case key == "href" && (n.Data == "image" || n.Data == "use" || n.Data == "v:fill" || n.Data == "v:imagedata"):
			b.loads = append(b.loads, load{"an image", value})
		case key == "rel" && strings.Contains(strings.ToLower(value), "sponsored"):
			b.sponsors = true
		}
	}
}

func kind(n *html.Node) string {
	switch n.DataAtom {
	case atom.Iframe, atom.Frame, atom.Embed:
		return "an embedded page"
	case atom.Audio, atom.Video, atom.Source, atom.Track:
		return "a recording"
	}
	return "an image"
}

var (
	cssURL    = regexp.MustCompile(`(?i)url\(\s*["']?([^"')]*)["']?\s*\)`)
	cssImport = regexp.MustCompile(`(?i)@import\s+["']([^"']*)["']`)
	cssFace   = regexp.MustCompile(`(?is)@font-face\s*\{[^}]*\}`)
)

// css finds what a style loads.
func (b *builder) css(what, source string) {
	for _, face := range cssFace.FindAllString(source, -1) {
		for _, m := range cssURL.FindAllStringSubmatch(face, -1) {
			b.loads = append(b.loads, load{"a font", strings.TrimSpace(m[1])})
		}
	}
	rest := cssFace.ReplaceAllString(source, "")
	for _, re := range []*regexp.Regexp{cssURL, cssImport} {
		for _, m := range re.FindAllStringSubmatch(rest, -1) {
			b.loads = append(b.loads, load{"an image, font or style sheet by " + what, strings.TrimSpace(m[1])})
		}
	}
}

// notShown reports whether an element is invisible by its own attributes.
func notShown(n *html.Node) bool {
	if _, ok := attr(n, "hidden"); ok {
		return true
	}
	for name, value := range styles(n) {
		switch {
		case name == "display" && value == "none", name == "visibility" && value == "hidden", name == "opacity" && number(value) == 0:
			return true
		}
	}
	return false
}

// small reports whether a side of an image has at most 2 pixels.
func small(n *html.Node, side string) bool {
	if v, ok := attr(n, side); ok && number(v) <= 2 {
		return true
	}
	v, ok := styles(n)[side]
	return ok && number(v) <= 2
}

// number reads a length in pixels; anything else is large.
func number(s string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "px"), 64)
	if err != nil {
		return 1e9
	}
	return f
}

func styles(n *html.Node) map[string]string {
	style, ok := attr(n, "style")
	if !ok {
		return nil
	}
	out := map[string]string{}
	for _, d := range strings.Split(strings.ToLower(style), ";") {
		if name, value, ok := strings.Cut(d, ":"); ok {
			value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
			out[strings.TrimSpace(name)] = value
		}
	}
	return out
}
