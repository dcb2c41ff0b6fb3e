package delivery_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/table"
)

// A world is everything that delivery runs in, on one virtual clock and one task at a time: the stores on the embedded
// engine, an SES that can be told to misbehave, queues, a scheduler and a crowd of subscribers. Whatever is to happen
// stands in its agenda.
type world struct {
	t      testing.TB
	mu     sync.Mutex // held during each port call, so that invocations may run at once
	now    time.Time
	gate   *gate
	ses    *fakeSES
	people *crowd
	agenda []appointment
	sweeps map[string][]byte

	dispatcher *delivery.Dispatcher
	worker     *delivery.Worker
	feedback   *delivery.Feedback
	digests    store.Digests
	deliveries store.Deliveries
	counter    *delivery.Counter
	desk       delivery.Desk
	log        *strings.Builder
	ids        atomic.Int64
	db         table.Table // without the gate
	words      string      // more of the digest's text
	invoked    time.Time   // start of the worker's invocation
}

type appointment struct {
	at    time.Time
	kind  string // "shard", "dispatch" or "event"
	body  []byte
	tries int
}

const testDigest = "01jdtest"

// epoch is after every confirmation of the crowd.
var epoch = time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, people int) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, now: epoch, sweeps: map[string][]byte{}, log: &strings.Builder{}}
	w.gate = &gate{w: w}
	w.ses = newFakeSES(w)
	w.people = newCrowd(w, people)
	tab := gatedTable{w.gate, db}
	now := func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.now
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	ledger := store.Ledger{Table: tab, Now: now, NewID: w.newID}
	w.digests = store.Digests{Table: tab, Now: now, NewID: w.newID}
	w.deliveries = store.Deliveries{Digests: w.digests, Ledger: ledger}
	evidence := store.Witness{Table: tab, Now: now}
	w.counter = &delivery.Counter{Tallies: store.Tallies{Table: tab, Now: now}, Shards: ledger, Now: now}
	w.desk = editors(w)
	course := delivery.Course{Digests: w.deliveries, Shards: ledger, Queue: w, Progress: w.counter, Now: now}
	w.dispatcher = &delivery.Dispatcher{Course: course, Opener: w.deliveries, People: w.people, Account: w.ses, Scheduler: w, Log: log}
	w.worker = &delivery.Worker{
		Course: course, Batches: ledger, Claims: ledger, People: w.people, Sender: w.ses,
		Personal: delivery.Copies{
			Site: mail.Site{Name: "Example Clinic", BaseURL: "https://news.example.org"},
			Links: func(id string) (mail.Links, error) {
				return mail.Links{Unsubscribe: "https://news.example.org/unsubscribe/" + id, Preferences: "https://news.example.org/preferences/" + id}, nil
			},
		},
		Rates:   store.Rates{Table: tab, Now: now},
		Witness: &delivery.EventWitness{Evidence: evidence, Sender: w.ses, Log: log, Now: now},
		Log:     log, Sleep: w.sleep, NewID: w.newID, Budget: 75 * time.Second,
	}
	w.feedback = &delivery.Feedback{Batches: ledger, People: w.people, Evidence: evidence, Progress: w.counter, Log: log}
	return w
}

func (w *world) newID() string { return "id" + strconv.FormatInt(w.ids.Add(1), 10) }

func (w *world) sleep(_ context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return nil
}

// editors are another process: nothing kills them, and they may act while SES works on a call.
func editors(w *world) delivery.Desk {
	now := func() time.Time { return w.now }
	ledger := store.Ledger{Table: w.db, Now: now, NewID: w.newID}
	return delivery.Desk{
		Turns:    store.Deliveries{Digests: store.Digests{Table: w.db, Now: now, NewID: w.newID}, Ledger: ledger},
		Progress: &delivery.Counter{Tallies: store.Tallies{Table: w.db, Now: now}, Shards: ledger, Now: now},
	}
}

// schedule stores a digest that is due now, as digest.Service does, and its alarm.
func (w *world) schedule() {
	w.t.Helper()
	ctx := context.Background()
	f := digest.Frozen{
		Content:  digest.Content{Subject: "News", HTML: "<p>{{greeting_html}}</p>", Text: "{{greeting}} {{unsubscribe_url}}" + w.words},
		Articles: []string{"one"}, Topics: []string{"sleep"},
	}
	f.Hash = f.Sum()
	d := digest.Digest{
		ID: testDigest, Title: "News", Status: digest.Scheduled, SendAt: w.now, Timezone: "UTC", Version: 1, ContentHash: f.Hash, Rev: 1,
		CreatedAt: w.now, UpdatedAt: w.now,
	}
	if err := w.digests.Create(ctx, d); err != nil {
		w.t.Fatal(err)
	}
	d.Rev = 2
	if err := w.digests.Schedule(ctx, d, 1, f); err != nil {
		w.t.Fatal(err)
	}
	w.agenda = append(w.agenda, appointment{at: w.now, kind: "dispatch", body: digest.StartMessage(testDigest, 1)})
}

