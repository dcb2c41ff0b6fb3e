package sim

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"tidings/internal/article"
	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/token"
	"tidings/templates"
)

// functions are what a process may run, wired as internal/app wires them.
type functions struct {
	dispatcher  *delivery.Dispatcher
	worker      *delivery.Worker
	feedback    *delivery.Feedback
	singles     *delivery.Singles
	signUps     *audience.SignUps
	links       *audience.Links
	preferences *audience.Preferences
	service     *digest.Service
	counter     *delivery.Counter
}

// shared is what all seeds have in common: parsed templates and keys.
var shared = sync.OnceValue(func() (s struct {
	builder *mail.Builder
	consent audience.Consent
	tokens  *token.Keyring
}) {
	var err error
	if s.builder, err = mail.New(templates.FS, site); err != nil {
		panic(err)
	}
	if s.consent, err = audience.LoadConsent(templates.FS); err != nil {
		panic(err)
	}
	if s.tokens, err = token.NewKeyring(token.Key{ID: 1, Secret: bytes.Repeat([]byte("k"), 32)}); err != nil {
		panic(err)
	}
	return s
})

var (
	site     = mail.Site{Name: "Example Clinic", BaseURL: "https://news.example.org", PostalAddress: "1 Main Street"}
	identity = audience.Identity{IDKey: []byte("id key"), IPKey: []byte("ip key")}
)

const (
	budget     = 75 * time.Second
	indexLagOf = time.Minute // that dispatch reckons with
)

// process makes a sandbox of a function.
func (w *world) process(fn string) *process {
	w.processes++
	p := &process{world: w, fn: fn, name: fmt.Sprintf("%s-%d", fn, w.processes)}
	if w.adversary.rates[clockSkew] > 0 {
		p.skew = w.between(-2500*time.Millisecond, 2500*time.Millisecond)
		w.adversary.count(clockSkew)
	}
	p.functions = p.wire()
	if m := w.mutation.wire; m != nil {
		m(p)
	}
	return p
}

func (p *process) wire() *functions {
	var (
		tab        = tableOf{p}
		log        = p.log().With("in", p.name)
		ses        = &sesOf{p: p}
		scheduler  = schedulerOf{p}
		people     = store.Subscribers{Table: tab, Now: p.Now, NewID: p.newID}
		digests    = store.Digests{Table: tab, Now: p.Now, NewID: p.newID}
		ledger     = store.Ledger{Table: tab, Now: p.Now, NewID: p.newID}
		deliveries = store.Deliveries{Digests: digests, Ledger: ledger}
		evidence   = watchedEvidence{store.Witness{Table: tab, Now: p.Now}, p}
		f          = &functions{}
	)
	f.counter = &delivery.Counter{Tallies: store.Tallies{Table: tab, Now: p.Now}, Shards: ledger, Now: p.Now}
	course := delivery.Course{
		Digests: deliveries, Shards: watchedShards{ledger, p}, Queue: queueOf{p, p.shards}, Progress: f.counter, Now: p.Now,
	}
	f.dispatcher = &delivery.Dispatcher{
		Course: course, Opener: deliveries, People: people, Account: ses, Scheduler: scheduler, Log: log, IndexLag: indexLagOf,
	}
	f.worker = &delivery.Worker{
		Course: course, Batches: watchedBatches{ledger, p}, Claims: ledger, People: people,
		Personal: delivery.Copies{Site: site, Links: delivery.Linker{Tokens: shared().tokens, BaseURL: site.BaseURL, Now: p.Now}.Links},
		Sender:   ses, Each: ses, Rates: watchedRates{store.Rates{Table: tab, Now: p.Now}, p},
		Witness: watchedWitness{&delivery.EventWitness{
			Evidence: evidence, Sender: ses, Log: log, Now: p.Now,
			Backlog: &delivery.QueueBacklog{Events: depthOf{p, p.events.depth}, Dead: depthOf{p, p.events.depthOfDead}, Lateness: evidence, Now: p.Now},
		}, p},
		Log: log, Sleep: p.sleep, NewID: p.newID, Budget: budget,
	}
	f.feedback = &delivery.Feedback{Batches: ledger, People: people, Evidence: evidence, Lateness: evidence, Progress: f.counter, Log: log}
	f.singles = &delivery.Singles{
		Standings: people, Tests: digests, Post: ses, Builder: shared().builder, Site: site, Tokens: shared().tokens, PerDay: 3,
		Log: log, Now: p.Now, Sleep: p.sleep, Budget: budget,
	}
	f.signUps = &audience.SignUps{
		Requests: people, Queue: queueOf{p, p.mails}, Identity: identity, Consent: shared().consent, PerHour: 1000, Now: p.Now,
	}
	f.links = &audience.Links{Tokens: shared().tokens, Memberships: people, Queue: queueOf{p, p.mails}, Identity: identity, Now: p.Now}
	f.preferences = &audience.Preferences{Tokens: shared().tokens, Profiles: people, Records: people, Now: p.Now}
	f.service = &digest.Service{
		Digests: digests, Contents: digests, Tests: digests, Articles: shelf{}, Composer: printer{}, Scheduler: scheduler,
		Course: delivery.Desk{Turns: deliveries, Progress: f.counter}, Queue: queueOf{p, p.mails}, Log: log, Now: p.Now, NewID: p.newID,
		Zone: "UTC",
	}
	return f
}

