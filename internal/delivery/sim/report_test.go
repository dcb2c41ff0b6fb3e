package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A total adds up what seeds came to.
type total struct {
	faults   map[fault]int
	coverage coverage
	statuses map[string]int
	span     time.Duration
	accepted int
}

func newTotal() *total {
	return &total{faults: map[fault]int{}, coverage: coverage{}, statuses: map[string]int{}}
}

func (s *total) add(o outcome) {
	for f, n := range o.faults {
		s.faults[f] += n
	}
	s.coverage.add(o.coverage)
	s.statuses[string(o.status)]++
	s.span, s.accepted = s.span+o.span, s.accepted+o.accepted
}

// report logs it all, and demands that each fault was met.
func (s *total) report(t *testing.T, seeds int, took time.Duration) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d seeds in %.1f s, %.1f a second; %.0f hours of virtual time, %d messages accepted; digests ended %v\n",
		seeds, took.Seconds(), float64(seeds)/took.Seconds(), s.span.Hours(), s.accepted, s.statuses)
	for _, f := range allFaults {
		fmt.Fprintf(&b, "  %-48s %d\n", f, s.faults[f])
		if s.faults[f] == 0 && seeds >= 200 {
			t.Errorf("the adversary never did: %s", f)
		}
	}
	covered := 0
	for _, site := range s.coverage.sites() {
		if n := s.coverage[site]; n.before > 0 && n.after > 0 {
			covered++
		} else {
			fmt.Fprintf(&b, "  crashed before %d times and after %d times, of %d calls: %s\n", n.before, n.after, n.calls, site)
		}
	}
	fmt.Fprintf(&b, "  %d of %d port calls were crashed both before and after their effect", covered, len(s.coverage))
	t.Log(b.String())
}
