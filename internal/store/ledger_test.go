package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/store"
	"tidings/internal/table"
)

var (
	_ delivery.Shards   = store.Ledger{}
	_ delivery.Batches  = store.Ledger{}
	_ delivery.Claims   = store.Ledger{}
	_ delivery.Rates    = store.Rates{}
	_ delivery.Tallies  = store.Tallies{}
	_ delivery.Evidence = store.Witness{}
	_ delivery.Digests  = store.Deliveries{}
	_ delivery.Opener   = store.Deliveries{}
)

// ledgerWorld is a ledger with one planned shard and a clock that a test moves.
type ledgerWorld struct {
	store.Ledger
	now atomic.Int64 // Unix ms
}

var ledgerStart = time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC)

func newLedger(t *testing.T) *ledgerWorld {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &ledgerWorld{}
	w.now.Store(ledgerStart.UnixMilli())
	var n atomic.Int64
	w.Ledger = store.Ledger{Table: db, Now: w.time, NewID: func() string { return fmt.Sprint("id", n.Add(1)) }}
	if _, err := db.Write(t.Context(), w.PlanOps([]delivery.Shard{plannedShard()})...); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *ledgerWorld) time() time.Time      { return time.UnixMilli(w.now.Load()).UTC() }
func (w *ledgerWorld) pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

func plannedShard() delivery.Shard {
	return delivery.Shard{Ref: delivery.ShardRef{Digest: "d", Shard: 0}, To: 64, Start: ledgerStart, CutOff: ledgerStart.Add(-time.Minute)}
}

