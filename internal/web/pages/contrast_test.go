package pages

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tidings/templates"
)

// WCAG 2.2: 4.5:1 for text (1.4.3), 3:1 for the borders of fields and the ring around what has the focus (1.4.11).
var pairs = []struct {
	front, back string
	least       float64
}{
	{"ink", "paper", 4.5}, {"ink", "card", 4.5}, {"ink", "leaf-wash", 4.5},
	{"soft", "paper", 4.5}, {"soft", "card", 4.5}, {"soft", "leaf-wash", 4.5},
	{"leaf", "paper", 4.5}, {"leaf", "card", 4.5}, {"leaf", "leaf-wash", 4.5},
	{"leaf-deep", "paper", 4.5}, {"leaf-deep", "leaf-wash", 4.5},
	{"on-leaf", "leaf", 4.5}, {"on-leaf", "leaf-deep", 4.5}, {"warn", "warn-wash", 4.5}, {"card", "warn", 4.5},
	{"field", "paper", 3}, {"field", "card", 3}, {"field", "leaf-wash", 3},
}

var (
	schemes  = regexp.MustCompile(`(?s):root \{(.*?)\}`)
	property = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{3,6});`)
)

// palettes returns a style's colors in the light and the dark scheme. A style that stands on another one starts
// with that one's.
func palettes(t *testing.T, file string, on []map[string]string) []map[string]string {
	t.Helper()
	css, err := fs.ReadFile(templates.FS, "static/"+file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := schemes.FindAllStringSubmatch(string(css), -1)
	if len(blocks) != 2 {
		t.Fatalf("%s: %d palettes, want a light and a dark one", file, len(blocks))
	}
	out := []map[string]string{{}, {}}
	for i, block := range blocks {
		for _, base := range on {
			if base["scheme"] == strconv.Itoa(i) {
				for k, v := range base {
					out[i][k] = v
				}
			}
		}
		for _, m := range property.FindAllStringSubmatch(block[1], -1) {
			out[i][m[1]] = m[2]
		}
		out[i]["scheme"] = strconv.Itoa(i)
	}
	return out
}

// luminance is WCAG's relative luminance of a color.
func luminance(hex string) float64 {
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return math.NaN()
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	if got := contrast("#000", "#ffffff"); math.Abs(got-21) > 1e-9 {
		t.Fatalf("black on white is %f:1, want 21:1", got)
	}
	site := palettes(t, "site.css", nil)
	for file, schemes := range map[string][]map[string]string{"site.css": site, "demo.css": palettes(t, "demo.css", site)} {
		for i, colors := range schemes {
			for _, p := range pairs {
				if got := contrast(colors[p.front], colors[p.back]); !(got >= p.least) {
					t.Errorf("%s, scheme %d: %s %s on %s %s is %.2f:1, want %.1f:1", file, i, p.front, colors[p.front], p.back, colors[p.back], got, p.least)
				}
			}
		}
	}
}
