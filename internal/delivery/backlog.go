package delivery

import (
	"context"
	"fmt"
	"time"
)

// A Depth is what a queue holds.
type Depth struct {
	Messages   int           // received ones that are not done included
	Visibility time.Duration // after which a message that was received and not done comes again
}

// A Measured is a queue that tells its depth.
type Measured interface {
	Depth(ctx context.Context) (Depth, error)
}

// Lateness keeps when feedback last met an event that should have been recorded before.
type Lateness interface {
	// Late notes that it was at a time.
	Late(ctx context.Context, at time.Time) error
	// LastLate returns the latest of those times, zero when there is none.
	LastLate(ctx context.Context) (time.Time, error)
}

// lateAfter is the age from which on an event in the queue is late. Feedback's window is 20 s.
const lateAfter = time.Minute

// calmTurns is how many times an event that its handlers failed on must have come again before the absence of lateness means
// something: a note of it may fail, as the handling did, each time that it comes. After as many as the queue's maxReceiveCount it
// is handled, noted, or a dead letter.
const calmTurns = 20

// QueueBacklog is the Backlog in use. SQS tells how many messages a queue holds, but only CloudWatch how old the oldest is, a minute
// or more later. So there are two ways to know that nothing old waits: the queue is empty, being handled included; or, while
// mail goes out and it never is, feedback has met no late event for as long as one that is received and never done takes to become
// a dead letter: hours, so that it is mostly the end of the sending that resolves what is open. In both the dead-letter queue is
// empty.
type QueueBacklog struct {
	Events, Dead Measured
	Lateness     Lateness
	Now          func() time.Time
}

// Clear implements Backlog.
func (q *QueueBacklog) Clear(ctx context.Context, since time.Time) (bool, error) {
	dead, err := q.Dead.Depth(ctx)
	if err != nil {
		return false, fmt.Errorf("dead events: %w", err)
	}
	events, err := q.Events.Depth(ctx)
	if err != nil {
		return false, fmt.Errorf("events: %w", err)
	}
	if dead.Messages > 0 || events.Messages == 0 {
		return dead.Messages == 0, nil
	}
	late, err := q.Lateness.LastLate(ctx)
	if err != nil {
		return false, err
	}
	calm := q.Now().Add(-calmTurns*events.Visibility - lateAfter)
	return since.Before(calm) && late.Before(calm), nil
}

// Arrived notes how old the oldest event of a window is that feedback is about to handle, and whether one has come before. It precedes
// Handle: an event that makes its handlers die is late each time that it comes.
func (f *Feedback) Arrived(ctx context.Context, oldest time.Duration, again bool, now time.Time) error {
	if !again && oldest <= lateAfter {
		return nil
	}
	return f.Lateness.Late(ctx, now)
}
