package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/delivery"
)

// A queue is one of SQS's with the function that reads it: at least once, in any order, and after so many receipts in the
// dead-letter queue.
type queue struct {
	*world
	name        string
	fn          string
	visibility  time.Duration
	window      time.Duration // that messages are gathered for
	batch       int
	maxReceives int
	workers     int // invocations at a time
	handle      func(ctx context.Context, p *process, list []*letter) (failed []string, err error)

	letters []*letter
	dead    []*letter
	busy    int
	idle    []*process
}

// A letter is a message of a queue.
type letter struct {
	id       string
	body     []byte
	sent     time.Time
	visible  time.Time
	receives int
	proof    *proof // of an event
}

// push puts a message in the queue.
func (q *queue) push(body []byte, delay time.Duration, p *proof) {
	l := &letter{id: q.newID(), body: body, sent: q.now(), visible: q.now().Add(delay), proof: p}
	if p != nil && p.enqueued.IsZero() {
		p.enqueued = q.now()
	}
	if f := q.adversary.pick(q.name, msgDelay, msgDuplicate); f == msgDelay {
		l.visible = l.visible.Add(q.between(0, 3*time.Minute))
	} else if f == msgDuplicate {
		twin := *l
		twin.id, twin.visible = q.newID(), l.visible.Add(q.between(0, 10*time.Minute))
		q.letters = append(q.letters, &twin)
		q.at(twin.visible.Add(q.window), q.poll)
	}
	q.letters = append(q.letters, l)
	q.at(l.visible.Add(q.window), q.poll)
}

// poll invokes the function with what is visible.
func (q *queue) poll() {
	now := q.now()
	var list []*letter
	if q.busy >= q.workers {
		return // who ends looks again
	}
	if len(q.letters) > 1 && q.adversary.wants(msgReorder, q.name) {
		q.rng.Shuffle(len(q.letters), func(i, j int) { q.letters[i], q.letters[j] = q.letters[j], q.letters[i] })
	}
	for _, l := range slices.Clone(q.letters) {
		if l.visible.After(now) || len(list) == q.batch {
			continue
		}
		if l.receives++; l.receives > q.maxReceives {
			q.note("%s: message %s goes to the dead letters", q.name, l.id)
			if l.proof != nil && l.proof.dead.IsZero() {
				l.proof.dead = now
			}
			q.dead = append(q.dead, l)
			q.remove(l)
			continue
		}
		l.visible = now.Add(q.visibility)
		q.at(l.visible, q.poll)
		list = append(list, l)
	}
	if len(list) > 0 {
		q.invoke(list)
	}
}

func (q *queue) remove(l *letter) {
	q.letters = slices.DeleteFunc(q.letters, func(x *letter) bool { return x == l })
}

// invoke runs the function in a sandbox that is warm and idle, or in a new one.
func (q *queue) invoke(list []*letter) {
	var p *process
	if n := len(q.idle); n > 0 {
		p, q.idle = q.idle[n-1], q.idle[:n-1]
	} else {
		p = q.process(q.fn)
	}
	q.busy++
	q.note("%s takes %d of %s", p.name, len(list), q.name)
	var failed []string
	p.start(func() (err error) {
		failed, err = q.handle(context.Background(), p, list)
		return err
	}, func(crashed bool, err error) {
		q.busy--
		if !crashed {
			q.idle = append(q.idle, p)
		}
		q.note("%s ends: crashed %v, failed %d, %v", p.name, crashed, len(failed), err)
		for _, l := range list {
			if crashed || err != nil || slices.Contains(failed, l.id) {
				continue // it comes again when its visibility ends
			}
			if l.proof != nil && l.proof.processed.IsZero() {
				l.proof.processed = q.now()
			}
			q.remove(l)
		}
		q.after(0, q.poll)
	})
}

// redrive gives dead letters another chance, as an operator does.
func (q *queue) redrive() {
	for _, l := range q.dead {
		q.note("%s: dead letter %s is driven back", q.name, l.id)
		l.receives, l.visible = 0, q.now()
		q.letters = append(q.letters, l)
		q.after(q.window, q.poll)
	}
	q.dead = nil
}

