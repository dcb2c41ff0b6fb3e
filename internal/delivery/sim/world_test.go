package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing/synctest"
	"time"

	"tidings/internal/digest"
	"tidings/internal/table"
)

// A world is everything that delivery runs in, on one virtual clock.
type world struct {
	loop
	seed      uint64
	db        table.Table
	index     map[string]lag // of subscribers
	recent    []table.Item   // who was last read from it
	adversary *adversary
	mutation  mutation
	coverage  coverage
	ses       *sesModel
	alarms    *alarms
	people    *people
	editors   *editors
	judge     *judge
	processes int

	shards, mails, events *queue
	violations            []string
}

// longest is how much time a run may take, beyond all that the rules allow a digest to wait.
const longest = 60 * time.Hour

// newWorld draws a world from a seed. It is called within a bubble.
func newWorld(seed uint64, db table.Table, m mutation) *world {
	w := &world{seed: seed, db: db, index: map[string]lag{}, mutation: m, coverage: coverage{}}
	w.loop = loop{rng: rand.New(rand.NewPCG(seed, 0x7469)), parked: map[*process]chan struct{}{}}
	time.Sleep(48 * time.Hour)
	w.epoch = time.Now()
	w.adversary = newAdversary(w)
	w.alarms = &alarms{world: w, set: map[string]*alarm{}}
	w.ses = &sesModel{world: w, copies: map[string][]*message{}, anySign: m.anySign}
	w.ses.rate = []float64{1, 1, 2, 5, 14, 50, 200, 600, 1000}[w.rng.IntN(9)]
	w.ses.quota = 50_000
	if w.chance(0.3) {
		w.ses.callEvery = w.between(time.Second, 3*time.Second)
	}
	if w.chance(0.1) {
		w.ses.quota = float64(90 + w.rng.IntN(200))
	}
	if w.adversary.rates[clockSkew] > 0 {
		w.ses.skew = w.between(-2500*time.Millisecond, 2500*time.Millisecond)
	}
	w.shards = &queue{world: w, name: "shards", fn: "deliver", visibility: 720 * time.Second, batch: 1, maxReceives: 5, workers: 6, handle: deliver}
	w.mails = &queue{world: w, name: "mails", fn: "mailer", visibility: 720 * time.Second, batch: 10, maxReceives: 10, workers: 2, handle: post}
	w.events = &queue{
		world: w, name: "events", fn: "feedback", visibility: 400 * time.Second, window: 20 * time.Second, batch: 1000, maxReceives: 20, workers: 2,
		handle: feedback,
	}
	w.judge = &judge{world: w}
	w.people = newPeople(w)
	w.editors = newEditors(w)
	return w
}

// violate notes that an invariant does not hold.
func (w *world) violate(format string, args ...any) {
	v := fmt.Sprintf(format, args...)
	w.note("VIOLATION: %s", v)
	if len(w.violations) < 20 {
		w.violations = append(w.violations, v)
	}
}

// An outcome is what a seed came to.
type outcome struct {
	violations []string
	history    []byte
	faults     map[fault]int
	coverage   coverage
	span       time.Duration
	accepted   int
	status     digest.Status
}

// simulate runs a seed to its end, and has it judged.
func simulate(seed uint64, db table.Table, m mutation) outcome {
	w := newWorld(seed, db, m)
	w.people.gather()
	w.people.plan()
	w.editors.plan()
	w.at(w.adversary.until, w.calm)
	w.run(w.epoch.Add(longest), w.editors.rest)
	synctest.Wait()
	w.judge.end(context.Background())
	return outcome{w.violations, w.history, w.adversary.counts, w.coverage, w.now().Sub(w.epoch), len(w.ses.accepted), w.editors.truth()}
}

// calm is when the adversary has had enough. What it has begun still takes its course.
func (w *world) calm() {
	w.note("the adversary rests")
	for _, q := range []*queue{w.shards, w.mails, w.events} {
		q.redrive()
	}
	w.after(time.Hour, func() {
		if !w.editors.over() || len(w.events.dead) > 0 {
			w.calm()
		}
	})
}
