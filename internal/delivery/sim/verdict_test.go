package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/store"
)

// A slot is one place of the ledger at the end.
type slot struct {
	batch   delivery.Batch
	n       int64
	outcome delivery.Outcome
}

// end judges what the run came to, by SES's own record.
func (j *judge) end(ctx context.Context) {
	ledger := store.Ledger{Table: j.db}
	e := j.editors
	if !e.over() {
		j.violate("the digest never ends: it is %q after %s", e.truth(), j.now().Sub(j.epoch))
		return
	}
	shards, err := ledger.Shards(ctx, e.id)
	if err != nil {
		j.violate("read the ledger: %v", err)
		return
	}
	slots := map[string][]slot{}
	var counted digest.Progress
	for _, s := range shards {
		if !s.Done() {
			j.violate("the digest has ended, and shard %d is not done", s.Ref.Shard)
		}
		for n := range s.Next {
			b, err := ledger.Batch(ctx, delivery.BatchRef{ShardRef: s.Ref, Batch: n})
			if err != nil {
				j.violate("read the ledger: %v", err)
				return
			}
			for i, id := range b.IDs {
				slots[id] = append(slots[id], slot{b, int64(i), b.Marks.Outcome(int64(i))})
			}
		}
	}
	for _, one := range j.people.all {
		if list := slots[one.id]; len(list) > 1 {
			j.violate("I1: subscriber %s stands in %d slots", one.id[:6], len(list))
		}
		for _, s := range slots[one.id] {
			count(&counted, s.outcome)
			j.slot(one, s)
		}
		if len(shards) > 0 {
			j.nobodyLost(one, slots[one.id], shards[0])
		}
		j.nobodyTwice(one, len(slots[one.id]) > 0)
	}
	j.figures(ctx, counted, len(shards) > 0)
}

func count(p *digest.Progress, o delivery.Outcome) {
	switch o {
	case delivery.NotAsked:
		return
	case delivery.Sent:
		p.Accepted++
	case delivery.Failed:
		p.Failed++
	case delivery.Skipped:
		p.Skipped++
	default:
		p.Unresolved++
	}
	p.Audience++
}

// of returns the messages of the digest that SES accepted for a person.
func (j *judge) of(one *person) []*message { return j.ses.copies[j.editors.id+" "+one.email] }

// slot judges one outcome by SES's record.
func (j *judge) slot(one *person, s slot) {
	sent := j.of(one)
	name := fmt.Sprintf("subscriber %s, batch %d, slot %d", one.id[:6], s.batch.Ref.Batch, s.n)
	known := !slices.ContainsFunc(sent, func(m *message) bool { return !j.excused(m) && !j.unknowable(m) })
	switch s.outcome {
	case delivery.Open:
		j.violate("I1: %s has no outcome", name)
	case delivery.Sent:
		if len(sent) == 0 {
			j.violate("I1: %s is accepted in the ledger, and SES never accepted it", name)
		}
	case delivery.Skipped, delivery.NotAsked:
		if !known {
			j.violate("I1: %s is %s in the ledger, and SES accepted it", name, s.outcome)
		}
	case delivery.Failed:
		gaveUp := slices.Contains(s.batch.Marks[delivery.MarkUnknown], s.n)
		refused := one.box == dropped || one.box == poison || one.box == unrendered
		switch {
		case len(sent) > 0 && one.box != unrendered && !known && !gaveUp:
			j.violate("I1: %s failed in the ledger, and SES accepted it", name)
		case !gaveUp && !refused:
			j.violate("I1: %s failed without a reason: %v", name, s.batch.Marks)
		}
	}
}

// unknowable reports whether none of a message's events ever came in time to say that it was sent.
func (j *judge) unknowable(m *message) bool {
	return !slices.ContainsFunc(m.proof, func(p *proof) bool { return !p.processed.IsZero() })
}

