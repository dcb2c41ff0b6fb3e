package lint

import (
	"strings"
	"testing"
)

func TestPhrases(t *testing.T) {
	t.Parallel()
	p, err := compile([]string{"cure", "cure all", "no risk", "no risk of addiction", "risk free", "100 %", "U.S. Food", "miracle*", "*n't", "isn't it"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"a cure": "cure", "cure": "cure", "(cure)": "cure", "cure, cure": "cure|cure", "*cure*": "cure", "'cure'": "cure", "secure": "", "cures": "",
		"cure-all": "cure-all", "cure all": "cure all", "cure, all": "cure", "a pre-cure bath": "", "cure-like": "",
		"no risk": "no risk", "no risk-free drug": "risk-free", "no risk of addiction": "no risk of addiction", "no risk of harm": "no risk",
		"risk-free": "risk-free", "risk  free": "risk  free", "risk. free": "",
		"100%": "100%", "100 % sure": "100 %", "1100%": "",
		"the u.s. food safety": "u.s. food", "miracles": "miracles", "miracle-like thing": "miracle-like",
		"it isn't": "isn't", "isn't it": "isn't it", "patients' cure": "cure", "": "", "ö cure ü": "cure",
	} {
		var got []string
		for _, at := range p.find(text) {
			got = append(got, text[at[0]:at[1]])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
	if _, err := compile([]string{"x", "…"}); err == nil {
		t.Error("a phrase without words")
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for block, want := range map[string]string{
		"One. Two! Three? Four":                       "One.|Two!|Three?|Four",
		"The U.S. Food and Drug Administration, e.g.": "The U.S. Food and Drug Administration, e.g.",
		"Dr. Ann came. She left.":                     "Dr. Ann came.|She left.",
		"He said “no.” Then he left.":                 "He said “no.”|Then he left.",
		"A dose of 0.5 mg. Then rest.":                "A dose of 0.5 mg.|Then rest.",
		"some (e.g. tea) help.":                       "some (e.g. tea) help.",
		"a\n b\u00A0c\u200B.":                         "a b c.",
		"":                                            "",
	} {
		var got []string
		for _, s := range sentences(block) {
			got = append(got, string(s.shown))
			if len([]rune(s.lower)) != len(s.shown) {
				t.Errorf("%q: lower case has another length", block)
			}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", block, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	s := newSentence(strings.Repeat("İstanbul ", 20) + "a Cure " + strings.Repeat("ende ", 30) + "x.")
	at := strings.Index(s.lower, "cure")
	got := s.clip(at, at+4)
	if s.word(at, at+4) != "Cure" || !strings.Contains(got, "a Cure ende") || !strings.HasPrefix(got, "… İ") || !strings.HasSuffix(got, "ende …") || len([]rune(got)) > 150 {
		t.Errorf("%q", got)
	}
}
