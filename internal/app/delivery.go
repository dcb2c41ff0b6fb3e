package app

import (
	"context"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/ses"
	"tidings/internal/store"
	"tidings/internal/web/edge"
)

// deliverBudget is how long an invocation of deliver begins new work. Its timeout in the template is 120 s, and a call that
// began in the last moment takes delivery.SendBound.
const deliverBudget = 75 * time.Second

// deliveries is a digest as its delivery sees it.
func (rt *Runtime) deliveries(s Storage) store.Deliveries {
	return store.Deliveries{Digests: rt.digests(s), Ledger: rt.ledger(s)}
}

// counter counts the progress of digests.
func (rt *Runtime) counter(s Storage) *delivery.Counter {
	return &delivery.Counter{
		Tallies: store.Tallies{Table: rt.Table(s.TableName), Now: rt.Now}, Shards: rt.ledger(s),
		Departures: store.Departures{Table: rt.Table(s.TableName)}, Now: rt.Now,
	}
}

// reporter reconciles digests.
func (rt *Runtime) reporter(s Storage) *delivery.Reporter {
	ledger := rt.ledger(s)
	return &delivery.Reporter{Shards: ledger, Pages: ledger, Progress: rt.counter(s)}
}

func (rt *Runtime) course(s Storage, q ShardQueue) delivery.Course {
	return delivery.Course{
		Digests: rt.deliveries(s), Shards: rt.ledger(s), Queue: rt.Queue(q.ShardQueueURL), Progress: rt.counter(s), Now: rt.Now,
	}
}

// Dispatch builds the function that starts digests and looks after them while they go out.
func Dispatch(_ context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[DispatchConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	d := &delivery.Dispatcher{
		Course: rt.course(cfg.Storage, cfg.ShardQueue), Opener: rt.deliveries(cfg.Storage), People: rt.subscribers(cfg.Storage),
		Account: rt.SES(), Scheduler: rt.Scheduler(cfg.Schedules), Log: rt.Log, IndexLag: cfg.IndexLag,
	}
	return edge.Func(func(ctx context.Context, payload []byte) ([]byte, error) {
		m, err := delivery.ParseMessage(payload)
		if err == nil {
			err = d.Handle(ctx, m)
		}
		if err != nil {
			rt.Log.ErrorContext(ctx, "dispatch failed", "kind", m.Kind, "digest", m.Digest, "error", err)
		}
		return []byte("{}"), err
	}), nil
}

// Deliver builds the function that mails: a digest's shards from one queue, single mails from another.
func Deliver(ctx context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[DeliverConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	keys, err := rt.keys(ctx, cfg.Secrets)
	if err != nil {
		return nil, err
	}
	singles, err := rt.singles(cfg, keys)
	if err != nil {
		return nil, err
	}
	intake := &delivery.Intake{Worker: rt.worker(cfg, keys), Singles: singles, Log: rt.Log}
	return edge.Queue(func(ctx context.Context, messages []edge.Message) ([]string, error) {
		received := make([]delivery.Received, len(messages))
		for i, m := range messages {
			received[i] = delivery.Received{ID: m.ID, Body: m.Body, Receives: m.Receives}
		}
		return intake.Handle(ctx, received), nil
	}), nil
}

// worker sends shards.
func (rt *Runtime) worker(cfg DeliverConfig, keys Keys) *delivery.Worker {
	client := rt.SES()
	sender := &ses.Bulk{Client: client, From: cfg.bulk()}
	ledger := rt.ledger(cfg.Storage)
	return &delivery.Worker{
		Course: rt.course(cfg.Storage, cfg.ShardQueue), Batches: ledger, Claims: ledger, People: rt.subscribers(cfg.Storage),
		Personal: delivery.Copies{Site: cfg.mail(), DigestLinks: delivery.Linker{Tokens: keys.Tokens, BaseURL: cfg.origin(), Now: rt.Now}.DigestLinks},
		Sender:   sender, Each: sender, Rates: store.Rates{Table: rt.Table(cfg.TableName), Now: rt.Now},
		Witness: &delivery.EventWitness{
			Evidence: rt.evidence(cfg.Storage), Sender: sender, Log: rt.Log, Now: rt.Now,
			Backlog: &delivery.QueueBacklog{
				Events: rt.Measured(cfg.EventsQueueURL), Dead: rt.Measured(cfg.EventsDLQURL), Lateness: rt.evidence(cfg.Storage), Now: rt.Now,
			},
		},
		Log: rt.Log, Sleep: rt.Sleep, NewID: rt.NewID, Budget: deliverBudget,
	}
}

// singles sends single mails.
func (rt *Runtime) singles(cfg DeliverConfig, keys Keys) (*delivery.Singles, error) {
	builder, err := cfg.builder()
	if err != nil {
		return nil, err
	}
	return &delivery.Singles{
		Standings: rt.subscribers(cfg.Storage), Tests: rt.digests(cfg.Storage),
		Post:    post{client: rt.SES(), transactional: cfg.transactional(), bulk: cfg.bulk()},
		Builder: builder, Site: cfg.mail(), Tokens: keys.Tokens, PerDay: cfg.SignupsPerDay,
		Log: rt.Log, Now: rt.Now, Sleep: rt.Sleep, Budget: deliverBudget,
	}, nil
}

// Feedback builds the function that records SES's events.
func Feedback(_ context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[FeedbackConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	f := &delivery.Feedback{
		Batches: rt.ledger(cfg.Storage), People: rt.subscribers(cfg.Storage), Evidence: rt.evidence(cfg.Storage),
		Lateness: rt.evidence(cfg.Storage), Progress: rt.counter(cfg.Storage), Log: rt.Log,
	}
	return edge.Queue(func(ctx context.Context, messages []edge.Message) ([]string, error) {
		now, bodies := rt.Now(), make(map[string][]byte, len(messages))
		oldest, again := time.Duration(0), false
		for _, m := range messages {
			bodies[m.ID] = m.Body
			again = again || m.Receives > 1
			if !m.Sent.IsZero() {
				oldest = max(oldest, now.Sub(m.Sent))
			}
		}
		if err := f.Arrived(ctx, oldest, again, now); err != nil {
			rt.Log.ErrorContext(ctx, "late events not noted", "events", len(messages), "error", err)
			return nil, err
		}
		return f.Handle(ctx, bodies), nil
	}), nil
}

func (rt *Runtime) evidence(s Storage) store.Witness {
	return store.Witness{Table: rt.Table(s.TableName), Now: rt.Now}
}

func (s Sending) bulk() ses.From {
	return ses.From{Address: s.FromBulk, ReplyTo: s.ReplyTo, ConfigurationSet: s.ConfigurationSet}
}

func (s Sending) transactional() ses.From {
	return ses.From{Address: s.FromTransact, ReplyTo: s.ReplyTo, ConfigurationSet: s.ConfigurationSet}
}
