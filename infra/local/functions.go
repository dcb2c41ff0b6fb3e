package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"tidings/infra/local/clock"
	"tidings/internal/app"
)

// functions is Lambda: it invokes the eight by name, any number of invocations at once in this process.
type functions struct {
	clock *clock.Clock
	log   *slog.Logger
	all   map[string]function
	// observe, if set, is shown each invocation: tests search what messages hold.
	observe func(function string, payload []byte)

	life context.Context // of all invocations
	kill context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

type function struct {
	app.Function
	timeout time.Duration
}

func newFunctions(clk *clock.Clock, log *slog.Logger) *functions {
	f := &functions{clock: clk, log: log, all: map[string]function{}}
	f.life, f.kill = context.WithCancel(context.Background())
	return f
}

var errStopping = errors.New("the stack is stopping")

// Invoke runs one invocation, which is work in flight on the stack's clock and ends at the function's timeout, in real time.
func (f *functions) Invoke(ctx context.Context, name string, payload []byte) (_ []byte, err error) {
	fn, ok := f.all[name]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", name)
	}
	if !f.begin() {
		return nil, errStopping
	}
	defer f.running.Done()
	if f.observe != nil {
		f.observe(name, payload)
	}
	ctx, end := f.clock.Begin(ctx)
	defer end()
	ctx, cancel := context.WithTimeout(ctx, fn.timeout)
	defer cancel()
	defer context.AfterFunc(f.life, cancel)()
	defer func() {
		if p := recover(); p != nil { // Lambda would lose the sandbox and report the same
			f.log.Error("function panicked", "function", name, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = fmt.Errorf("function %s panicked", name)
		}
	}()
	answer, err := fn.Invoke(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", name, err)
	}
	return answer, nil
}

func (f *functions) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return false
	}
	f.running.Add(1)
	return true
}

// stop begins no more invocations and waits for those that run. When ctx is over it cancels them, as a timeout would, and waits on.
func (f *functions) stop(ctx context.Context) {
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	defer context.AfterFunc(ctx, f.kill)()
	f.running.Wait()
	f.kill()
}

// A named function is one of them as the gateway knows it.
type named struct {
	*functions
	name string
}

// Invoke implements gateway.Function.
func (n named) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return n.functions.Invoke(ctx, n.name, payload)
}
