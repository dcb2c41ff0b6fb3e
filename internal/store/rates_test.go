package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/store"
)

func TestSharesNeverExceedTheRate(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	rates := store.Rates{Table: w.Table, Now: w.time}
	end := ledgerStart.Add(time.Minute)
	lease := func(owner string, ask float64) delivery.Share {
		t.Helper()
		s, err := rates.Lease(ctx, owner, ask, 100, end)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if a, b, c := lease("a", 60), lease("b", 60), lease("c", 60); a.Rate != 60 || b.Rate != 40 || c.Rate != 0 {
		t.Errorf("shares %v, %v, %v of 100", a, b, c)
	}
	if a := lease("a", 50); a.Rate != 50 {
		t.Errorf("a's second lease %v replaces its first", a)
	}
	if d := lease("d", 200); d.Rate != 0 {
		t.Errorf("share %v is next to nothing of 200", d)
	}
	w.now.Store(end.Add(delivery.ShareLapse).UnixMilli())
	if d := lease("d", 60); d.Rate != 10 {
		t.Errorf("share %v, want what is left while the others' last calls may be under way", d)
	}
	w.pass(time.Millisecond)
	if d := lease("d", 60); d.Rate != 60 || !d.From.IsZero() {
		t.Errorf("share %v after the others lapsed", d)
	}
}

func TestReturnedSharesKeepTheirPace(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	rates := store.Rates{Table: w.Table, Now: w.time}
	next := ledgerStart.Add(3 * time.Second)
	for i, c := range []struct {
		owner string
		ask   float64
		want  delivery.Share
	}{
		{"a", 80, delivery.Share{Rate: 80}},
		{"b", 10, delivery.Share{Rate: 10}}, // of what nobody has used
		{"c", 60, delivery.Share{Rate: 60, From: next}},
	} {
		got, err := rates.Lease(ctx, c.owner, c.ask, 100, ledgerStart.Add(time.Minute))
		if err != nil || got.Rate != c.want.Rate || !got.From.Equal(c.want.From) {
			t.Errorf("%s: %v, %v, want %v", c.owner, got, err, c.want)
		}
		if i > 0 {
			continue
		}
		for range 2 { // the second is a repetition
			if err := rates.Return(ctx, "a", next); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.now.Store(next.UnixMilli())
	if got, err := rates.Lease(ctx, "c", 90, 100, ledgerStart.Add(time.Minute)); err != nil || got.Rate != 90 || !got.From.IsZero() {
		t.Errorf("%v, %v when its time has come", got, err)
	}
}

func TestSharesOfManyAtOnce(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	rates := store.Rates{Table: w.Table, Now: w.time}
	var mu sync.Mutex
	sum := 0.0
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := rates.Lease(ctx, fmt.Sprint(i), 20, 100, ledgerStart.Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum += s.Rate
		})
	}
	wg.Wait()
	if sum != 100 {
		t.Errorf("shares sum up to %v, want 100", sum)
	}
}
