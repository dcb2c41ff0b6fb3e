package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/store"
	"tidings/internal/table"
	"tidings/internal/token"
)

const topic = "sleep" // of the digest

// A person has an address, and a mind.
type person struct {
	id, email string
	box       mailbox
	topics    []string
	lives     []life    // each state that the table has had them in
	left      time.Time // leaving was answered with 200, or a complaint recorded; zero: not, or joined again since
}

// A life is a state from a time on.
type life struct {
	from      time.Time
	status    audience.Status
	confirmed time.Time
}

// people are everyone who is on the list, or may come onto it.
type people struct {
	*world
	all     []*person
	byID    map[string]*person
	byEmail map[string]*person
	initial int
}

// newPeople draws a crowd. IDs are keyed hashes, so who stands in the index's first partition can be found: a seed may crowd
// people in it, because dispatch judges the audience's size by it, and so cuts a few people into several shards.
func newPeople(w *world) *people {
	p := &people{world: w, byID: map[string]*person{}, byEmail: map[string]*person{}}
	p.initial = []int{0, 1, 12, 30, 51, 70, 105, 120, 150}[w.rng.IntN(9)]
	crowded := 0
	if p.initial >= 30 && w.chance(0.4) {
		crowded = 10 + w.rng.IntN(6)
	}
	odd := 0.0
	if w.chance(0.4) {
		odd = 0.15 * w.rng.Float64()
	}
	for i := 0; len(p.all) < p.initial+12; i++ {
		email := fmt.Sprintf("p%d@example.org", i)
		address, err := audience.ParseAddress(email)
		if err != nil {
			panic(err)
		}
		id := identity.ID(address)
		if len(p.all) < crowded && audience.Partition(id) != 0 {
			continue
		}
		one := &person{id: id, email: email, box: normal}
		if w.chance(odd) {
			one.box = []mailbox{hard, soft, complains, dropped, poison}[w.rng.IntN(5)]
		}
		if odd > 0.14 && i == 3 {
			one.box = unrendered
		}
		if w.chance(0.1) {
			one.topics = []string{"mood"}
		}
		p.all = append(p.all, one)
		p.byID[id], p.byEmail[email] = one, one
	}
	// the last ones are not on the list at first
	return p
}

func (p *people) box(email string) mailbox {
	if one := p.byEmail[email]; one != nil {
		return one.box
	}
	return normal // the witness's simulator
}

// gather has the initial people on the list, before anything can go wrong.
func (p *people) gather() {
	ctx := context.Background()
	past := p.epoch.Add(-24 * time.Hour)
	s := store.Subscribers{Table: p.db, Now: func() time.Time { return past }, NewID: p.newID}
	for _, one := range p.all[:p.initial] {
		past := past
		if p.adversary.wants(indexLag, "") { // joined just now
			past = p.epoch
			p.index[one.id] = lag{false, p.epoch.Add(p.between(time.Second, 290*time.Second))}
		}
		r := audience.Request{ID: one.id, Email: one.email, Event: audience.Event{Kind: audience.EventRequested, At: past, IPHash: "x", Topics: one.topics}}
		if err := s.Add(ctx, r, 1e6); err != nil {
			panic(err)
		}
		if err := s.Confirm(ctx, one.id, past, audience.Event{Kind: audience.EventConfirmed, At: past}); err != nil {
			panic(err)
		}
		p.changed(ctx, one.id)
	}
}

// changed notes the state that the table has somebody in.
func (p *people) changed(ctx context.Context, id string) {
	one := p.byID[id]
	item, err := p.db.Get(ctx, table.Key{PK: "S#" + id, SK: "A"})
	if err != nil || one == nil {
		return
	}
	l := life{from: p.now()}
	status, _ := item["status"].(string)
	confirmed, _ := item["confirmed"].(int64)
	l.status, l.confirmed = audience.Status(status), time.UnixMilli(confirmed)
	one.lives = append(one.lives, l)
	switch l.status {
	case audience.Confirmed:
		one.left = time.Time{}
	case audience.Complained:
		one.left = p.now()
	}
	p.note("subscriber %s is %s", id[:6], l.status)
}

