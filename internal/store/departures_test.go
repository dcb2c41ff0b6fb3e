package store_test

import (
	"fmt"
	"testing"
	"time"

	"tidings/internal/store"
)

func TestDepartures(t *testing.T) {
	t.Parallel()
	d := store.Departures{Table: newEngine(t)}
	start := time.Date(2026, 12, 1, 16, 0, 0, 123e6, time.UTC)
	other := start.Add(time.Millisecond)
	const people = 300
	for range 2 { // whoever leaves twice has left once
		for i := range people {
			if err := d.Left(t.Context(), start, fmt.Sprintf("%s%025d", string("0123456789abcdefghijklmnopqrstuv"[i%32]), i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for at, want := range map[time.Time]int64{start: people, other: 0} {
		if n, err := d.Departed(t.Context(), at); err != nil || n != want {
			t.Errorf("%d have left, %v, want %d", n, err, want)
		}
	}
	if listed, err := d.Listed(t.Context(), fmt.Sprintf("%026d", 1)); err != nil || listed {
		t.Errorf("nobody is listed: %v, %v", listed, err)
	}
}