// nobodyLost is I1: who was in the audience all the time has an outcome, and the one they should have.
func (j *judge) nobodyLost(one *person, list []slot, s delivery.Shard) {
	ended := j.editors.ended
	if d, err := (store.Digests{Table: j.db}).Get(context.Background(), j.editors.id); err == nil && !d.EndedAt.IsZero() {
		ended = d.EndedAt
	}
	if !one.ever(s.CutOff) {
		if len(j.of(one)) > 0 {
			j.violate("I1: subscriber %s was sent the digest, and was not in its audience", one.id[:6])
		}
		return
	}
	// Clocks differ by up to 5 s, so who joined or left about the cut-off may count either way.
	if !one.on(s.CutOff.Add(-delivery.ClockMargin), ended.Add(delivery.ClockMargin)) {
		return
	}
	if j.editors.truth() == digest.Cancelled {
		return
	}
	if len(list) == 0 {
		j.violate("I1: subscriber %s is in nobody's batch", one.id[:6])
		return
	}
	matches := audience.TopicsMatch(one.topics, []string{topic})
	switch o := list[0].outcome; {
	case o == delivery.NotAsked:
		j.violate("I1: subscriber %s was left outside", one.id[:6])
	case o == delivery.Skipped && matches:
		j.violate("I1: subscriber %s was skipped", one.id[:6])
	case o != delivery.Skipped && !matches:
		j.violate("I1: subscriber %s did not want this topic, and is %s", one.id[:6], o)
	case o == delivery.Failed && slices.Contains(list[0].batch.Marks[delivery.MarkUnknown], list[0].n) && j.now().Before(j.epoch.Add(20*time.Hour)):
		j.violate("I1: subscriber %s was given up within a day", one.id[:6])
	}
}

// nobodyTwice is I2.
func (j *judge) nobodyTwice(one *person, claimed bool) {
	sent := j.of(one)
	if len(sent) > 0 && !claimed {
		j.violate("I2: subscriber %s was sent the digest without a claim", one.id[:6])
	}
	sorted := slices.SortedFunc(slices.Values(sent), func(a, b *message) int { return a.attempt - b.attempt })
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1], sorted[i]
		if a.ref != b.ref || a.slot != b.slot || a.attempt == b.attempt || !j.excused(a) {
			j.violate("I2: subscriber %s was sent twice, by attempt %d of batch %d at %.3f and attempt %d of batch %d at %.3f", one.id[:6],
				a.attempt, a.ref.Batch, a.at.Sub(j.epoch).Seconds(), b.attempt, b.ref.Batch, b.at.Sub(j.epoch).Seconds())
		}
	}
}

// figures compares the progress at rest with the ledger, and its duplicates with what SES accepted and its events told.
func (j *judge) figures(ctx context.Context, counted digest.Progress, opened bool) {
	c := delivery.Counter{
		Tallies: store.Tallies{Table: j.db, Now: j.now}, Shards: store.Ledger{Table: j.db},
		Now: func() time.Time { return j.now().Add(time.Hour) },
	}
	p, err := c.Progress(ctx, j.editors.id)
	if err != nil {
		j.violate("read progress: %v", err)
		return
	}
	j.progress(p)
	if !opened {
		return
	}
	if p.Audience != counted.Audience || p.Accepted != counted.Accepted || p.Failed != counted.Failed || p.Skipped != counted.Skipped || p.Unresolved != counted.Unresolved {
		j.violate("progress: %+v at rest, and the ledger has %+v", p, counted)
	}
	least, most := int64(0), int64(0)
	for _, one := range j.people.all {
		all, told := map[int]bool{}, map[int]bool{}
		for _, m := range j.of(one) {
			all[m.attempt] = true
			if !j.unknowable(m) {
				told[m.attempt] = true
			}
		}
		least, most = least+max(0, int64(len(told))-1), most+max(0, int64(len(all))-1)
	}
	if p.Duplicates < least || p.Duplicates > most {
		j.violate("I2: %d duplicates are reported, and there are %d to %d", p.Duplicates, least, most)
	}
}