// lease takes the shard for a minute.
func (w *ledgerWorld) lease(t *testing.T, owner string) delivery.Shard {
	t.Helper()
	s, err := w.Lease(t.Context(), plannedShard().Ref, owner, w.time().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *ledgerWorld) claim(t *testing.T, s delivery.Shard, ids ...string) (delivery.Shard, delivery.Batch) {
	t.Helper()
	s, b, err := w.Claim(t.Context(), s, ids)
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func ledgerID(n int) string { return fmt.Sprintf("%026d", n) }

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestLeasesExcludeEachOther(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	first := w.lease(t, "a")
	if first.Owner != "a" || first.Takeovers != 1 || first.To != 64 || !first.CutOff.Equal(ledgerStart.Add(-time.Minute)) {
		t.Errorf("leased %+v", first)
	}
	w.pass(time.Minute + delivery.ClockMargin) // over for the holder, but not yet surely for one with another clock
	_, err := w.Lease(ctx, first.Ref, "b", w.time().Add(time.Minute))
	wantError(t, "lease within the margin", err, delivery.ErrLeased)
	w.pass(time.Millisecond)
	second := w.lease(t, "b")
	if second.Takeovers != 2 {
		t.Errorf("%d takeovers, want 2", second.Takeovers)
	}
	_, _, err = w.Claim(ctx, first, []string{ledgerID(1)})
	wantError(t, "claim by the old holder", err, delivery.ErrLost)
	_, err = w.Walked(ctx, first, false)
	wantError(t, "end of walk by the old holder", err, delivery.ErrLost)
	if err := w.Release(ctx, first, time.Time{}); err != nil {
		t.Errorf("release by the old holder: %v", err)
	}
	_, err = w.Lease(ctx, first.Ref, "c", w.time().Add(time.Minute))
	wantError(t, "lease after the old holder's release", err, delivery.ErrLeased)
	wake := w.time().Add(15 * time.Second)
	if err := w.Release(ctx, second, wake); err != nil {
		t.Fatal(err)
	}
	if shards, err := w.Shards(ctx, "d"); err != nil || len(shards) != 1 || !shards[0].Wake.Equal(wake) || shards[0].Owner != "" {
		t.Errorf("shards %+v, %v, want one that wakes at %s", shards, err, wake)
	}
	if third := w.lease(t, "c"); third.Takeovers != 1 || !third.Wake.IsZero() {
		t.Errorf("after an orderly release: %+v", third)
	}
	_, err = w.Lease(ctx, delivery.ShardRef{Digest: "d", Shard: 1}, "a", w.time())
	wantError(t, "lease of no shard", err, delivery.ErrUnknown)
}

func TestClaimsAreWholeAndInOrder(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	s, b0 := w.claim(t, w.lease(t, "a"), ledgerID(1), ledgerID(2))
	_, _, err := w.Claim(ctx, plannedShard(), []string{ledgerID(9)})
	wantError(t, "claim without a lease", err, delivery.ErrLost)
	s, _ = w.claim(t, s, ledgerID(4))
	s, err = w.Walked(ctx, s, false)
	if err != nil || !s.Walked || s.WalkEnd != 2 || s.Cursor != ledgerID(4) {
		t.Fatalf("walked %+v, %v", s, err)
	}
	s, late := w.claim(t, s, ledgerID(3))
	if s.Second != ledgerID(3) || s.Cursor != ledgerID(4) || !slices.Equal(s.Open, []int64{0, 1, 2}) || late.Ref.Batch != 2 {
		t.Errorf("after a late claim: %+v", s)
	}
	if again := w.reread(t); !cmp.Equal(again, s) {
		t.Errorf("kept: %s", cmp.Diff(s, again))
	}
	ids, next, err := w.Claimed(ctx, s, 0, 1)
	if err != nil || next != 1 || !slices.Equal(ids, []string{ledgerID(1), ledgerID(2)}) {
		t.Errorf("claimed %v, next %d, %v", ids, next, err)
	}
	if ids, next, err = w.Claimed(ctx, s, 1, 500); err != nil || next != 2 || !slices.Equal(ids, []string{ledgerID(4)}) {
		t.Errorf("claimed %v, next %d, %v; the late claim is not the first walk's", ids, next, err)
	}
	got, err := w.Batch(ctx, b0.Ref)
	if err != nil || !slices.Equal(got.IDs, b0.IDs) || got.Attempt != 0 || len(got.Marks) != 0 || len(got.OpenSlots()) != 2 {
		t.Errorf("batch %+v, %v", got, err)
	}
	_, err = w.Batch(ctx, delivery.BatchRef{ShardRef: s.Ref, Batch: 3})
	wantError(t, "read of no batch", err, delivery.ErrUnknown)
}

// reread is the shard as it is kept.
func (w *ledgerWorld) reread(t *testing.T) delivery.Shard {
	t.Helper()
	shards, err := w.Shards(t.Context(), "d")
	if err != nil || len(shards) != 1 {
		t.Fatalf("shards %+v, %v", shards, err)
	}
	return shards[0]
}

func TestOneAttemptOfEachNumber(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	_, b := w.claim(t, w.lease(t, "a"), ledgerID(1), ledgerID(2))
	var wins atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := w.Attempt(ctx, b, []int64{0, 1}, w.time()); err == nil {
				wins.Add(1)
			} else if !errors.Is(err, delivery.ErrLost) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d attempts of number 1", wins.Load())
	}
	first, err := w.Batch(ctx, b.Ref)
	if err != nil || first.Attempt != 1 || !first.T0.Equal(ledgerStart) {
		t.Fatalf("batch %+v, %v", first, err)
	}
	w.pass(time.Hour)
	retried := w.Ledger
	retried.Table = twice{w.Table} // each write meets its own effect
	second, err := retried.Attempt(ctx, first, []int64{1}, w.time())
	if err != nil || second.Attempt != 2 {
		t.Fatalf("attempt whose answer was lost: %+v, %v", second, err)
	}
	kept, err := w.Batch(ctx, b.Ref)
	if err != nil || !kept.FirstT0.Equal(ledgerStart) || !kept.T0.Equal(w.time()) || !slices.Equal(kept.Slots, []int64{1}) {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestMarksAreOnlyAdded(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	s, b := w.claim(t, w.lease(t, "a"), ledgerID(1), ledgerID(2), ledgerID(3))
	for range 2 {
		if err := w.Mark(ctx, b.Ref, delivery.Marks{"a1": {0, 1}, "skip-left": {2}}, true); err != nil {
			t.Fatal(err)
		}
		if err := w.Mark(ctx, b.Ref, delivery.Marks{"e1": {1}, "rejected": {1}}, false); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Batch(ctx, b.Ref)
	if err != nil {
		t.Fatal(err)
	}
	for slot, want := range map[int64]delivery.Outcome{0: delivery.Sent, 1: delivery.Failed, 2: delivery.Skipped} {
		if o := got.Marks.Outcome(slot); o != want {
			t.Errorf("slot %d is %q, want %q", slot, o, want)
		}
	}
	if again := w.reread(t); len(again.Open) != 0 || again.Takeovers != 0 || again.Owner != s.Owner {
		t.Errorf("after the batch was closed: %+v", again)
	}
	err = w.Mark(ctx, delivery.BatchRef{ShardRef: s.Ref, Batch: 7}, delivery.Marks{"e1": {1}}, false)
	wantError(t, "mark of no batch", err, delivery.ErrUnknown)
	n := 0
	err = store.Tallies{Table: w.Table, Now: w.time}.Outcomes(ctx, s.Ref, func(slots int, m delivery.Marks) { n += slots + len(m) })
	if err != nil || n != 3+4 {
		t.Errorf("outcomes %d, %v", n, err)
	}
}

func TestOutcomesByPrecedence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		marks string
		want  delivery.Outcome
	}{
		{"", delivery.Open}, {"n1", delivery.Open}, {"delivered", delivery.Open},
		{"a1", delivery.Sent}, {"e12", delivery.Sent}, {"a1 e2 dropped unknown skip-left", delivery.Sent},
		{"a1 rejected", delivery.Failed}, {"e1 unrendered", delivery.Failed}, {"dropped skip-left", delivery.Failed}, {"unknown", delivery.Failed},
		{"skip-left", delivery.Skipped}, {"skip-cancelled n1", delivery.Skipped}, {"skip-outside", delivery.NotAsked},
	} {
		m := delivery.Marks{}
		for _, name := range strings.Fields(c.marks) {
			m[delivery.Mark(name)] = []int64{3}
		}
		if got := m.Outcome(3); got != c.want {
			t.Errorf("%s: %q, want %q", c.marks, got, c.want)
		}
		if got := m.Outcome(4); got != delivery.Open {
			t.Errorf("%s: another slot is %q", c.marks, got)
		}
	}
}

// TestLedgerExpires: what is kept about people's mail goes by itself.
func TestLedgerExpires(t *testing.T) {
	t.Parallel()
	w, ctx := newLedger(t), t.Context()
	w.claim(t, w.lease(t, "a"), ledgerID(1))
	db := w.Table.(*bolt.Store)
	n, err := db.Expire(ctx, ledgerStart.Add(store.LedgerRetention))
	if err != nil || n != 3 {
		t.Errorf("%d items expired, %v, want shard, batch and outcome", n, err)
	}
	if _, err := db.Get(ctx, table.Key{PK: "L#d#00", SK: "S"}); !errors.Is(err, table.ErrNotFound) {
		t.Errorf("shard: %v", err)
	}
}
