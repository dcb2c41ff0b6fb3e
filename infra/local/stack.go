package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tidings/infra/local/clock"
	"tidings/infra/local/events"
	"tidings/infra/local/issuer"
	"tidings/infra/local/queue"
	"tidings/infra/local/scheduler"
	"tidings/infra/local/sesapi"
	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/table"
	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// Options say where the stack is and what it keeps. Addresses may have port 0.
type Options struct {
	HTTP, Inbox, SES, OIDC string            // addresses on loopback
	Data                   string            // folder; empty: a temporary one
	DynamoDB               string            // URL; empty: a file in Data
	AWS, Origin, IssuerAt  string            // for functions that run elsewhere, see elsewhere.go; empty: none do
	Parameters             map[string]string // of the template, beside those that the stack gives itself
	Log                    *slog.Logger

	observe func(function string, payload []byte) // see functions
}

// A Stack is the running local stack.
type Stack struct {
	Site, Inbox, SES string // origins
	AWS              string // origin; empty: closed
	Issuer           string // URL

	options  Options
	log      *slog.Logger
	data     *dataDir
	template *template.Template
	clock    *clock.Clock
	newID    func() string
	pages    *web.Responder

	table     table.Table
	expiring  []*bolt.Store
	queues    *queue.Service
	schedules *scheduler.Service
	bus       *events.Bus
	mails     *sesapi.Server
	functions *functions
	issuer    *issuer.Issuer

	site, inbox, ses, oidc *server
	closers                []func(context.Context) error // run in reverse
	quit                   chan struct{}
}

// Start starts the stack. It answers on all four addresses when it returns.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	s := &Stack{options: o, log: o.Log, quit: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, step := range []func(context.Context) error{
		s.listen, s.openData, s.openTemplate, s.openStores, s.build, s.serve, s.openDoors,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	go s.keep()
	return s, nil
}

// listen takes the four addresses first: a port that is taken is the likeliest thing to go wrong.
func (s *Stack) listen(context.Context) error {
	for _, a := range []struct {
		flag, addr string
		server     **server
	}{{"http", s.options.HTTP, &s.site}, {"inbox", s.options.Inbox, &s.inbox}, {"ses", s.options.SES, &s.ses}, {"oidc", s.options.OIDC, &s.oidc}} {
		l, err := listen(a.flag, a.addr)
		if err != nil {
			return err
		}
		*a.server = &server{listener: l}
	}
	s.Site, s.Inbox, s.SES = cmp.Or(s.options.Origin, s.site.url()), s.inbox.url(), s.ses.url()
	return nil
}

// openData opens the folder, the clock that goes on from where it was, and the pages.
func (s *Stack) openData(context.Context) (err error) {
	if s.data, err = openData(s.options.Data, rand.Text); err != nil {
		return err
	}
	s.clock = clock.New(time.Now, s.data.get().Offset)
	s.newID = app.IDs(s.clock.Now)
	p, err := pages.New(templates.FS, pages.Site{Name: siteName, BaseURL: s.Site, PostalAddress: postalAddress})
	if err != nil {
		return err
	}
	s.pages = &web.Responder{Pages: p.Local(), Log: s.log}
	key, err := issuer.Key(s.data.file("issuer.pem"))
	if err != nil {
		return err
	}
	if s.issuer, err = issuer.New(cmp.Or(s.options.IssuerAt, s.oidc.listener.Addr().String()), key, s.clock.Now, s.pages); err != nil {
		return err
	}
	s.Issuer = s.issuer.URL()
	return nil
}

func (s *Stack) openTemplate(context.Context) error {
	path, err := template.Find(".")
	if err != nil {
		return err
	}
	s.template, err = template.Read(path, s.parameters(s.options.Parameters))
	return err
}

// openStores opens the table, the queues, the schedules and the bus.
func (s *Stack) openStores(ctx context.Context) error {
	if err := s.openTable(ctx, s.options.DynamoDB); err != nil {
		return err
	}
	own, err := s.openBolt("stack.db")
	if err != nil {
		return err
	}
	s.expiring = append(s.expiring, own)
	var specs []queue.Spec
	for _, q := range s.template.Queues {
		specs = append(specs, queue.Spec{
			Name: q.Name, URL: q.URL, ARN: q.ARN, Visibility: q.Visibility, Retention: q.Retention,
			MaxReceives: q.MaxReceives, DeadLetter: q.DeadLetter,
		})
	}
	s.queues, err = queue.Open(ctx, queue.Config{Clock: s.clock, Table: own, Log: s.log, NewID: s.newID, Queues: specs})
	if err != nil {
		return err
	}
	s.schedules, err = scheduler.Open(ctx, scheduler.Config{
		Clock: s.clock, Table: own, Log: s.log, NewID: s.newID,
		DeadLetters: func(ref string) scheduler.Queue { return s.queues.Queue(ref) },
	})
	if err != nil {
		return err
	}
	return s.openSES(ctx)
}

// openSES opens SES and the bus that its events go to. A folder that is kept keeps its mails too.
func (s *Stack) openSES(ctx context.Context) error {
	r := s.template.Rule
	rule := events.Rule{Name: "EventsRule", Paths: r.Paths, Template: r.Transform, Target: r.Target}
	if err := json.Unmarshal(r.Pattern, &rule.Pattern); err != nil {
		return fmt.Errorf("pattern of the rule for SES's events: %w", err)
	}
	var err error
	s.bus, err = events.New(s.clock, []events.Rule{rule}, func(ref string) events.Queue { return s.queues.Queue(ref) })
	if err != nil {
		return err
	}
	s.mails = sesapi.New(sesapi.Config{
		Now: s.clock.Now, Sleep: s.clock.Sleep, Begin: s.clock.Begin, NewID: s.newID, Log: s.log, Publish: s.bus.Publish,
		ConfigurationSets: map[string][]string{s.template.ConfigurationSet: s.template.Published},
	})
	if s.data.temporary {
		return nil
	}
	if err := s.mails.Keep(ctx, s.data.file("mails.jsonl")); err != nil {
		return fmt.Errorf("-data %s: %w", s.data.path, err)
	}
	s.closers = append(s.closers, func(context.Context) error { return s.mails.StopKeeping() })
	return nil
}
