package sim

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/bolt"
)

var (
	seeds = flag.Int("seeds", 200, "how many seeds TestSeeds runs, from 1")
	seed  = flag.Uint64("seed", 0, "the one seed that TestSeeds runs, with its history")
)

// play runs a seed on a table of its own, in a bubble of its own.
func play(t *testing.T, dir string, seed uint64, m mutation) (o outcome) {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint(seed, m.name))
	synctest.Test(t, func(t *testing.T) {
		db, err := bolt.Open(path, bolt.NoSync())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		o = simulate(seed, db, m)
	})
	os.Remove(path)
	return o
}

// TestSeeds is the simulation.
func TestSeeds(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		o := play(t, t.TempDir(), *seed, mutation{})
		os.Stdout.Write(o.history)
		fmt.Printf("seed %d: %s after %s, %d messages accepted, %v\n", *seed, o.status, o.span, o.accepted, o.violations)
		if len(o.violations) > 0 {
			t.Fail()
		}
		return
	}
	var (
		next    atomic.Uint64
		mu      sync.Mutex
		started = time.Now()
		total   = newTotal()
	)
	t.Run("seeds", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				for n := next.Add(1); n <= uint64(*seeds); n = next.Add(1) {
					o := play(t, dir, n, mutation{})
					for _, v := range o.violations {
						t.Errorf("seed %d: %s", n, v)
					}
					mu.Lock()
					total.add(o)
					mu.Unlock()
				}
			})
		}
	})
	total.report(t, *seeds, time.Since(started))
}

// TestReplay runs seeds twice and compares their histories.
func TestReplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range uint64(20) {
		a, b := play(t, dir, n+1, mutation{}), play(t, dir, n+1, mutation{})
		if !bytes.Equal(a.history, b.history) {
			la, lb := bytes.Split(a.history, []byte("\n")), bytes.Split(b.history, []byte("\n"))
			for i := range la {
				if i >= len(lb) || !bytes.Equal(la[i], lb[i]) {
					t.Fatalf("seed %d: histories part at line %d:\n%s\n%s", n+1, i, la[i], lb[min(i, len(lb)-1)])
				}
			}
			t.Fatalf("seed %d: histories differ in length", n+1)
		}
	}
}
