package sim

import (
	"context"
	"slices"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/store"
)

// A judge looks on while things happen, for the invariants that can be seen then, and keeps what the rest is judged by.
type judge struct {
	*world
	leases   map[delivery.ShardRef][]lease
	shares   map[string]held
	attempts map[delivery.BatchRef][]try
	heard    []hearing
	stopped  map[*process]last // attempt whose call began after the digest was stopped
}

type lease struct {
	p           *process
	from, until time.Time // true time
}

type held struct {
	p     *process
	rate  float64
	until time.Time
}

// A last is an attempt after a stop.
type last struct {
	stop    time.Time
	attempt string
}

// A try is an attempt that was written.
type try struct {
	n       int
	slots   []int64
	t0      time.Time
	at      time.Time
	witness *testimony
}

// A testimony says that the witness was alive.
type testimony struct {
	since      time.Time
	begun, end time.Time
}

// A hearing notes that events of mail up to a time were recorded.
type hearing struct{ at, upTo time.Time }

// grace is how long an attempt's events have (DESIGN: at least 6 minutes after its t0).
const grace = 6 * time.Minute

// callWithin is I3's bound, and I5's: what was decided before somebody left takes effect so soon, or is too late.
const callWithin = 10 * time.Second

// calls judges a bulk call at the moment it begins: leaving is immediate (I3), and so is control (I5).
func (j *judge) calls(p *process, b delivery.Bulk) {
	if b.Tags["digest"] == probe {
		return
	}
	now := j.now()
	p.note("%s calls SES: batch %s, attempt %s, %d entries, signed %.3f", p.name, b.Tags["batch"], b.Tags["attempt"], len(b.Entries), b.SignedAt.Sub(j.epoch).Seconds())
	for _, e := range b.Entries {
		one := j.people.byEmail[e.To]
		if one != nil && !one.left.IsZero() && now.After(one.left.Add(callWithin)) {
			j.violate("I3: %s calls for subscriber %s %s after they left", p.name, one.id[:6], now.Sub(one.left))
		}
	}
	if stopped := j.editors.stopped; b.Tags["digest"] == j.editors.id && !stopped.IsZero() && !stopped.Before(j.editors.since) {
		if now.After(stopped.Add(callWithin)) {
			j.violate("I5: %s calls %s after the digest was stopped", p.name, now.Sub(stopped))
		}
		if j.stopped == nil {
			j.stopped = map[*process]last{}
		}
		this := last{stopped, b.Tags["batch"] + "/" + b.Tags["attempt"]}
		if that, ok := j.stopped[p]; ok && that.stop.Equal(stopped) && that != this {
			j.violate("I5: %s makes a second attempt after the digest was stopped", p.name)
		}
		j.stopped[p] = this
	}
}

// accepted judges a message when SES accepts it.
func (j *judge) accepted(m *message) {
	one := j.people.byEmail[m.to]
	for _, t := range j.attempts[m.ref] {
		if t.n == m.attempt && slices.Contains(t.slots, m.slot) {
			if late := m.at.Add(j.ses.skew).Sub(t.t0); late > 5*time.Minute {
				j.violate("fence: subscriber %s was sent %s after t0", one.id[:6], late)
			}
			return
		}
	}
	j.violate("I2: subscriber %s was sent attempt %d of batch %d, which is not in the ledger", one.id[:6], m.attempt, m.ref.Batch)
}

// progress judges figures that editors read.
func (j *judge) progress(p digest.Progress) {
	if p.Accepted+p.Failed+p.Skipped+p.Unresolved != p.Audience || p.Accepted > p.Audience || p.Accepted < 0 || p.Unresolved < 0 {
		j.violate("progress: figures don't add up: %+v", p)
	}
}

// Ports of the worker that the judge looks into.
type (
	ledgerShards  = delivery.Shards // under a name that none of its methods has
	watchedShards struct {
		ledgerShards
		p *process
	}
	watchedBatches struct {
		delivery.Batches
		p *process
	}
	watchedRates struct {
		delivery.Rates
		p *process
	}
	watchedWitness struct {
		delivery.Witness
		p *process
	}
	watchedEvidence struct {
		store.Witness
		p *process
	}
)

