package queue

import (
	"context"
	"time"
)

const (
	defaultBatch       = 10 // Lambda's
	defaultConcurrency = 5  // Lambda starts with five pollers
	// maxPayload is less than Lambda's 6 MB for an event, for what JSON adds to the bodies.
	maxPayload = 4 << 20
)

// A poller reads a queue for a function. Its queue's lock guards it.
type poller struct {
	Source
	running int
}

func newPoller(src Source) *poller {
	if src.BatchSize < 1 {
		src.BatchSize = defaultBatch
	}
	if src.Concurrency < 1 {
		src.Concurrency = defaultConcurrency
	}
	src.Window = min(max(src.Window, 0), MaxWindow)
	return &poller{Source: src}
}

// pump starts the invocations that can be started, and has the clock call it again when there may be more. It needs q.mu; whatever
// it starts is in flight when it returns.
func (q *Queue) pump() {
	now := q.svc.Clock.Now()
	q.tidy(now)
	p := q.poller
	if p == nil {
		return
	}
	var next time.Time
	for p.running < p.Concurrency && q.shelf.ready.Len() > 0 {
		// Lambda gathers a batch from its first message on, until it is full or the window is over.
		first := q.shelf.ready.Front().Value.(*message)
		if full := q.shelf.ready.Len() >= p.BatchSize; !full && first.visible.Add(p.Window).After(now) {
			next = first.visible.Add(p.Window)
			break
		}
		q.begin(p, now)
	}
	if len(q.shelf.hidden) > 0 {
		if visible := q.shelf.hidden[0].visible; next.IsZero() || visible.Before(next) {
			next = visible
		}
	}
	q.arm(next)
}

// arm has the clock call pump at a time, or not at all at the zero time.
func (q *Queue) arm(at time.Time) {
	if at.Equal(q.armed) {
		return
	}
	if q.disarm != nil {
		q.disarm()
	}
	q.armed, q.disarm = at, nil
	if at.IsZero() {
		return
	}
	q.disarm = q.svc.Clock.At(at, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.armed.Equal(at) {
			q.armed, q.disarm = time.Time{}, nil
		}
		q.pump()
	})
}

// begin receives a batch and invokes the function with it.
func (q *Queue) begin(p *poller, now time.Time) {
	batch, dead := q.receive(p.BatchSize, now)
	p.running++
	q.svc.running.Add(1)
	ctx, end := q.svc.Clock.Begin(q.svc.ctx)
	go func() {
		defer end() // when what comes next is in flight
		defer q.svc.running.Done()
		q.deliver(ctx, p, batch, dead)
		q.mu.Lock()
		defer q.mu.Unlock()
		p.running--
		q.pump()
	}()
}

// receive takes ready messages and hides them for the visibility timeout. dead are those that were received too often.
func (q *Queue) receive(limit int, now time.Time) (batch, dead []*message) {
	for size := 0; len(batch)+len(dead) < limit && q.shelf.ready.Len() > 0; {
		m := q.shelf.ready.Front().Value.(*message)
		if size += len(m.body); size > maxPayload && len(batch) > 0 {
			break
		}
		q.shelf.take(m)
		m.receives++
		m.visible = now.Add(q.Visibility)
		if m.first.IsZero() {
			m.first = now
		}
		q.shelf.place(m, now)
		if q.dlq != nil && m.receives > q.MaxReceives {
			dead = append(dead, m)
			continue
		}
		batch = append(batch, m)
	}
	return batch, dead
}

// deliver moves the dead, invokes the function with the others and settles what became of them.
func (q *Queue) deliver(ctx context.Context, p *poller, batch, dead []*message) {
	log := q.svc.Log.With("queue", q.Name)
	if len(dead) > 0 {
		if err := q.bury(ctx, dead); err != nil {
			log.ErrorContext(ctx, "messages not moved to the dead-letter queue; they come again", "error", err)
		}
	}
	if len(batch) == 0 {
		return
	}
	payload, err := q.event(batch)
	if err != nil {
		log.ErrorContext(ctx, "no event for messages; they come again", "error", err)
		return
	}
	out, err := q.svc.invoke(ctx, p.Function, payload)
	failed, malformed := failures(p.Partial, batch, out, err)
	if malformed {
		log.ErrorContext(ctx, "answer is no list of batch item failures; all messages come again", "function", p.Function)
	}
	if err := q.settle(ctx, batch, failed); err != nil {
		log.ErrorContext(ctx, "messages not settled; they may come again", "error", err)
	}
}
