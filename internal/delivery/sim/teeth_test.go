package sim

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

var (
	search = flag.Uint64("search", 200, "how many seeds TestTeeth tries for each breakage that its own seed does not catch any more")
	renew  = flag.Bool("renew", false, "TestTeeth notes the seeds that it finds in doc.go")
)

// row finds a breakage and its seed in the package's documentation.
func row(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(//\t` + name + ` +)(\d+) +`)
}

// TestTeeth makes each deliberate breakage and demands that it is caught: by the seed that the package's documentation names or, when
// the code has changed since, by another of those that TestSeeds runs.
func TestTeeth(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	t.Run("breakages", func(t *testing.T) {
		for _, m := range mutations {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				mu.Lock()
				named := row(m.name).FindSubmatch(doc)
				mu.Unlock()
				if named == nil {
					t.Fatal("the package's documentation does not list it")
				}
				seed, _ := strconv.ParseUint(string(named[2]), 10, 64)
				if found := bite(t, m, seed); found != seed {
					mu.Lock()
					doc = row(m.name).ReplaceAll(doc, fmt.Appendf(nil, "${1}%-4d ", found))
					mu.Unlock()
				}
			})
		}
	})
	if *renew {
		if err := os.WriteFile("doc.go", doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// bite returns the seed that catches a breakage: the one given or, when others may be searched, the first that does.
func bite(t *testing.T, m mutation, seed uint64) uint64 {
	t.Helper()
	dir := t.TempDir()
	if seed > 0 {
		if o := play(t, dir, seed, m); len(o.violations) > 0 {
			t.Logf("seed %d: %.200s", seed, o.violations[0])
			return seed
		}
	}
	for n := range *search {
		if o := play(t, dir, n+1, m); len(o.violations) > 0 {
			t.Logf("now by seed %d (make sim-teeth notes it): %.200s", n+1, o.violations[0])
			return n + 1
		}
	}
	t.Errorf("seed %d does not catch it any more, and no other of %d", seed, *search)
	return seed
}
