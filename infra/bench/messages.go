package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// A lane is the shard queue with Lambda's polling of it: a message an invocation, so many at once.
type lane struct {
	cloud    *cloud
	function string

	mu      sync.Mutex
	free    int
	waiting [][]byte
}

// Send implements app.Queue.
func (l *lane) Send(ctx context.Context, body []byte, delay time.Duration) error {
	if err := l.cloud.clock.Sleep(ctx, sqsTime); err != nil {
		return err
	}
	l.cloud.bill.add(&l.cloud.bill.sqs, 3) // it is sent, received and deleted
	l.cloud.clock.Run(l.cloud.clock.Now().Add(delay+beginTime), func(ctx context.Context) { l.take(ctx, body) })
	return nil
}

// take works on a message when a worker is free, and then on those that wait.
func (l *lane) take(ctx context.Context, body []byte) {
	l.mu.Lock()
	if l.free == 0 {
		l.waiting = append(l.waiting, body)
		l.mu.Unlock()
		return
	}
	l.free--
	l.mu.Unlock()
	for {
		l.cloud.invoke(ctx, l.function, sqsEvent([][]byte{body}))
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.free++
			l.mu.Unlock()
			return
		}
		body, l.waiting = l.waiting[0], l.waiting[1:]
		l.mu.Unlock()
	}
}

// sqsEvent is what Lambda makes of messages.
func sqsEvent(bodies [][]byte) []byte {
	var ev events.SQSEvent
	for i, b := range bodies {
		ev.Records = append(ev.Records, events.SQSMessage{
			MessageId: strconv.Itoa(i), Body: string(b), Attributes: map[string]string{"ApproximateReceiveCount": "1"},
		})
	}
	payload, _ := json.Marshal(ev) // strings only
	return payload
}

const (
	pollers      = 5 // Lambda's, and the template's MaximumConcurrency
	windowTime   = 20 * time.Second
	windowEvents = 1000
	receiveMost  = 10 // messages in an answer of SQS
)

// A window is the events' queue with Lambda's polling of it. Each message goes to a poller by chance, as SQS's servers share them out, so
// that one batch's events meet in one invocation only as far as chance has it; each poller gathers for the batching window.
type window struct {
	cloud  *cloud
	mu     sync.Mutex
	chance *rand.Rand
	lots   [pollers]lot
}

// A lot is what a poller has gathered.
type lot struct {
	bodies [][]byte
	busy   bool
	since  int // number of the lot, by which a timer knows its own
}

func newWindow(c *cloud) *window { return &window{cloud: c, chance: rand.New(rand.NewPCG(1, 1))} }

// SendAll implements events.Queue.
func (w *window) SendAll(_ context.Context, bodies [][]byte) error {
	w.cloud.bill.add(&w.cloud.bill.sqs, len(bodies)) // EventBridge sends each by itself
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range bodies {
		i := w.chance.IntN(pollers)
		l := &w.lots[i]
		if l.bodies = append(l.bodies, b); len(l.bodies) == 1 {
			n := l.since
			w.cloud.clock.Run(w.cloud.clock.Now().Add(windowTime), func(ctx context.Context) { w.flush(ctx, i, n) })
		} else if len(l.bodies) == windowEvents {
			n := l.since
			w.cloud.clock.Run(w.cloud.clock.Now(), func(ctx context.Context) { w.flush(ctx, i, n) })
		}
	}
	return nil
}

// flush invokes feedback with a lot, and goes on with what gathered meanwhile when that is full already.
func (w *window) flush(ctx context.Context, i, n int) {
	for {
		w.mu.Lock()
		l := &w.lots[i]
		if l.since != n || len(l.bodies) == 0 {
			w.mu.Unlock()
			return
		}
		if l.busy { // the poller waits for its invocation; a second later it may be back
			w.mu.Unlock()
			w.cloud.clock.Run(w.cloud.clock.Now().Add(100*time.Millisecond), func(ctx context.Context) { w.flush(ctx, i, n) })
			return
		}
		size := min(len(l.bodies), windowEvents)
		batch := l.bodies[:size:size]
		l.bodies = l.bodies[size:]
		l.busy, l.since = true, l.since+1
		n = l.since
		w.mu.Unlock()
		receives := (size + receiveMost - 1) / receiveMost
		w.cloud.bill.add(&w.cloud.bill.sqs, 2*receives) // received and deleted
		w.cloud.invoke(ctx, "feedback", sqsEvent(batch))
		w.mu.Lock()
		l.busy = false
		left := len(l.bodies)
		w.mu.Unlock()
		if left == 0 {
			return
		}
		if left < windowEvents {
			w.cloud.clock.Run(w.cloud.clock.Now().Add(windowTime), func(ctx context.Context) { w.flush(ctx, i, n) })
			return
		}
	}
}

// EveryMinute implements app.Scheduler.
func (c *cloud) EveryMinute(_ context.Context, name string, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sweeping[name] == nil {
		c.again(name)
	}
	c.sweeping[name] = payload
	return nil
}

// again has a schedule fire in a minute, as long as it is there.
func (c *cloud) again(name string) {
	c.clock.Run(c.clock.Now().Add(time.Minute), func(ctx context.Context) {
		c.mu.Lock()
		payload := c.sweeping[name]
		if payload != nil {
			c.again(name)
		}
		c.mu.Unlock()
		if payload != nil {
			c.bill.add(&c.bill.schedules, 1)
			c.invoke(ctx, "dispatch", payload)
		}
	})
}

// Once implements app.Scheduler.
func (c *cloud) Once(_ context.Context, _ string, at time.Time, payload []byte) error {
	c.clock.Run(at, func(ctx context.Context) {
		c.bill.add(&c.bill.schedules, 1)
		c.invoke(ctx, "dispatch", payload)
	})
	return nil
}

// Delete implements app.Scheduler.
func (c *cloud) Delete(_ context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sweeping, name)
	return nil
}
