package clock

import (
	"context"
	"sync"
	"time"
)

// A work is one thing in flight, for example an invocation with everything that it calls and waits for.
type work struct {
	clock *Clock
	depth int  // Begins that have not ended; under the clock's lock, as is away
	away  bool // it sleeps, and is not counted
}

type workKey struct{}

func (w *work) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, workKey{}, w)
}

// Begin marks work in flight until end, which may be called more than once. Within the context of another Begin that has not
// ended it is the same work, which a function that is called does for the one that called it; so a Sleep deep down takes all
// of it out of the count. Whoever goes on beside its caller, in a goroutine that the caller does not wait for, begins on a context
// of its own.
func (c *Clock) Begin(ctx context.Context) (_ context.Context, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := ctx.Value(workKey{}).(*work)
	if ok && w.clock == c && w.depth > 0 {
		w.depth++
		w.back() // whoever begins is awake
	} else {
		w = &work{clock: c, depth: 1}
		c.busy++
		ctx = w.in(ctx)
	}
	return ctx, sync.OnceFunc(w.end)
}

// Busy returns how much work is in flight. Whatever is due counts.
func (c *Clock) Busy() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fire()
	return c.busy
}

// Sleep waits until the clock has moved on by d, and returns nil, or until ctx is done, and returns its error. Work of ctx (Begin)
// is not in flight meanwhile, and is again before the clock can move further. It is one thread: where goroutines of
// the same work run side by side, the first that sleeps takes all of it out of the count.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	w, woken := c.asleep(ctx, d)
	select {
	case <-woken:
		if w.work == nil {
			c.done() // what fire had counted until here
		}
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.remove(w): // woken at the same time
		if w.work == nil {
			c.drop()
		}
	case w.work != nil:
		w.work.back()
	}
	return ctx.Err()
}

// asleep queues a sleeper and takes its work out of the count.
func (c *Clock) asleep(ctx context.Context, d time.Duration) (*waiter, <-chan struct{}) {
	woken := make(chan struct{})
	w := &waiter{wake: func() { close(woken) }}
	c.mu.Lock()
	defer c.mu.Unlock()
	if own, ok := ctx.Value(workKey{}).(*work); ok && own.clock == c && own.depth > 0 {
		w.work = own
	}
	w.due = c.now().Add(d)
	c.push(w)
	c.fire()
	if w.work != nil && w.index >= 0 {
		w.work.leave()
	}
	return w, woken
}

// leave takes sleeping work out of the count. It needs the clock's lock, as does back.
func (w *work) leave() {
	if !w.away {
		w.away = true
		w.clock.drop()
	}
}

// back puts work into the count again.
func (w *work) back() {
	if w.away && w.depth > 0 {
		w.clock.busy++
	}
	w.away = false
}

// end is the end of one Begin.
func (w *work) end() {
	w.clock.mu.Lock()
	defer w.clock.mu.Unlock()
	if w.depth--; w.depth == 0 && !w.away {
		w.clock.drop()
	}
}

// done takes one off the count, drop does so under the lock.
func (c *Clock) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
}

func (c *Clock) drop() {
	if c.busy--; c.busy == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}
