package lint

import (
	"math"
	"testing"
)

func TestColors(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]color{
		"#fff": {1, 1, 1, true}, " #FFFFFF ": {1, 1, 1, true}, "black": {0, 0, 0, true}, "rgb(255,0, 0)": {1, 0, 0, true}, "rgb(255 0 0)": {1, 0, 0, true},
		"": {}, "#ff": {}, "#ggg": {}, "#ffff": {}, "rgb(1,2)": {}, "rgb(300,0,0)": {}, "rgb(nan,0,0)": {}, "rgb(-1,0,0)": {}, "var(--x)": {}, "#é€": {},
	} {
		if got := parseColor(s); got != want {
			t.Errorf("%q: %+v, want %+v", s, got, want)
		}
	}
}

// The examples of WCAG's understanding document: #777 on white just fails, #767676 just passes.
func TestLuminance(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]float64{"#777777": 4.48, "#767676": 4.54, "#000": 21, "#fff": 1} {
		got := (parseColor("#fff").luminance() + 0.05) / (parseColor(s).luminance() + 0.05)
		if math.Abs(got-want) > 0.01 {
			t.Errorf("%s on white: %.2f, want %.2f", s, got, want)
		}
	}
}
