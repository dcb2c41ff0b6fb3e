package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"tidings/infra/bench/rig"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/table"
)

// growth measures what one batch takes on lists of different sizes: one worker on one shard that is the whole list, and a sender that
// takes everything at once. What the embedded engine takes is told apart: a file of a million people is a deeper tree.
func growth(ctx context.Context, rep *report, big bool) error {
	sizes := []int{10_000, 100_000}
	if big {
		sizes = append(sizes, 1_000_000)
	}
	var first figures
	for i, n := range sizes {
		f, err := fewest(ctx, n, max(1, 200_000/n))
		if err != nil {
			return fmt.Errorf("%d people: %w", n, err)
		}
		name := fmt.Sprintf("batch at %d people", n)
		rep.info(name+", worker's CPU", f.own(), "ms", map[string]any{
			"batches": f.batches, "engine's ms": round(f.engine.Seconds() * 1000 / f.batches), "table calls": round(f.calls / f.batches),
			"write units": round(f.write / f.batches), "read units": round(f.read / f.batches),
		})
		if i == 0 {
			first = f
			continue
		}
		off := func(now, before float64) float64 { return 100 * math.Abs(now/before-1) }
		against := fmt.Sprintf("%s against %d, ", name, sizes[0])
		rep.atMost(against+"worker's CPU", off(f.own(), first.own()), 10, "% off", nil)
		rep.atMost(against+"table calls", off(f.calls/f.batches, first.calls/first.batches), 10, "% off", nil)
		rep.atMost(against+"table units", off((f.read+f.write)/f.batches, (first.read+first.write)/first.batches), 10, "% off", nil)
	}
	return nil
}

// fewest sends a digest some times and returns the figures of the time that took least: what else the machine does only adds.
func fewest(ctx context.Context, n, times int) (least figures, err error) {
	for i := range times {
		f, err := batches(ctx, n)
		if err != nil {
			return f, err
		}
		if i == 0 || f.own() < least.own() {
			least = f
		}
	}
	return least, nil
}

// figures are what all batches of a digest took.
type figures struct {
	batches, calls, read, write float64
	cpu, engine                 time.Duration
}

// own is the worker's part of a batch's CPU time, in milliseconds.
func (f figures) own() float64 { return (f.cpu - f.engine).Seconds() * 1000 / f.batches }

// taker is an SES that takes everything at once.
type taker struct{ calls int }

// SendBulk implements delivery.Sender.
func (t *taker) SendBulk(_ context.Context, b delivery.Bulk) ([]delivery.Result, error) {
	t.calls++
	all := make([]delivery.Result, len(b.Entries))
	for i := range all {
		all[i].Status = "SUCCESS"
	}
	return all, nil
}

// Account implements delivery.Sender.
func (*taker) Account(context.Context) (delivery.Account, error) {
	return delivery.Account{Rate: 1e9, Quota: -1, Enabled: true, ReadTime: time.Now()}, nil
}

// allRates gives everyone all they could use.
type allRates struct{}

// Lease implements delivery.Rates.
func (allRates) Lease(context.Context, string, float64, float64, time.Time) (delivery.Share, error) {
	return delivery.Share{Rate: 1e9}, nil
}

// Return implements delivery.Rates.
func (allRates) Return(context.Context, string, time.Time) error { return nil }

// nobody is a queue that nobody reads.
type nobody struct{}

// Send implements delivery.Queue.
func (nobody) Send(context.Context, []byte, time.Duration) error { return nil }

// batches sends a digest to n people.
func batches(ctx context.Context, n int) (f figures, err error) {
	dir, err := os.MkdirTemp("", "tidings-bench")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	if err := prepare(ctx, dir, n); err != nil {
		return f, err
	}
	db, err := bolt.Open(filepath.Join(dir, "table.db"), bolt.NoSync())
	if err != nil {
		return f, err
	}
	defer db.Close()
	engine := &timedTable{Table: db}
	counter := &table.Counter{Table: engine}
	newID := app.IDs(time.Now)
	ledger := store.Ledger{Table: counter, Now: time.Now, NewID: newID}
	deliveries := store.Deliveries{Digests: store.Digests{Table: counter, Now: time.Now, NewID: newID}, Ledger: ledger}
	ref := delivery.ShardRef{Digest: rig.Digest}
	whole := []delivery.Shard{{Ref: ref, To: delivery.MaxShards, Start: time.Now(), CutOff: time.Now()}}
	if err := deliveries.Open(ctx, rig.Digest, 1, false, whole); err != nil {
		return f, err
	}
	sender := &taker{}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &delivery.Worker{
		Course: delivery.Course{
			Digests: deliveries, Shards: ledger, Queue: nobody{}, Now: time.Now,
			Progress: &delivery.Counter{Tallies: store.Tallies{Table: counter, Now: time.Now}, Shards: ledger, Now: time.Now},
		},
		Batches: ledger, Claims: ledger, People: store.Subscribers{Table: counter, Now: time.Now, NewID: newID}, Sender: sender,
		Personal: delivery.Copies{
			Site: mail.Site{Name: "Example Clinic", BaseURL: "https://news.example.org"},
			Links: func(id string) (mail.Links, error) {
				const origin = "https://news.example.org"
				return mail.Links{Unsubscribe: origin + "/unsubscribe/" + id, Preferences: origin + "/preferences/" + id}, nil
			},
		},
		Rates: allRates{}, Witness: &delivery.EventWitness{Evidence: store.Witness{Table: counter, Now: time.Now}, Sender: sender, Log: log, Now: time.Now},
		Log: log, Sleep: func(context.Context, time.Duration) error { return nil }, NewID: newID, Budget: time.Hour,
	}
	runtime.LockOSThread() // the engine's time is read off the thread
	defer runtime.UnlockOSThread()
	counter.Reset()
	engine.took = 0
	cpu := used()
	if err := w.Run(ctx, ref); err != nil {
		return f, err
	}
	cpu = used() - cpu
	units := counter.Units().Total()
	if want := (n + delivery.MaxEntries - 1) / delivery.MaxEntries; sender.calls != want {
		return f, fmt.Errorf("%d calls, want %d", sender.calls, want)
	}
	return figures{batches: float64(sender.calls), calls: float64(units.Calls), read: units.Read, write: units.Write, cpu: cpu, engine: engine.took}, nil
}
