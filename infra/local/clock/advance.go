package clock

import (
	"context"
	"time"

	"tidings/internal/fault"
)

const (
	// patience is how long, in real time, an Advance takes at most, so that it answers within 25 s.
	patience = 24 * time.Second
	// horizon is how far ahead of real time the clock can be: a Duration ends at 292 years.
	horizon = 100 * 365 * 24 * time.Hour
)

// Advance moves the clock on by d, from one due time (a timer's or a sleeper's) to the next. At each it waits until
// nothing is in flight, so everything that is due up to now + d has run, in order, and so has all that came of it; it never jumps past
// work in flight. An advance by 0 only waits until all that is due has been done.
//
// It returns within 25 s of real time, and is then where it got: a busy of 0 says that it reached now + d, any other is
// the number of works in flight or due on the way that stopped it. Time goes on from there; nothing is left out. Only one Advance
// runs at a time: another waits for it within its own 25 s. The error is ctx's, or a fault when d is out of range.
func (c *Clock) Advance(ctx context.Context, d time.Duration) (busy int, err error) {
	if d < 0 {
		return c.Busy(), fault.Field(fault.Invalid, "advance", "The clock cannot go back.")
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-c.advancing:
		defer func() { c.advancing <- struct{}{} }()
	case <-limit.C:
		return max(1, c.Busy()), nil
	case <-ctx.Done():
		return c.Busy(), ctx.Err()
	}
	if d > horizon-c.Offset() {
		return c.Busy(), fault.Field(fault.Unprocessable, "advance", "The clock can be at most a hundred years ahead.")
	}
	target := c.Now().Add(d)
	for {
		wait, left := c.step(target)
		if left == 0 {
			return 0, nil
		}
		select {
		case <-wait:
		case <-limit.C:
			return c.ahead(target), nil
		case <-ctx.Done():
			return c.ahead(target), ctx.Err()
		}
	}
}

// step moves to the next due time when nothing is in flight. left is 0 when target is reached with nothing in flight;
// else wait is closed when nothing is in flight any more.
func (c *Clock) step(target time.Time) (wait <-chan struct{}, left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fire()
	if c.busy == 0 {
		next := target
		if len(c.queue) > 0 && c.queue[0].due.Before(target) {
			next = c.queue[0].due
		}
		if ahead := next.Sub(c.now()); ahead > 0 {
			c.offset += ahead
		}
		c.fire()
	}
	if c.busy > 0 {
		if c.idle == nil {
			c.idle = make(chan struct{})
		}
		return c.idle, c.busy
	}
	if c.now().Before(target) {
		return closed, 1
	}
	return nil, 0
}

// closed is for steps that have woken nothing that is still in flight.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// ahead counts what is in flight, or due up to target.
func (c *Clock) ahead(target time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.busy
	for _, w := range c.queue {
		if !w.due.After(target) {
			n++
		}
	}
	if n == 0 && c.now().Before(target) {
		n = 1
	}
	return n
}
