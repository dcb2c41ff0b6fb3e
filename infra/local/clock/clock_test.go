package clock

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/fault"
)

// The real time of these tests is a synctest bubble's: it moves only when everybody waits.

// bubble runs a test with a clock in a bubble.
func bubble(t *testing.T, test func(t *testing.T, c *Clock)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, New(time.Now, 0)) })
}

// advance demands that the clock reaches its target.
func advance(t *testing.T, c *Clock, d time.Duration) {
	t.Helper()
	target := c.Now().Add(d)
	if busy, err := c.Advance(t.Context(), d); busy != 0 || err != nil {
		t.Fatalf("advance by %v: busy %d, %v", d, busy, err)
	}
	if c.Now().Before(target) {
		t.Fatalf("advanced to %v, not to %v", c.Now(), target)
	}
}

func TestRealTime(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		start := time.Now()
		fired := make(chan time.Duration, 2)
		c.At(c.Now().Add(2*time.Second), func() { fired <- time.Since(start) })
		c.Run(c.Now().Add(3*time.Hour), func(context.Context) { fired <- time.Since(start) })
		if got := <-fired; got != 2*time.Second {
			t.Errorf("a timer of 2 s fired after %v", got)
		}
		if got := <-fired; got != 3*time.Hour {
			t.Errorf("a timer of 3 h fired after %v", got)
		}
		if err := c.Sleep(t.Context(), time.Minute); err != nil || time.Since(start) != 3*time.Hour+time.Minute {
			t.Errorf("sleep ended after %v: %v", time.Since(start), err)
		}
		if c.Offset() != 0 || c.Busy() != 0 {
			t.Errorf("offset %v, busy %d", c.Offset(), c.Busy())
		}
	})
}

func TestNowNeverGoesBack(t *testing.T) {
	t.Parallel()
	real := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	c := New(func() time.Time { return real }, time.Hour)
	if got := c.Now(); !got.Equal(real.Add(time.Hour)) {
		t.Errorf("now is %v", got)
	}
	before := c.Now()
	real = real.Add(-10 * time.Minute)
	if c.Now().Before(before) {
		t.Error("the clock went back with the machine's")
	}
	if busy, err := c.Advance(t.Context(), time.Hour); busy != 0 || err != nil || !c.Now().Equal(before.Add(time.Hour)) {
		t.Errorf("after a step back: %v, %d, %v", c.Now(), busy, err)
	}
}

func TestAdvanceGoesThroughEveryDueTime(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		start := c.Now()
		var mu sync.Mutex
		var got []string
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprint(what, " ", c.Now().Sub(start)))
		}
		c.At(start.Add(2*time.Hour), func() { note("second") })
		c.At(start.Add(time.Hour), func() {
			note("first")
			c.At(c.Now().Add(30*time.Minute), func() { note("child") })
		})
		c.Run(start.Add(time.Hour), func(ctx context.Context) {
			for range 2 {
				c.Sleep(ctx, 40*time.Minute)
				note("sleeper")
			}
		})
		c.At(start.Add(3*time.Hour+1), func() { note("too late") })
		stop := c.At(start.Add(2*time.Hour), func() { note("stopped") })
		stop()
		stop()
		real := time.Now()
		advance(t, c, 3*time.Hour)
		want := []string{"first 1h0m0s", "child 1h30m0s", "sleeper 1h40m0s", "second 2h0m0s", "sleeper 2h20m0s"}
		if !slices.Equal(got, want) {
			t.Errorf("ran %q, want %q", got, want)
		}
		if time.Since(real) != 0 {
			t.Errorf("it took %v of real time", time.Since(real))
		}
		if c.Offset() != 3*time.Hour {
			t.Errorf("offset is %v", c.Offset())
		}
	})
}

func TestAdvanceWaitsForWork(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		start := c.Now()
		var jumped atomic.Bool
		c.At(start.Add(time.Hour), func() { jumped.Store(true) })
		_, end := c.Begin(t.Context())
		go func() {
			time.Sleep(5 * time.Second) // real work
			if jumped.Load() {
				t.Error("the clock jumped past work in flight")
			}
			end()
			end()
		}()
		advance(t, c, time.Hour)
		if got := c.Now().Sub(start); got != time.Hour || !jumped.Load() {
			t.Errorf("advanced by %v in all, timer fired: %v", got, jumped.Load())
		}
		if c.Busy() != 0 {
			t.Errorf("busy is %d", c.Busy())
		}
	})
}

func TestAdvanceStopsWhereWorkDoesNotEnd(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		start := c.Now()
		release := make(chan struct{})
		c.At(start.Add(time.Minute), func() { <-release })
		c.At(start.Add(time.Hour), func() {})
		busy, err := c.Advance(t.Context(), 2*time.Hour)
		if busy != 2 || err != nil {
			t.Errorf("busy %d, %v; want the stuck and the one that waits", busy, err)
		}
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("it took %v of real time", took)
		}
		if got := c.Now().Sub(start); got > 2*time.Minute {
			t.Errorf("the clock went on by %v", got)
		}
		close(release)
		advance(t, c, 2*time.Hour)
	})
}