func (q *queue) depth() delivery.Depth {
	return delivery.Depth{Messages: len(q.letters), Visibility: q.visibility}
}

func (q *queue) depthOfDead() delivery.Depth { return delivery.Depth{Messages: len(q.dead)} }

// A queueOf is a process's way to a queue.
type queueOf struct {
	p *process
	q *queue
}

// Send implements the domain's queues.
func (s queueOf) Send(_ context.Context, body []byte, delay time.Duration) error {
	if delay < 0 || delay != delay.Truncate(time.Second) || delay > 15*time.Minute {
		s.p.violate("delay %s is not what SQS takes", delay)
	}
	return s.p.port("send to "+s.q.name, func() { s.q.push(slices.Clone(body), delay, nil) })
}

// A depthOf is a process's way to measure a queue.
type depthOf struct {
	p       *process
	measure func() delivery.Depth
}

// Depth implements delivery.Measured.
func (d depthOf) Depth(context.Context) (got delivery.Depth, err error) {
	err = d.p.port("depth", func() { got = d.measure() })
	return got, err
}

// port is a call of a port that may fail, or succeed without saying so.
func (p *process) port(op string, do func()) error {
	return p.call(op, 3*time.Millisecond, 20*time.Millisecond, func(f fault) error {
		if f != portFails {
			do()
		}
		if f == portFails || f == portLost {
			return errLost
		}
		return nil
	}, portFails, portLost)
}

// An alarms is EventBridge Scheduler, which invokes dispatch: at least once, and again when it fails.
type alarms struct {
	*world
	set map[string]*alarm
}

type alarm struct {
	payload []byte
	every   time.Duration
}

func (a *alarms) once(name string, at time.Time, payload []byte) {
	set := &alarm{payload, 0}
	a.set[name] = set
	a.at(maxTime(at, a.now()).Add(a.between(0, 2*time.Second)), func() { a.ring(name, set) })
}

func (a *alarms) everyMinute(name string, payload []byte) {
	if a.set[name] != nil {
		return
	}
	set := &alarm{payload, time.Minute}
	a.set[name] = set
	a.after(time.Minute, func() { a.ring(name, set) })
}

// ring invokes dispatch, unless the alarm was deleted or replaced.
func (a *alarms) ring(name string, set *alarm) {
	if a.set[name] != set {
		return
	}
	if set.every > 0 {
		a.after(set.every, func() { a.ring(name, set) })
	} else {
		delete(a.set, name)
	}
	delay := time.Duration(0)
	switch a.adversary.pick(name, alarmTwice, alarmLate) {
	case alarmTwice:
		a.after(a.between(0, 5*time.Minute), func() { a.dispatch(set.payload, 2) })
	case alarmLate:
		delay = a.between(0, 4*time.Minute)
	}
	a.after(delay, func() { a.dispatch(set.payload, 2) })
}

// dispatch is an asynchronous invocation, which Lambda repeats twice when it fails.
func (a *alarms) dispatch(payload []byte, retries int) {
	p := a.process("dispatch")
	p.note("%s gets %s", p.name, payload)
	p.start(func() error { return p.dispatch(payload) }, func(crashed bool, err error) {
		a.note("%s ends: crashed %v, %v", p.name, crashed, err)
		if (crashed || err != nil) && retries > 0 {
			a.after(time.Minute, func() { a.dispatch(payload, retries-1) })
		}
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A schedulerOf is a process's way to the alarms.
type schedulerOf struct{ p *process }

// Once implements digest.Scheduler.
func (s schedulerOf) Once(_ context.Context, name string, at time.Time, payload []byte) error {
	return s.p.port("schedule once", func() { s.p.alarms.once(name, at, payload) })
}

// EveryMinute implements delivery.Scheduler.
func (s schedulerOf) EveryMinute(_ context.Context, name string, payload []byte) error {
	return s.p.port("schedule sweeper", func() { s.p.alarms.everyMinute(name, payload) })
}

// Delete implements digest.Scheduler and delivery.Scheduler.
func (s schedulerOf) Delete(_ context.Context, name string) error {
	return s.p.port(fmt.Sprintf("unschedule %.5s", name), func() { delete(s.p.alarms.set, name) })
}
