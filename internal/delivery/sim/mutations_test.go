package sim

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/table"
)

// A mutation is a deliberate breakage, made at the seams between the code under test and the world.
type mutation struct {
	name    string
	wire    func(p *process)                                                         // changes what a process is made of
	write   func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) // in place of the table's
	event   func(body []byte) []byte                                                 // what feedback gets
	ack     bool                                                                     // feedback acknowledges what has failed
	anySign bool                                                                     // SES takes signatures of any age
}

// mutations are the breakages. The package's documentation lists them.
var mutations = []mutation{
	{name: "attempt-unconditional", write: func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) {
		if strings.HasPrefix(ops[0].Key.SK, "B#") && ops[0].Kind == table.OpUpdate {
			ops = []table.Op{ops[0]}
			ops[0].If = table.Exists(table.PK)
		}
		return t.write(ctx, ops)
	}},
	{name: "claim-in-two", write: func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) {
		if a := ops[0].Actions; len(ops) == 3 && len(a) > 0 && (a[0].Name == "cursor" || a[0].Name == "second") {
			if item, err := t.write(ctx, ops[:1]); err != nil {
				return item, err
			}
			ops = ops[1:]
		}
		return t.write(ctx, ops)
	}},
	{name: "start-in-pieces", write: func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) {
		if strings.HasPrefix(ops[len(ops)-1].Key.PK, "L#") && strings.HasPrefix(ops[0].Key.PK, "DIG#") {
			if item, err := t.write(ctx, ops[:2]); err != nil {
				return item, err
			}
			for i := range ops[2:] {
				if item, err := t.write(ctx, ops[2+i:3+i]); err != nil {
					return item, err
				}
			}
			return nil, nil
		}
		return t.write(ctx, ops)
	}},
	{name: "lease-always", write: func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) {
		if a := ops[0].Actions; len(a) > 0 && ops[0].Key.SK == "S" && a[0].Name == "owner" && a[0].Kind == table.ActSet {
			ops = []table.Op{ops[0]}
			ops[0].If = table.Exists(table.PK)
		}
		return t.write(ctx, ops)
	}},
	{name: "second-walk-left-out", write: func(t tableOf, ctx context.Context, ops []table.Op) (table.Item, error) {
		if a := ops[0].Actions; len(a) > 0 && a[0].Name == "walked" {
			ops = []table.Op{ops[0]}
			ops[0].Actions = append(slices.Clone(a), table.Set("rewalked", true))
		}
		return t.write(ctx, ops)
	}},
	{name: "signed-when-sent", anySign: true},
	{name: "witness-always-alive", wire: func(p *process) {
		p.worker.Witness = watchedWitness{credulous{}, p}
	}},
	{name: "backlog-ignored", wire: func(p *process) {
		p.worker.Witness.(watchedWitness).Witness.(*delivery.EventWitness).Backlog = nil
	}},
	{name: "grace-too-short", wire: func(p *process) {
		p.worker.Batches = hasty{p.worker.Batches}
	}},
	{name: "retries-on", wire: func(p *process) {
		p.worker.Sender = retrying{p.worker.Sender}
	}},
	{name: "time-out-is-not-sent", wire: func(p *process) {
		p.worker.Sender = optimist{p.worker.Sender}
	}},
	{name: "people-read-before-claim", wire: func(p *process) {
		p.worker.People = &remembering{People: p.worker.People}
	}},
	{name: "control-cached", wire: func(p *process) {
		p.worker.Digests = &stubborn{Digests: p.worker.Digests, now: p.now}
	}},
	{name: "record-lost", wire: func(p *process) {
		p.worker.Batches = forgetful{p.worker.Batches}
	}},
	{name: "shares-for-all", wire: func(p *process) {
		p.worker.Rates = watchedRates{generous{p.worker.Rates.(watchedRates).Rates}, p}
	}},
	{name: "events-of-any-attempt", event: func(body []byte) []byte {
		var ev map[string]string
		if json.Unmarshal(body, &ev) == nil && ev["attempt"] != "" {
			ev["attempt"] = "1"
			body, _ = json.Marshal(ev)
		}
		return body
	}},
	{name: "failed-events-acknowledged", ack: true},
}

// credulous believes that events always arrive.
type credulous struct{}

func (credulous) Alive(context.Context, time.Time) (bool, error) { return true, nil }

// hasty takes attempts for older than they are.
type hasty struct{ delivery.Batches }

func (h hasty) Batch(ctx context.Context, ref delivery.BatchRef) (delivery.Batch, error) {
	b, err := h.Batches.Batch(ctx, ref)
	b.T0 = b.T0.Add(-5 * time.Minute)
	return b, err
}

// retrying makes a call up to three times, as the SDK does by default.
type retrying struct{ delivery.Sender }

func (r retrying) SendBulk(ctx context.Context, b delivery.Bulk) (results []delivery.Result, err error) {
	for range 3 {
		results, err = r.Sender.SendBulk(ctx, b)
		if refused, ok := errors.AsType[*delivery.SendError](err); !ok || refused.Verdict != delivery.Ambiguous {
			break
		}
	}
	return results, err
}

// optimist takes a call without an answer for one that was not made.
type optimist struct{ delivery.Sender }

func (o optimist) SendBulk(ctx context.Context, b delivery.Bulk) ([]delivery.Result, error) {
	results, err := o.Sender.SendBulk(ctx, b)
	if refused, ok := errors.AsType[*delivery.SendError](err); ok && refused.Verdict == delivery.Ambiguous {
		err = &delivery.SendError{Verdict: delivery.Throttled, Code: refused.Code}
	}
	return results, err
}

// remembering reads people together with the index, and believes that they stay as they were.
type remembering struct {
	delivery.People
	known map[string]audience.Subscriber
}

func (r *remembering) Mailable(ctx context.Context, partition int, after string, limit int) ([]string, error) {
	ids, err := r.People.Mailable(ctx, partition, after, limit)
	if err != nil || len(ids) == 0 {
		return ids, err
	}
	r.known, err = r.People.GetMany(ctx, ids)
	return ids, err
}

func (r *remembering) GetMany(ctx context.Context, ids []string) (map[string]audience.Subscriber, error) {
	var asked []string
	for _, id := range ids {
		if _, ok := r.known[id]; !ok {
			asked = append(asked, id)
		}
	}
	found, err := r.People.GetMany(ctx, asked)
	for _, id := range ids {
		if s, ok := r.known[id]; ok && err == nil {
			found[id] = s
		}
	}
	return found, err
}

// stubborn keeps what it has read of a digest for two minutes.
type stubborn struct {
	delivery.Digests
	now   func() time.Time
	read  time.Time
	saved delivery.Control
}

func (s *stubborn) Control(ctx context.Context, id string) (delivery.Control, error) {
	if s.now().Sub(s.read) < 2*time.Minute {
		return s.saved, nil
	}
	c, err := s.Digests.Control(ctx, id)
	if err == nil {
		s.read, s.saved = s.now(), c
	}
	return c, err
}

// forgetful closes batches without recording what is known of them.
type forgetful struct{ delivery.Batches }

func (f forgetful) Mark(ctx context.Context, ref delivery.BatchRef, marks delivery.Marks, close bool) error {
	if close {
		marks = nil
	}
	return f.Batches.Mark(ctx, ref, marks, close)
}

// generous grants each worker all that it asks for.
type generous struct{ delivery.Rates }

func (g generous) Lease(ctx context.Context, owner string, ask, limit float64, until time.Time) (delivery.Share, error) {
	share, err := g.Rates.Lease(ctx, owner, ask, limit, until)
	share.Rate = limit
	return share, err
}