// Send implements delivery.Queue.
func (w *world) Send(_ context.Context, body []byte, delay time.Duration) error {
	if delay != delay.Truncate(time.Second) || delay > 15*time.Minute {
		w.t.Errorf("delay %s is not what SQS takes", delay)
	}
	return w.gate.pass("queue", func() error {
		w.agenda = append(w.agenda, appointment{at: w.now.Add(delay), kind: "shard", body: body})
		return nil
	})
}

// EveryMinute implements delivery.Scheduler.
func (w *world) EveryMinute(_ context.Context, name string, payload []byte) error {
	return w.gate.pass("schedule", func() error {
		if w.sweeps[name] == nil {
			w.agenda = append(w.agenda, appointment{at: w.now.Add(time.Minute), kind: "sweep", body: []byte(name)})
		}
		w.sweeps[name] = payload
		return nil
	})
}

// Delete implements delivery.Scheduler.
func (w *world) Delete(_ context.Context, name string) error {
	return w.gate.pass("unschedule", func() error { delete(w.sweeps, name); return nil })
}

// run lets everything happen until nothing is left to do, or for a time.
func (w *world) run(limit time.Duration) {
	w.t.Helper()
	for end := w.now.Add(limit); len(w.agenda) > 0; {
		slices.SortStableFunc(w.agenda, func(a, b appointment) int { return a.at.Compare(b.at) })
		next := w.agenda[0]
		if next.at.After(end) {
			w.now = end
			return
		}
		w.agenda = w.agenda[1:]
		if next.at.After(w.now) {
			w.now = next.at
		}
		w.do(next)
		w.gate.dead = false
	}
}

// do is one invocation of a function. One that fails comes again, as the queues and the scheduler have it.
func (w *world) do(a appointment) {
	w.t.Helper()
	ctx := context.Background()
	again := 12 * time.Minute
	var err error
	switch a.kind {
	case "shard", "dispatch":
		var m delivery.Message
		if m, err = delivery.ParseMessage(a.body); err != nil {
			w.t.Fatal(err)
		}
		if a.kind == "shard" {
			w.invoked = w.now
			err = w.worker.Run(ctx, delivery.ShardRef{Digest: m.Digest, Shard: m.Shard})
		} else {
			again = time.Minute
			err = w.dispatcher.Handle(ctx, m)
		}
	case "sweep":
		payload := w.sweeps[string(a.body)]
		if payload == nil {
			return
		}
		w.agenda = append(w.agenda, appointment{at: w.now.Add(time.Minute), kind: "sweep", body: a.body})
		w.do(appointment{kind: "dispatch", body: payload, tries: 100})
		return
	case "event":
		again = 400 * time.Second
		bodies := map[string][]byte{"0": a.body}
		for len(w.agenda) > 0 && w.agenda[0].kind == "event" && w.agenda[0].at.Before(w.now.Add(time.Second)) {
			bodies[strconv.Itoa(len(bodies))] = w.agenda[0].body
			w.agenda = w.agenda[1:]
		}
		for _, id := range w.feedback.Handle(ctx, bodies) {
			w.agenda = append(w.agenda, appointment{at: w.now.Add(again), kind: "event", body: bodies[id]})
		}
		return
	}
	if err != nil && !errors.Is(err, errCrash) {
		w.t.Errorf("%s at %s: %v", a.kind, w.now.Sub(epoch), err)
	}
	if err != nil && a.tries < 5 {
		w.agenda = append(w.agenda, appointment{at: w.now.Add(again), kind: a.kind, body: a.body, tries: a.tries + 1})
	}
}

