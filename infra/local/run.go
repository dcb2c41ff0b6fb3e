package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"tidings/infra/local/clock"
	"tidings/infra/local/gateway"
	"tidings/infra/local/inbox"
	"tidings/infra/local/queue"
	"tidings/infra/local/scheduler"
	"tidings/internal/app"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// build builds the functions, each from its environment in the template.
func (s *Stack) build(ctx context.Context) error {
	keys, err := s.data.once("keys.json", func() ([]byte, error) { return app.NewKeys(rand.Reader) })
	if err != nil {
		return err
	}
	if !s.data.get().Samples {
		if err := loadSamples(ctx, s.table, s.clock.Now); err != nil {
			return err
		}
		if err := s.data.change(func(st *state) { st.Samples = true }); err != nil {
			return err
		}
	}
	s.functions = newFunctions(s.clock, s.log)
	s.functions.observe = s.options.observe
	for _, name := range slices.Sorted(maps.Keys(s.template.Functions)) {
		f := s.template.Functions[name]
		b, ok := builds[name]
		if !ok {
			return fmt.Errorf("the template's function %s is not in internal/app", name)
		}
		fn, err := b(ctx, s.runtime(f, keys))
		if err != nil {
			return fmt.Errorf("build function %s: %w", name, err)
		}
		s.functions.all[name] = function{fn, f.Timeout}
	}
	return nil
}

// serve answers on the four addresses and lets queues and schedules run.
func (s *Stack) serve(ctx context.Context) error {
	routes := map[string]gateway.Function{}
	for _, r := range s.routeKeys() {
		if _, twice := routes[r.key]; twice {
			return fmt.Errorf("route %q stands in the template twice", r.key)
		}
		routes[r.key] = named{s.functions, r.function}
	}
	g, err := gateway.New(routes, s.clock.Now, s.newID, s.log)
	if err != nil {
		return err
	}
	s.oidc.serve(s.issuer.Handler(), s.log)
	s.ses.serve(s.mails, s.log)
	s.inbox.serve(s.inboxHandler(), s.log)
	s.site.serve(g, s.log)
	var sources []queue.Source
	var timed []scheduler.Spec
	for name, f := range s.template.Functions {
		for _, src := range f.Sources {
			sources = append(sources, queue.Source{
				Function: name, Queue: src.Queue, BatchSize: src.BatchSize, Window: src.Window, Concurrency: src.Concurrency, Partial: true,
			})
		}
		for _, t := range f.Schedules {
			timed = append(timed, scheduler.Spec{Name: t.Name, Expression: t.Expression, Zone: t.Zone, Function: name, DeadLetter: t.DeadLetter})
		}
	}
	if err := s.queues.Start(s.functions.Invoke, sources); err != nil {
		return err
	}
	return s.schedules.Start(ctx, s.functions.Invoke, timed)
}

// inboxHandler serves the inbox, its control API, the demo page and what the pages look like.
func (s *Stack) inboxHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo", demo(s.Site, s.Inbox, s.pages))
	mux.Handle("GET /static/", pages.Static(templates.FS))
	box := &inbox.Inbox{Responder: s.pages, Mails: s.mails, Clock: keptClock{s.clock, s}, Token: s.issuer.Token, Demo: s.Inbox + "/demo"}
	box.Register(mux)
	return inbox.Local(mux)
}

// How often expired items are removed, in real time, and the clock's offset is kept.
const (
	expireEvery = time.Minute
	keepEvery   = time.Second
)

// keep does what has to be done now and then, until the stack closes.
func (s *Stack) keep() {
	expire, keep := time.NewTicker(expireEvery), time.NewTicker(keepEvery)
	defer expire.Stop()
	defer keep.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-keep.C:
			if err := s.keepOffset(); err != nil {
				s.log.Error("clock's offset not kept", "error", err)
			}
		case <-expire.C:
			for _, t := range s.expiring {
				if _, err := t.Expire(context.Background(), s.clock.Now()); err != nil {
					s.log.Error("expired items not removed", "error", err)
				}
			}
		}
	}
}

// keepOffset keeps how far the clock is ahead, so that time goes on from there after a restart, however the stack ended.
func (s *Stack) keepOffset() error {
	offset := s.clock.Offset()
	if offset == s.data.get().Offset {
		return nil
	}
	return s.data.change(func(st *state) { st.Offset = offset })
}

// A keptClock keeps its offset before it says that it has moved on.
type keptClock struct {
	*clock.Clock
	stack *Stack
}

// Advance implements inbox.Clock.
func (c keptClock) Advance(ctx context.Context, d time.Duration) (busy int, err error) {
	busy, err = c.Clock.Advance(ctx, d)
	return busy, errors.Join(err, c.stack.keepOffset())
}

// How long Close waits: for requests, and for invocations until they are cancelled.
const (
	requestGrace    = 3 * time.Second
	invocationGrace = 15 * time.Second
)

// Close stops the stack: first what comes in, then what runs by itself, then whatever they stand on. Invocations are finished.
func (s *Stack) Close() error {
	var all []error
	do := func(grace time.Duration, f func(ctx context.Context) error) {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		all = append(all, f(ctx))
	}
	close(s.quit)
	do(requestGrace, s.site.close)
	do(requestGrace, s.inbox.close)
	if s.functions != nil {
		do(invocationGrace, s.stopWorkers)
	}
	if s.mails != nil {
		s.mails.Close()
	}
	do(requestGrace, s.ses.close)
	do(requestGrace, s.oidc.close)
	for _, c := range slices.Backward(s.closers) {
		do(requestGrace, c)
	}
	if s.data != nil {
		if s.clock != nil && !s.data.temporary {
			all = append(all, s.keepOffset())
		}
		all = append(all, s.data.close())
	}
	return errors.Join(all...)
}

// stopWorkers stops schedules, queues and the functions. Nothing of theirs begins any more; what runs has until ctx is over.
func (s *Stack) stopWorkers(ctx context.Context) error {
	err := errors.Join(s.schedules.Stop(ctx), s.queues.Stop(ctx))
	s.functions.stop(ctx)
	return err
}