// Lease judges I5: no two valid leases of a shard.
func (s watchedShards) Lease(ctx context.Context, ref delivery.ShardRef, owner string, until time.Time) (delivery.Shard, error) {
	shard, err := s.ledgerShards.Lease(ctx, ref, owner, until)
	if err != nil {
		return shard, err
	}
	j := s.p.judge
	if j.leases == nil {
		j.leases = map[delivery.ShardRef][]lease{}
	}
	mine := lease{s.p, s.p.effect, until.Add(-s.p.skew)}
	for _, l := range j.leases[ref] { // this answer may have been long under way
		if l.from.Before(mine.until) && mine.from.Before(l.until) {
			j.violate("I5: %s and %s hold leases of shard %d at one time", s.p.name, l.p.name, ref.Shard)
		}
	}
	j.leases[ref] = append(j.leases[ref], mine)
	return shard, nil
}

// Release implements delivery.Shards.
func (s watchedShards) Release(ctx context.Context, shard delivery.Shard, wake time.Time) error {
	for i, l := range s.p.judge.leases[shard.Ref] {
		if l.p == s.p && l.until.After(s.p.now()) {
			s.p.judge.leases[shard.Ref][i].until = s.p.now()
		}
	}
	return s.ledgerShards.Release(ctx, shard, wake)
}

// Attempt keeps the attempt with what the witness had said before.
func (b watchedBatches) Attempt(ctx context.Context, batch delivery.Batch, slots []int64, t0 time.Time) (delivery.Batch, error) {
	got, err := b.Batches.Attempt(ctx, batch, slots, t0)
	if err == nil {
		j := b.p.judge
		if j.attempts == nil {
			j.attempts = map[delivery.BatchRef][]try{}
		}
		j.attempts[batch.Ref] = append(j.attempts[batch.Ref], try{got.Attempt, slices.Clone(slots), t0, b.p.effect, b.p.witness})
	}
	return got, err
}

// Lease judges I4: shares never sum above the rate.
func (r watchedRates) Lease(ctx context.Context, owner string, ask, limit float64, until time.Time) (delivery.Share, error) {
	share, err := r.Rates.Lease(ctx, owner, ask, limit, until)
	if err != nil || share.Rate == 0 {
		return share, err
	}
	j := r.p.judge
	if j.shares == nil {
		j.shares = map[string]held{}
	}
	j.shares[owner] = held{r.p, share.Rate, until.Add(-r.p.skew)}
	sum := 0.0
	for _, h := range j.shares {
		if h.until.After(j.now()) {
			sum += h.rate
		}
	}
	if most := j.ses.rate * 0.985; sum > most*1.0001 {
		j.violate("I4: shares of %.2f/s are out, of a rate of %.2f/s", sum, most)
	}
	return share, err
}

// Return implements delivery.Rates.
func (r watchedRates) Return(ctx context.Context, owner string, from time.Time) error {
	delete(r.p.judge.shares, owner)
	return r.Rates.Return(ctx, owner, from)
}

// Alive keeps what the witness says.
func (w watchedWitness) Alive(ctx context.Context, since time.Time) (bool, error) {
	begun := w.p.now()
	alive, err := w.Witness.Alive(ctx, since)
	if alive && err == nil {
		w.p.witness = &testimony{since, begun, w.p.now()}
	}
	return alive, err
}

// Heard keeps when which events are said to be recorded.
func (e watchedEvidence) Heard(ctx context.Context, at time.Time) error {
	e.p.judge.heard = append(e.p.judge.heard, hearing{e.p.now(), at})
	return e.Witness.Heard(ctx, at)
}

// excused reports whether a message may have got a later attempt after it (I2's exception): none of its events was there to be
// recorded although the witness had tested alive, by events of mail sent after its t0.
func (j *judge) excused(m *message) bool {
	var mine, next *try
	for i, t := range j.attempts[m.ref] {
		switch t.n {
		case m.attempt:
			mine = &j.attempts[m.ref][i]
		case m.attempt + 1:
			next = &j.attempts[m.ref][i]
		}
	}
	if mine == nil || next == nil || next.witness == nil {
		return false
	}
	test := next.witness
	if test.begun.Before(mine.t0.Add(grace - delivery.ClockMargin)) {
		return false // within the grace
	}
	if test.since.Before(mine.t0) || test.since.After(mine.t0.Add(grace)) {
		return false // of another attempt
	}
	if !slices.ContainsFunc(j.heard, func(h hearing) bool { return !h.at.After(test.end) && h.upTo.After(test.since) }) {
		return false
	}
	// EventBridge has until the end of the grace. What was in the queue by then must be in the ledger, or keep the witness silent.
	in := minTime(test.begun.Add(-time.Minute), mine.t0.Add(grace-delivery.ClockMargin))
	return !slices.ContainsFunc(m.proof, func(p *proof) bool {
		before := func(t, than time.Time) bool { return !t.IsZero() && t.Before(than) }
		return before(p.enqueued, in) || before(p.processed, test.begun) || before(p.dead, test.begun)
	})
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
