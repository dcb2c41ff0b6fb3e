package store_test

import (
	"errors"
	"testing"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/store"
	"tidings/internal/table"
)

var _ delivery.Turns = store.Deliveries{}

func newDeliveries(t *testing.T) store.Deliveries {
	t.Helper()
	s := newDigests(t)
	return store.Deliveries{Digests: s, Ledger: store.Ledger(s)}
}

// shards makes the most shards that there can be.
func allShards(id string) (shards []delivery.Shard) {
	for i := range delivery.MaxShards {
		shards = append(shards, delivery.Shard{Ref: delivery.ShardRef{Digest: id, Shard: i}, From: i, To: i + 1, Start: digestNow, CutOff: digestNow})
	}
	return shards
}

func TestOpenHappensOnce(t *testing.T) {
	t.Parallel()
	s, ctx := newDeliveries(t), t.Context()
	scheduled(t, s.Digests, "d1")
	c, err := s.Control(ctx, "d1")
	if err != nil || c.Status != digest.Scheduled || c.Version != 1 || !c.SendAt.Equal(digestNow.Truncate(time.Millisecond)) || c.Active() || !c.Closed {
		t.Fatalf("control %+v, %v", c, err)
	}
	wantError(t, "open of another version", s.Open(ctx, "d1", 2, true, allShards("d1")), delivery.ErrLost)
	if shards, err := s.Ledger.Shards(ctx, "d1"); err != nil || len(shards) != 0 {
		t.Errorf("shards %v, %v of a digest that was not opened", shards, err)
	}
	if err := s.Open(ctx, "d1", 1, true, allShards("d1")); err != nil {
		t.Fatal(err)
	}
	wantError(t, "open by a twin", s.Open(ctx, "d1", 1, false, allShards("d1")), delivery.ErrLost)
	c, err = s.Control(ctx, "d1")
	if err != nil || c.Status != digest.Sending || !c.Active() || !c.Canary || len(c.Topics) != 1 || c.Topics[0] != "x" {
		t.Errorf("control %+v, %v", c, err)
	}
	if shards, err := s.Ledger.Shards(ctx, "d1"); err != nil || len(shards) != 64 || shards[63].From != 63 {
		t.Errorf("%d shards, %v", len(shards), err)
	}
	if err := s.PassCanary(ctx, "d1"); err != nil {
		t.Fatal(err)
	}
	if c, err = s.Control(ctx, "d1"); err != nil || c.Canary {
		t.Errorf("control %+v, %v after the canary has passed", c, err)
	}
	content, err := s.Content(ctx, "d1")
	if err != nil || content != (delivery.Content{Subject: "S", HTML: "<p>H</p>", Text: "T"}) {
		t.Errorf("content %+v, %v", content, err)
	}
	_, err = s.Control(ctx, "none")
	wantFault(t, "control of no digest", err, fault.NotFound)
}

func TestMovesOfDelivery(t *testing.T) {
	t.Parallel()
	s, ctx := newDeliveries(t), t.Context()
	move := func(id string, to digest.Status, want digest.Status) delivery.Control {
		t.Helper()
		if err := s.Move(ctx, id, to, "Because."); err != nil {
			t.Fatalf("move to %s: %v", to, err)
		}
		c, err := s.Control(ctx, id)
		if err != nil || c.Status != want {
			t.Fatalf("moved to %s: %+v, %v, want %s", to, c, err, want)
		}
		return c
	}
	scheduled(t, s.Digests, "d1")
	move("d1", digest.Sent, digest.Scheduled)
	move("d1", digest.Sending, digest.Scheduled)
	if err := s.Open(ctx, "d1", 1, false, allShards("d1")[:1]); err != nil {
		t.Fatal(err)
	}
	move("d1", digest.Waiting, digest.Waiting)
	move("d1", digest.Sending, digest.Sending)
	move("d1", digest.Paused, digest.Paused)
	move("d1", digest.Sent, digest.Paused)
	if d, err := s.Digests.Get(ctx, "d1"); err != nil || d.Reason != "Because." {
		t.Errorf("digest %+v, %v", d, err)
	}
	if c := move("d1", digest.Cancelled, digest.Cancelled); !c.Active() {
		t.Error("a cancelled digest's ledger has to be completed")
	}
	move("d1", digest.Sending, digest.Cancelled)
	if c := move("d1", digest.Sent, digest.Cancelled); !c.Closed || c.Active() {
		t.Errorf("control %+v of a cancelled digest whose ledger is complete", c)
	}
}

