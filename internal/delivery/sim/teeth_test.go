package sim

import (
	"flag"
	"os"
	"regexp"
	"testing"
)

var search = flag.Int("search", 0, "how many seeds TestTeeth tries for each breakage, in place of the one that is known to catch it")

// TestTeeth makes each deliberate breakage and demands that its seed catches it, which does no harm without it.
func TestTeeth(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if *search > 0 {
				for n := range uint64(*search) {
					if o := play(t, dir, n+1, m); len(o.violations) > 0 {
						t.Logf("%s: seed %d: %.150s", m.name, n+1, o.violations[0])
						return
					}
				}
				t.Fatalf("not caught by %d seeds", *search)
			}
			if o := play(t, dir, m.seed, m); len(o.violations) == 0 {
				t.Errorf("seed %d does not catch it any more: find another with -search", m.seed)
			}
			if row := regexp.MustCompile(`(?m)^//\t` + m.name + ` +` + `(\d+)\b`).FindSubmatch(doc); row == nil {
				t.Error("the package's documentation does not list it")
			}
		})
	}
}