// deeds are what people do; more can be added here.
var deeds = []struct {
	name string
	do   func(ctx context.Context, p *process, one *person) error
}{
	{"leave", leave},
	{"leave", leave},
	{"erase", erase},
	{"sign up", signUp},
	{"come back", func(ctx context.Context, p *process, one *person) error {
		if err := leave(ctx, p, one); err != nil {
			return err
		}
		return signUp(ctx, p, one)
	}},
}

var home = audience.Visit{IP: netip.MustParseAddr("192.0.2.1")}

func leave(ctx context.Context, p *process, one *person) error {
	err := p.links.Unsubscribe(ctx, leaveToken(one.id, p.Now()), audience.HowOneClick, home)
	return p.gone(one, err)
}

// erase is done by the link of a fresh mail.
func erase(ctx context.Context, p *process, one *person) error {
	text, err := shared().tokens.Sign(token.Claims{Purpose: token.Manage, Subscriber: one.id, Issued: p.Now()})
	if err != nil {
		return err
	}
	return p.gone(one, p.preferences.Erase(ctx, text))
}

// gone notes that leaving was answered.
func (p *process) gone(one *person, err error) error {
	if err != nil {
		return err
	}
	// Who signed up and confirmed while the answer was on its way is on the list again.
	if last := one.lives; len(last) == 0 || last[len(last)-1].status != audience.Confirmed {
		one.left = p.now()
		p.note("subscriber %s has left, with 200", one.id[:6])
	}
	return nil
}

func signUp(ctx context.Context, p *process, one *person) error {
	return p.signUps.Add(ctx, audience.Form{Email: one.email, Topics: one.topics, Visit: home})
}

// act lets a person do something in a process of its own, again when it fails.
func (p *people) act(one *person, name string, do func(ctx context.Context, p *process, one *person) error, tries int) {
	proc := p.process("website")
	proc.note("%s: subscriber %s wants to %s", proc.name, one.id[:6], name)
	proc.start(func() error { return do(context.Background(), proc, one) }, func(crashed bool, err error) {
		if (crashed || err != nil) && tries > 1 {
			p.after(p.between(time.Second, time.Minute), func() { p.act(one, name, do, tries-1) })
		}
	})
}

// mailed is what people do when a mail comes that is no digest: most confirm.
func (p *people) mailed(m delivery.Single) {
	one, link := p.byEmail[m.To], confirmLink(m)
	if one == nil || link == "" || p.chance(0.2) {
		return
	}
	p.after(p.between(5*time.Second, 3*time.Minute), func() {
		p.act(one, "confirm", func(ctx context.Context, proc *process, _ *person) error {
			_ = proc.links.Confirm(ctx, link, home) // a link that came too late says so
			return nil
		}, 1)
	})
}

// plan draws what people do, most of it about the time at which a digest goes out.
func (p *people) plan() {
	busy := rand.New(rand.NewPCG(p.seed, 2)).IntN(3)
	n := p.rng.IntN(1 + busy*(3+len(p.all)/4))
	for range n {
		one := p.all[p.rng.IntN(len(p.all))]
		deed := deeds[p.rng.IntN(len(deeds))]
		p.after(p.between(0, 40*time.Minute), func() { p.act(one, deed.name, deed.do, 3) })
	}
	if n > 0 { // and the new ones, just before the start and after it
		for _, one := range p.all[p.initial:] {
			p.after(p.between(0, 15*time.Minute), func() { p.act(one, "sign up", signUp, 3) })
		}
	}
}

// on reports whether a person has been on the list all the time between, by the same confirmation.
func (one *person) on(from, to time.Time) bool {
	var at life
	for _, l := range one.lives {
		if !l.from.After(from) {
			at = l
		} else if !l.from.After(to) && (l.status != audience.Confirmed || !l.confirmed.Equal(at.confirmed)) {
			return false
		}
	}
	return at.status == audience.Confirmed
}

// ever reports whether a person was on the list at a moment, by a confirmation from before another.
func (one *person) ever(before time.Time) bool {
	return slices.ContainsFunc(one.lives, func(l life) bool { return l.status == audience.Confirmed && !l.confirmed.After(before) })
}
