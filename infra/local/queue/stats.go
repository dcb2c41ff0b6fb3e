package queue

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/delivery"
)

// A Stats is what a queue holds.
type Stats struct {
	Name     string
	Visible  int           // to be received now
	InFlight int           // received, neither deleted nor visible again
	Delayed  int           // sent with a delay that is not over
	Oldest   time.Duration // the age of the oldest message; 0 when there is none
}

// A Letter is a message of a queue, for people who look into a dead-letter queue.
type Letter struct {
	ID       string
	Body     []byte
	Sent     time.Time
	Receives int    // how often it had been received
	From     string // the queue that gave it up; empty where it was sent
}

// Stats returns what each queue holds, in the order of the specs.
func (s *Service) Stats() []Stats {
	out := make([]Stats, len(s.queues))
	for i, q := range s.queues {
		out[i] = q.Stats()
	}
	return out
}

// Stats returns what the queue holds; of a queue that does not exist, nothing.
func (q *Queue) Stats() Stats {
	if q.svc == nil {
		return Stats{Name: q.Name}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.svc.Clock.Now()
	q.tidy(now)
	st := Stats{Name: q.Name, Visible: q.shelf.ready.Len(), InFlight: q.shelf.flying, Delayed: len(q.shelf.hidden) - q.shelf.flying}
	if e := q.shelf.all.Front(); e != nil {
		st.Oldest = now.Sub(e.Value.(*message).sent)
	}
	return st
}

// Depth implements delivery.Measured, as package sqs does.
func (q *Queue) Depth(context.Context) (delivery.Depth, error) {
	if q.svc == nil {
		return delivery.Depth{}, fmt.Errorf("queue %s does not exist", q.Name)
	}
	st := q.Stats()
	return delivery.Depth{Messages: st.Visible + st.InFlight + st.Delayed, Visibility: q.Visibility}, nil
}

// Letters returns the oldest messages of the queue, at most limit, without receiving them.
func (q *Queue) Letters(limit int) []Letter {
	out := []Letter{}
	if q.svc == nil {
		return out
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tidy(q.svc.Clock.Now())
	for e := q.shelf.all.Front(); e != nil && len(out) < limit; e = e.Next() {
		m := e.Value.(*message)
		out = append(out, Letter{ID: m.id, Body: m.body, Sent: m.sent, Receives: m.receives, From: m.from})
	}
	return out
}
