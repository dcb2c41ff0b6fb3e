package lint

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A look is how text at a place in a page is shown, as far as inline styles tell: mailboxes drop style sheets.
type look struct {
	hidden   bool
	fg, bg   color
	pixels   float64 // font size
	bold     bool
	unstyled bool // colours are not looked at, as in articles and in Outlook's comments
}

// A color is sRGB with channels from 0 to 1; ok is false when it is not known.
type color struct {
	r, g, b float64
	ok      bool
}

var plain = look{fg: color{0, 0, 0, true}, bg: color{1, 1, 1, true}, pixels: 16}

// within returns how the content of an element looks.
func (k look) within(n *html.Node) look {
	k.hidden = k.hidden || notShown(n)
	if n.DataAtom == atom.A {
		k.fg = color{} // a link's own colour, unless a style says
	}
	if n.DataAtom == atom.B || n.DataAtom == atom.Strong || n.DataAtom == atom.H1 || n.DataAtom == atom.H2 || n.DataAtom == atom.H3 || n.DataAtom == atom.Th {
		k.bold = true
	}
	if v, ok := attr(n, "bgcolor"); ok {
		k.bg = parseColor(v)
	}
	if _, ok := attr(n, "background"); ok {
		k.bg = color{}
	}
	for name, value := range styles(n) {
		switch name {
		case "color":
			k.fg = parseColor(value)
		case "background-image":
			k.bg = color{}
		case "font-size":
			if px := number(value); px < 1000 {
				k.pixels = px
			}
		case "font-weight":
			k.bold = value == "bold" || value == "bolder" || number(value) >= 600 && number(value) < 1000
		}
	}
	// In this order, whatever the order of the style: MJML writes both, with the same colour.
	for _, name := range []string{"background", "background-color"} {
		if value, ok := styles(n)[name]; ok && value != "transparent" && value != "none" && value != "inherit" {
			k.bg = parseColor(value)
		}
	}
	return k
}

// A pale is text whose colour is too close to its ground.
type pale struct {
	text  string
	ratio float64
	wants float64
}

// contrast keeps text below the ratio of WCAG 2.2, 1.4.3: 4.5:1, or 3:1 for large text; once for each pair of colours.
func (b *builder) contrast(text string, k look) {
	if text = clean(text); text == "" || k.unstyled || k.hidden || !k.fg.ok || !k.bg.ok {
		return
	}
	wants := 4.5
	if k.pixels >= 24 || k.bold && k.pixels >= 18.66 {
		wants = 3
	}
	light, dark := k.fg.luminance(), k.bg.luminance()
	if light < dark {
		light, dark = dark, light
	}
	pair := [2]color{k.fg, k.bg}
	if ratio := (light + 0.05) / (dark + 0.05); ratio < wants && !b.pairs[pair] {
		b.pairs[pair] = true
		b.pale = append(b.pale, pale{text, ratio, wants})
	}
}

// luminance is WCAG's relative luminance.
func (c color) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

var named = map[string]string{
	"white": "ffffff", "black": "000000", "silver": "c0c0c0", "gray": "808080", "grey": "808080", "red": "ff0000", "green": "008000", "blue": "0000ff",
	"navy": "000080", "yellow": "ffff00", "orange": "ffa500", "lightgray": "d3d3d3", "lightgrey": "d3d3d3", "darkgray": "a9a9a9", "darkgrey": "a9a9a9",
}

// parseColor reads #rgb, #rrggbb, rgb(r, g, b) and common names; others are not known.
func parseColor(s string) color {
	s = strings.ToLower(strings.TrimSpace(s))
	if hex, ok := named[s]; ok {
		s = "#" + hex
	}
	if list, ok := strings.CutPrefix(s, "rgb("); ok && strings.HasSuffix(list, ")") {
		f := strings.FieldsFunc(strings.TrimSuffix(list, ")"), func(r rune) bool { return r == ',' || r == ' ' })
		if len(f) != 3 {
			return color{}
		}
		r, g, b := number(f[0]), number(f[1]), number(f[2])
		if min(r, g, b) < 0 || !(max(r, g, b) <= 255) {
			return color{}
		}
		return color{r / 255, g / 255, b / 255, true}
	}
	hex, ok := strings.CutPrefix(s, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil || len(hex) != 6 {
		return color{}
	}
	return color{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255, true}
}
