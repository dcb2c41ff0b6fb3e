package rig

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A pool is a function's sandboxes. As Lambda does, it starts one when it is needed, uses it again, and replaces it when it dies.
type pool struct {
	rig      *Rig
	function string
	timeout  time.Duration
	idle     chan *Process // nil: not started yet, or dead
}

func (r *Rig) newPool(function string, sandboxes int) *pool {
	p := &pool{rig: r, function: function, timeout: r.Template.Functions[function].Timeout, idle: make(chan *Process, sandboxes)}
	for range sandboxes {
		p.idle <- nil
	}
	return p
}

// invoke waits for a sandbox and has it work on an event.
func (p *pool) invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	var box *Process
	select {
	case box = <-p.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.idle <- box }()
	if box != nil {
		select {
		case <-box.exited:
			box = nil
		default:
		}
	}
	if box == nil {
		if box, err = p.rig.start(p.function); err != nil {
			return nil, err
		}
	}
	p.rig.counts.add(p.function + " invocations")
	if tap := p.rig.Began; tap != nil {
		tap(box, payload)
	}
	return box.invoke(ctx, payload, p.timeout)
}

// stop ends all sandboxes, once their invocations have ended.
func (p *pool) stop() {
	for range cap(p.idle) {
		if box := <-p.idle; box != nil {
			box.Kill()
		}
	}
}

// Invoke invokes a function by its name.
func (r *Rig) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	p, ok := r.pools[function]
	if !ok {
		return nil, fmt.Errorf("there is no function %s in this rig", function)
	}
	return p.invoke(ctx, payload)
}

// counts are how often things happened, by what they were.
type counts struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counts) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[what]++
}

// Count returns how often something happened: "deliver invocations", or "deliver dynamodb UpdateItem" for a call.
func (r *Rig) Count(what string) int {
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	return r.counts.n[what]
}

func (r *Rig) count(function string, c Call) { r.counts.add(function + " " + c.Service + " " + c.Op) }

// Use is what a function's processes used until they ended.
type Use struct {
	CPU       time.Duration // user and system time of all of them
	Peak      int64         // bytes of resident memory, the largest of those that were killed
	Processes int
}

func (r *Rig) used(function string, cpu time.Duration, peak int64) {
	r.useLock.Lock()
	defer r.useLock.Unlock()
	u := r.use[function]
	r.use[function] = Use{u.CPU + cpu, max(u.Peak, peak), u.Processes + 1}
}

// Use returns what a function's processes that have ended used; after Close, all of them have.
func (r *Rig) Use(function string) Use {
	r.useLock.Lock()
	defer r.useLock.Unlock()
	return r.use[function]
}