func TestOneAdvanceAtATime(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		start := c.Now()
		_, end := c.Begin(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if busy, err := c.Advance(context.Background(), time.Hour); busy != 0 || err != nil {
					t.Errorf("busy %d, %v", busy, err)
				}
			})
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if busy, err := c.Advance(ctx, time.Hour); busy == 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an advance that gives up waiting: busy %d, %v", busy, err)
		}
		end()
		wg.Wait()
		// Each went its hour from when its turn came.
		if got := c.Now().Sub(start); got < 3*time.Hour || got > 3*time.Hour+2*time.Second {
			t.Errorf("three advances came to %v", got)
		}
	})
}

func TestAdvanceBounds(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		if _, err := c.Advance(t.Context(), -1); !fault.Is(err, fault.Invalid) {
			t.Errorf("back: %v", err)
		}
		advance(t, c, horizon-time.Hour)
		if _, err := c.Advance(t.Context(), 2*time.Hour); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("beyond the horizon: %v", err)
		}
		if _, err := c.Advance(t.Context(), 1<<63-1); !fault.Is(err, fault.Unprocessable) {
			t.Errorf("far beyond the horizon: %v", err)
		}
		advance(t, c, time.Hour)
		advance(t, c, 0)
	})
}

func TestSleepIsNotWork(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		ctx, end := c.Begin(t.Context())
		inner, endInner := c.Begin(ctx) // a function called by the one that began
		if c.Busy() != 1 {
			t.Errorf("busy is %d with one work begun twice", c.Busy())
		}
		woke := make(chan int)
		go func() {
			defer endInner()
			if err := c.Sleep(inner, 10*time.Minute); err != nil {
				t.Error(err)
			}
			woke <- c.Busy()
		}()
		synctest.Wait()
		if c.Busy() != 0 {
			t.Errorf("busy is %d while its only work sleeps", c.Busy())
		}
		done := make(chan struct{})
		go func() { defer close(done); advance(t, c, time.Hour) }()
		if got := <-woke; got != 1 {
			t.Errorf("busy is %d when the sleeper woke", got)
		}
		synctest.Wait()
		select {
		case <-done:
			t.Error("the clock went past work that had woken")
		default:
		}
		end()
		<-done
		if c.Busy() != 0 {
			t.Errorf("busy is %d in the end", c.Busy())
		}
	})
}

func TestSleepIsCancelled(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		base, cancel := context.WithCancel(t.Context())
		ctx, end := c.Begin(base)
		time.AfterFunc(time.Second, cancel)
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled sleep: %v", err)
		}
		if c.Busy() != 1 || len(c.queue) != 0 {
			t.Errorf("busy %d, %d waiters after a cancelled sleep", c.Busy(), len(c.queue))
		}
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("sleep of a cancelled context: %v", err)
		}
		end()
		plain, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Sleep(plain, time.Hour); !errors.Is(err, context.DeadlineExceeded) || c.Busy() != 0 {
			t.Errorf("sleep without work: %v, busy %d", err, c.Busy())
		}
	})
}

func TestWorkThatEndsWhileItSleeps(t *testing.T) {
	bubble(t, func(t *testing.T, c *Clock) {
		ctx, end := c.Begin(t.Context())
		done := make(chan error)
		go func() { done <- c.Sleep(ctx, time.Minute) }()
		synctest.Wait()
		end() // a goroutine that the handler left behind
		if err := <-done; err != nil || c.Busy() != 0 {
			t.Errorf("sleep: %v, busy %d", err, c.Busy())
		}
		if err := c.Sleep(ctx, time.Minute); err != nil || c.Busy() != 0 {
			t.Errorf("sleep with a work that has ended: %v, busy %d", err, c.Busy())
		}
		detached, endDetached := c.Begin(t.Context())
		if _, endAgain := c.Begin(detached); c.Busy() != 1 {
			t.Errorf("busy is %d", c.Busy())
		} else {
			endAgain()
		}
		endDetached()
		if c.Busy() != 0 {
			t.Errorf("busy is %d in the end", c.Busy())
		}
	})
}

// TestNoGap sends "messages" whose consumers' timers are set under the sender's Begin: whoever looks at Busy from outside never sees a
// moment of rest before all is done.
func TestNoGap(t *testing.T) {
	t.Parallel()
	c := New(time.Now, 0)
	var handled atomic.Int32
	var send func(ctx context.Context, hops int)
	send = func(ctx context.Context, hops int) {
		_, end := c.Begin(ctx)
		defer end()
		c.Run(c.Now(), func(ctx context.Context) {
			handled.Add(1)
			if hops > 0 {
				send(ctx, hops-1)
			}
		})
	}
	for round := range int32(3) {
		send(t.Context(), 999)
		if round == 0 {
			advance(t, c, 0)
		}
		for c.Busy() > 0 {
			runtime.Gosched()
		}
		if got := handled.Load(); got != 1000*(round+1) {
			t.Errorf("%d of %d hops were made when the clock was at rest", got, 1000*(round+1))
		}
	}
}