func leaveToken(id string, now time.Time) string {
	t, err := shared().tokens.Sign(token.Claims{Purpose: token.Unsubscribe, Subscriber: id, Issued: now})
	if err != nil {
		panic(err)
	}
	return t
}

// sleep is a port too.
func (p *process) sleep(_ context.Context, d time.Duration) error {
	return p.call("sleep", d, d, func(fault) error { return nil })
}

// dispatch is the dispatch function.
func (p *process) dispatch(payload []byte) error {
	m, err := delivery.ParseMessage(payload)
	if err != nil {
		return err
	}
	return p.dispatcher.Handle(context.Background(), m)
}

// deliver is the deliver function on a digest's shards.
func deliver(ctx context.Context, p *process, list []*letter) ([]string, error) {
	m, err := delivery.ParseMessage(list[0].body)
	if err != nil {
		return nil, err
	}
	return nil, p.worker.Run(ctx, delivery.ShardRef{Digest: m.Digest, Shard: m.Shard})
}

// post is the deliver function on single mails.
func post(ctx context.Context, p *process, list []*letter) ([]string, error) {
	var mails []delivery.Received
	for _, l := range list {
		mails = append(mails, delivery.Received{ID: l.id, Body: l.body, Receives: l.receives})
	}
	return p.singles.Handle(ctx, mails), nil
}

// feedback is the feedback function.
func feedback(ctx context.Context, p *process, list []*letter) ([]string, error) {
	now, bodies := p.Now(), map[string][]byte{}
	oldest, again, deadly := time.Duration(0), false, false
	for _, l := range list {
		if l.proof != nil && l.proof.kills > 0 {
			l.proof.kills--
			deadly = true
		}
		oldest, again = max(oldest, now.Sub(l.sent)), again || l.receives > 1
		bodies[l.id] = l.body
		if m := p.mutation.event; m != nil {
			bodies[l.id] = m(l.body)
		}
	}
	if err := p.feedback.Arrived(ctx, oldest, again, now); err != nil {
		return nil, err
	}
	if deadly {
		p.crash("of an event")
	}
	failed := p.feedback.Handle(ctx, bodies)
	if p.mutation.ack {
		failed = nil
	}
	return failed, nil
}

// A shelf has one article.
type shelf struct{}

// Get implements digest.Articles.
func (shelf) Get(_ context.Context, slug string) (article.Article, error) {
	return article.Article{Slug: slug, Title: "Sleep", Topics: []string{topic}, Status: article.StatusPublished}, nil
}

// A printer composes short digests.
type printer struct{}

// Compose implements digest.Composer.
func (printer) Compose(d digest.Digest, _ []article.Article) (digest.Content, error) {
	return digest.Content{Subject: d.Line(), HTML: "<p>" + d.Intro + " {{unsubscribe_url}}</p>", Text: d.Intro + " {{unsubscribe_url}}"}, nil
}

// Sample implements digest.Composer.
func (printer) Sample(c digest.Content) (digest.Content, error) { return c, nil }

// confirmLink finds the token in a confirmation mail, "" in another.
func confirmLink(m delivery.Single) string {
	_, link, ok := strings.Cut(m.Text, site.BaseURL+"/confirm/")
	if !ok || len(link) < token.Len {
		return ""
	}
	return link[:token.Len]
}