// status reads the digest.
func (w *world) digest() digest.Digest {
	w.t.Helper()
	d, err := w.digests.Get(context.Background(), testDigest)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) progress() digest.Progress {
	w.t.Helper()
	p, err := w.counter.Progress(context.Background(), testDigest)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// wantStatus demands a status and gives the log when it is another.
func (w *world) wantStatus(s digest.Status) {
	w.t.Helper()
	if d := w.digest(); d.Status != s {
		w.t.Fatalf("digest is %s (%s), want %s; %+v; log:\n%s", d.Status, d.Reason, s, w.progress(), w.log)
	}
}

// wantOnce demands that the digest is sent, that everyone in the audience but those named got one copy, and nobody else any,
// and that the figures say so.
func (w *world) wantOnce(except ...string) {
	w.t.Helper()
	w.wantStatus(digest.Sent)
	for _, s := range w.people.all {
		want := 1
		if slices.Contains(except, s.ID) {
			want = 0
		}
		if got := w.ses.copies[s.Email]; got != want {
			w.t.Fatalf("%s has %d copies, want %d; log:\n%s", s.ID, got, want, w.log)
		}
	}
	p := w.progress()
	if n := int64(len(w.people.all) - len(except)); p.Accepted != n || p.Unresolved != 0 || p.Duplicates != 0 || p.Audience != p.Accepted+p.Failed+p.Skipped {
		w.t.Fatalf("progress %+v, want %d accepted and all in one outcome", p, n)
	}
	if len(w.sweeps) != 0 {
		w.t.Error("the sweeper is still there")
	}
	if strings.Contains(w.log.String(), "@") {
		w.t.Error("an address is in the log")
	}
}

// A crowd is the audience.
type crowd struct {
	w          *world
	all        []audience.Subscriber // in the order of their IDs
	hidden     map[string]time.Time  // from the index until
	bounced    []string
	complained []string
	onRead     func() // before subscribers are read
}

func newCrowd(w *world, n int) *crowd {
	c := &crowd{w: w, hidden: map[string]time.Time{}}
	const digits = "0123456789abcdefghijklmnopqrstuv"
	for i := range n {
		// A multiplicative hash spreads IDs over the partitions, as the HMAC does.
		h := uint64(i+1) * 0x9E3779B97F4A7C15
		id := make([]byte, audience.IDLen)
		for j := range id {
			id[j] = digits[h>>59]
			h = h<<5 | h>>59
		}
		c.all = append(c.all, audience.Subscriber{
			ID: string(id), Email: fmt.Sprintf("p%d@example.org", i), Name: fmt.Sprintf("P%d", i), Status: audience.Confirmed,
			ConfirmedAt: epoch.Add(-time.Hour),
		})
	}
	slices.SortFunc(c.all, func(a, b audience.Subscriber) int { return cmp.Compare(a.ID, b.ID) })
	return c
}

// Mailable implements delivery.People.
func (c *crowd) Mailable(_ context.Context, partition int, after string, limit int) (ids []string, err error) {
	err = c.w.gate.pass("index", func() error {
		first := sort.Search(len(c.all), func(i int) bool { return c.all[i].ID > after && audience.Partition(c.all[i].ID) >= partition })
		for _, s := range c.all[first:] {
			if len(ids) == limit || audience.Partition(s.ID) > partition {
				break
			}
			if s.Status == audience.Confirmed && !c.hidden[s.ID].After(c.w.now) {
				ids = append(ids, s.ID)
			}
		}
		return nil
	})
	return ids, err
}

// GetMany implements delivery.People.
func (c *crowd) GetMany(_ context.Context, ids []string) (map[string]audience.Subscriber, error) {
	if c.onRead != nil {
		c.onRead()
	}
	found := map[string]audience.Subscriber{}
	err := c.w.gate.pass("people", func() error {
		for _, id := range ids {
			if i := sort.Search(len(c.all), func(i int) bool { return c.all[i].ID >= id }); i < len(c.all) && c.all[i].ID == id {
				found[id] = c.all[i]
			}
		}
		return nil
	})
	return found, err
}

// Bounced implements delivery.Suppressor.
func (c *crowd) Bounced(_ context.Context, id string) error {
	return c.w.gate.pass("bounced", func() error { c.bounced = append(c.bounced, id); return nil })
}

// Complained implements delivery.Suppressor.
func (c *crowd) Complained(_ context.Context, id string) error {
	return c.w.gate.pass("complained", func() error { c.complained = append(c.complained, id); return nil })
}

// errCrash is what a port returns to a process that is dead.
var errCrash = errors.New("process is dead")

// A gate is passed by each call of a port. It can kill the process that calls, before or after the call takes effect.
type gate struct {
	w      *world
	calls  int
	trace  []string // of the calls
	killAt int      // number of the call, from 1; 0: never
	after  bool     // kill after the call's effect
	dead   bool
	passed string // what the process was killed at
	before func(what string)
}

func (g *gate) pass(what string, effect func() error) error {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	if g.dead {
		return errCrash
	}
	if g.before != nil {
		g.before(what)
	}
	g.calls++
	g.trace = append(g.trace, what)
	g.w.now = g.w.now.Add(time.Millisecond)
	if g.calls == g.killAt {
		g.dead, g.passed = true, what
		if g.after {
			_ = effect() // its answer is lost
		}
		return errCrash
	}
	return effect()
}

// A gatedTable is a table behind the gate.
type gatedTable struct {
	gate *gate
	db   table.Table
}

func (g gatedTable) Get(ctx context.Context, key table.Key) (item table.Item, err error) {
	err = g.gate.pass("get "+key.SK, func() error { item, err = g.db.Get(ctx, key); return err })
	return item, err
}

func (g gatedTable) BatchGet(ctx context.Context, keys []table.Key) (items map[table.Key]table.Item, err error) {
	err = g.gate.pass("batch get", func() error { items, err = g.db.BatchGet(ctx, keys); return err })
	return items, err
}

func (g gatedTable) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	err = g.gate.pass("query", func() error { page, err = g.db.Query(ctx, q); return err })
	return page, err
}

func (g gatedTable) Write(ctx context.Context, ops ...table.Op) (item table.Item, err error) {
	err = g.gate.pass("write "+ops[0].Key.SK, func() error { item, err = g.db.Write(ctx, ops...); return err })
	return item, err
}

func (g gatedTable) BatchPut(ctx context.Context, items []table.Item) error {
	return g.gate.pass("batch put", func() error { return g.db.BatchPut(ctx, items) })
}
