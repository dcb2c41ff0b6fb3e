package queue

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/table"
)

// SQS's defaults.
const (
	defaultVisibility = 30 * time.Second
	defaultRetention  = 4 * 24 * time.Hour
)

// A Service holds all queues.
type Service struct {
	Config
	queues    []*Queue
	committer committer
	seq       atomic.Uint64 // the last place in the table that was given to a message

	invoke  Invoke
	running sync.WaitGroup
	ctx     context.Context // of invocations
	cancel  context.CancelFunc
}

// Open makes the queues and finds in the table what they held. What was in flight when the stack stopped is visible again.
// Messages of queues that there are no more stay in the table.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg, committer: committer{table: cfg.Table}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, spec := range cfg.Queues {
		if spec.Name == "" || s.find(spec.Name) != nil {
			return nil, fmt.Errorf("queue %q: a queue needs a name of its own", spec.Name)
		}
		if spec.ARN == "" {
			spec.ARN = "arn:aws:sqs:us-east-1:000000000000:" + spec.Name
		}
		if spec.Visibility <= 0 {
			spec.Visibility = defaultVisibility
		}
		if spec.Retention <= 0 {
			spec.Retention = defaultRetention
		}
		s.queues = append(s.queues, &Queue{Spec: spec, svc: s})
	}
	for _, q := range s.queues {
		if q.DeadLetter != "" {
			if q.dlq = s.find(q.DeadLetter); q.dlq == nil || q.dlq == q || q.MaxReceives < 1 {
				return nil, fmt.Errorf("queue %s: dead-letter queue %q after %d receives makes no sense", q.Name, q.DeadLetter, q.MaxReceives)
			}
		}
		if err := s.load(ctx, q); err != nil {
			return nil, fmt.Errorf("queue %s: %w", q.Name, err)
		}
	}
	return s, nil
}

// load puts what the table holds of a queue on its shelf.
func (s *Service) load(ctx context.Context, q *Queue) error {
	query := table.Query{Partition: partition(q.Name), Limit: table.MaxQuery, Consistent: true}
	now := s.Clock.Now()
	for {
		page, err := s.Table.Query(ctx, query)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			m, err := parse(item)
			if err != nil {
				return err
			}
			q.shelf.add(m, now)
			s.seq.Store(max(s.seq.Load(), m.seq))
		}
		if query.Cursor = page.Cursor; query.Cursor == "" {
			return nil
		}
	}
}

// find returns a queue by name, URL or ARN, nil when there is none.
func (s *Service) find(ref string) *Queue {
	for _, q := range s.queues {
		if ref != "" && (ref == q.Name || ref == q.URL || ref == q.ARN) {
			return q
		}
	}
	return nil
}

// Queue returns a queue by name, URL or ARN. Sending to one that does not exist fails, as in AWS.
func (s *Service) Queue(ref string) *Queue {
	if q := s.find(ref); q != nil {
		return q
	}
	return &Queue{Spec: Spec{Name: ref}}
}

// Start begins to deliver messages to functions. It is called once; before it, messages only gather.
func (s *Service) Start(invoke Invoke, sources []Source) error {
	pollers := map[*Queue]*poller{}
	for _, src := range sources {
		q := s.find(src.Queue)
		if q == nil || pollers[q] != nil {
			return fmt.Errorf("event source of %s: queue %q does not exist, or has a reader already", src.Function, src.Queue)
		}
		pollers[q] = newPoller(src)
	}
	s.invoke = invoke
	for q, p := range pollers {
		q.mu.Lock()
		q.poller = p
		q.pump()
		q.mu.Unlock()
	}
	return nil
}

// Stop begins no more invocations, and waits for those that run. When ctx is done it cancels their contexts, and does not
// wait longer. Messages can be sent after it; the next start delivers them.
func (s *Service) Stop(ctx context.Context) error {
	for _, q := range s.queues {
		q.mu.Lock()
		q.poller = nil
		q.arm(time.Time{})
		q.mu.Unlock()
	}
	defer s.cancel()
	done := make(chan struct{})
	go func() { defer close(done); s.running.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop queues: %w", ctx.Err())
	}
}

// A committer writes the messages of many senders in one transaction: each waits for the disk, but not for each other's turn.
type committer struct {
	table table.Table

	mu      sync.Mutex
	waiting []commit
	writing bool
}

type commit struct {
	items []table.Item
	done  chan error
}

// put stores new items and returns when they are safe.
func (c *committer) put(items []table.Item) error {
	me := commit{items, make(chan error, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, me)
	lead := !c.writing
	c.writing = true
	c.mu.Unlock()
	if lead {
		go c.write()
	}
	return <-me.done
}

// write stores what waits, again and again until nothing does.
func (c *committer) write() {
	for {
		c.mu.Lock()
		batch := c.waiting
		c.waiting = nil
		if len(batch) == 0 {
			c.writing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		var items []table.Item
		for _, one := range batch {
			items = append(items, one.items...)
		}
		err := c.table.BatchPut(context.Background(), items)
		for _, one := range batch {
			one.done <- err
		}
	}
}