func TestContentIsChecked(t *testing.T) {
	t.Parallel()
	s, ctx := newDeliveries(t), t.Context()
	scheduled(t, s.Digests, "d1")
	item, err := s.Digests.Table.Get(ctx, table.Key{PK: "DIG#d1", SK: "C"})
	if err != nil {
		t.Fatal(err)
	}
	item["hash"] = "0"
	if _, err := s.Digests.Table.Write(ctx, table.Put(item)); err != nil {
		t.Fatal(err)
	}
	_, err = s.Content(ctx, "d1")
	wantError(t, "content", err, delivery.ErrContent)
	if err := s.Open(ctx, "d1", 1, false, allShards("d1")[:1]); !errors.Is(err, delivery.ErrContent) && !errors.Is(err, delivery.ErrLost) {
		t.Errorf("open: %v", err)
	}
}

func TestTalliesKeepTheNewestCount(t *testing.T) {
	t.Parallel()
	s, ctx := store.Tallies{Table: newDigests(t).Table, Now: func() time.Time { return digestNow }}, t.Context()
	tally := func() delivery.Tally {
		t.Helper()
		got, err := s.Tally(ctx, "d")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	save := func(change, accepted int64) {
		t.Helper()
		err := s.SaveTally(ctx, "d", delivery.Tally{Progress: digest.Progress{Accepted: accepted}, At: digestNow, Batches: 2, Change: change})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := tally(); got.Stale || got.Progress != (digest.Progress{}) {
		t.Errorf("before anything: %+v", got)
	}
	for range 3 {
		if err := s.StaleTally(ctx, "d"); err != nil {
			t.Fatal(err)
		}
	}
	if got := tally(); !got.Stale || got.Change != 3 {
		t.Errorf("after three changes: %+v", got)
	}
	save(2, 20) // a change came while it was counted
	if got := tally(); !got.Stale || got.Progress.Accepted != 20 {
		t.Errorf("with a count of two changes: %+v", got)
	}
	save(3, 30)
	save(1, 10) // a slow counter's
	if got := tally(); got.Stale || got.Progress.Accepted != 30 || got.Batches != 2 || !got.At.Equal(digestNow) {
		t.Errorf("with a count of all: %+v", got)
	}
}

func TestWitnessKeepsTheLatest(t *testing.T) {
	t.Parallel()
	w, ctx := store.Witness{Table: newDigests(t).Table, Now: func() time.Time { return digestNow }}, t.Context()
	if last, err := w.Last(ctx); err != nil || !last.IsZero() {
		t.Errorf("before anything: %s, %v", last, err)
	}
	for _, at := range []time.Duration{time.Minute, time.Hour, time.Second} {
		if err := w.Heard(ctx, digestNow.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	if last, err := w.Last(ctx); err != nil || !last.Equal(digestNow.Add(time.Hour)) {
		t.Errorf("last %s, %v", last, err)
	}
	for i, want := range []bool{true, false, true} {
		if i == 2 {
			w.Now = func() time.Time { return digestNow.Add(time.Minute) }
		}
		if mine, err := w.ClaimProbe(ctx, time.Minute); err != nil || mine != want {
			t.Errorf("claim %d: %v, %v, want %v", i, mine, err, want)
		}
	}
}

func TestTurnsOfEditors(t *testing.T) {
	t.Parallel()
	s, ctx := newDeliveries(t), t.Context()
	desk := delivery.Desk{Turns: s, Progress: &delivery.Counter{Tallies: store.Tallies{Table: s.Digests.Table, Now: s.Digests.Now}, Shards: s.Ledger, Now: s.Digests.Now}}
	scheduled(t, s.Digests, "d1")
	wantFault(t, "pause before the start", desk.Pause(ctx, "d1"), fault.Conflict)
	wantFault(t, "resume before the start", desk.Resume(ctx, "d1"), fault.Conflict)
	wantFault(t, "pause of no digest", desk.Pause(ctx, "none"), fault.NotFound)
	if err := s.Open(ctx, "d1", 1, false, allShards("d1")[:1]); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "resume of one that is being sent", desk.Resume(ctx, "d1"), fault.Conflict)
	retried := desk
	lossy := s
	lossy.Digests.Table = echo{s.Digests.Table}
	retried.Turns = lossy
	if err := retried.Pause(ctx, "d1"); err != nil {
		t.Errorf("a pause whose answer was lost: %v", err)
	}
	wantFault(t, "second pause", desk.Pause(ctx, "d1"), fault.Conflict)
	kept := delivery.Tally{Progress: digest.Progress{Accepted: 7, Bounced: 3}, At: digestNow}
	if err := (store.Tallies{Table: s.Digests.Table, Now: s.Digests.Now}).SaveTally(ctx, "d1", kept); err != nil {
		t.Fatal(err)
	}
	if err := desk.Resume(ctx, "d1"); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Control(ctx, "d1"); err != nil || !c.Active() || c.Baseline != kept.Progress {
		t.Errorf("control %+v, %v, want it to go on in spite of %+v", c, err, kept.Progress)
	}
	if err := desk.Cancel(ctx, "d1"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "resume of a cancelled one", desk.Resume(ctx, "d1"), fault.Conflict)
}
