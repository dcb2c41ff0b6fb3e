// Package scheduler is EventBridge Scheduler inside the local stack's process: schedules that fire once, each minute, at a
// rate or by cron in a time zone, by the stack's clock. They are kept in a table, so that what came due while the stack was off
// happens when it starts. A target is a Lambda function, invoked asynchronously: three attempts, then a dead-letter queue.
//
// EventBridge Scheduler fires within the minute of a schedule's time; this one on the second, since nobody wants to watch
// a progress bar for a minute.
package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tidings/infra/local/clock"
	"tidings/internal/table"
)

// Config is what a scheduler is made from.
type Config struct {
	Clock *clock.Clock
	Table table.Table // the stack's own
	Log   *slog.Logger
	NewID func() string
	// DeadLetters finds a queue by URL or ARN.
	DeadLetters func(ref string) Queue
}

// A Queue takes what could not be delivered.
type Queue interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// Invoke invokes a function by its name.
type Invoke func(ctx context.Context, function string, payload []byte) ([]byte, error)

// A Spec is a schedule of the template, AWS::Serverless::Function's event ScheduleV2.
type Spec struct {
	Name       string // unique among the template's
	Expression string // cron(…) or rate(…)
	Zone       string // ScheduleExpressionTimezone, IANA; UTC when empty
	Function   string // as Invoke knows it
	Payload    []byte // Input; empty: the event that EventBridge Scheduler makes
	DeadLetter string // URL or ARN; empty: none
}

// A Service holds all schedules.
type Service struct {
	Config
	invoke Invoke

	quit    context.Context // ends waits for another attempt
	quitNow context.CancelFunc
	life    context.Context // ends invocations
	kill    context.CancelFunc

	// mu orders changes of the table and of all, so that they agree.
	mu      sync.Mutex
	all     map[string]*schedule
	started bool
	running sync.WaitGroup
}

// Open finds in the table what was scheduled. Nothing fires before Start.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg, all: map[string]*schedule{}}
	s.quit, s.quitNow = context.WithCancel(context.Background())
	s.life, s.kill = context.WithCancel(context.Background())
	query := table.Query{Partition: partition, Limit: table.MaxQuery, Consistent: true}
	for {
		page, err := s.Table.Query(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("open schedules: %w", err)
		}
		for _, item := range page.Items {
			sch, err := scheduleOf(item)
			if err != nil {
				return nil, fmt.Errorf("open schedules: %w", err)
			}
			s.all[sch.key] = sch
		}
		if query.Cursor = page.Cursor; query.Cursor == "" {
			return s, nil
		}
	}
}

// Start takes the template's schedules, forgets those of an earlier template, and begins to fire. What came due while the stack was
// off fires now; what would have fired several times, once. It is called once.
func (s *Service) Start(ctx context.Context, invoke Invoke, template []Spec) error {
	_, end := s.Clock.Begin(ctx)
	defer end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invoke = invoke
	wanted := map[string]bool{}
	for _, spec := range template {
		sch, err := s.fromTemplate(spec)
		if err != nil {
			return fmt.Errorf("schedule %s: %w", spec.Name, err)
		}
		if wanted[sch.key] {
			return fmt.Errorf("schedule %s is there twice", spec.Name)
		}
		wanted[sch.key] = true
		if err := s.put(ctx, sch); err != nil {
			return err
		}
	}
	for key, old := range s.all {
		if key[0] == 'T' && !wanted[key] {
			if err := s.remove(ctx, old); err != nil {
				return err
			}
		}
	}
	s.started = true
	for _, sch := range s.all {
		s.arm(sch)
	}
	return nil
}

// fromTemplate makes a schedule of the template. One that was there already goes on from where it was.
func (s *Service) fromTemplate(spec Spec) (*schedule, error) {
	repeats, err := parse(spec.Expression, spec.Zone)
	if err != nil {
		return nil, err
	}
	sch := &schedule{
		key: "T#" + spec.Name, version: s.NewID(), function: spec.Function, deadLetter: spec.DeadLetter, payload: spec.Payload,
		expression: spec.Expression, zone: spec.Zone, repeats: repeats, due: repeats.next(s.Clock.Now()), stop: func() {},
	}
	if old := s.all[sch.key]; old != nil && old.expression == sch.expression && old.zone == sch.zone {
		sch.due = old.due
	}
	if sch.due.IsZero() {
		return nil, fmt.Errorf("%s has no time that is to come", spec.Expression)
	}
	return sch, nil
}

// Stop fires nothing more, ends waits for another attempt (what waits is tried after the next start) and waits for
// invocations that run. When ctx is done it cancels their contexts, and does not wait longer.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.started = false
	for _, sch := range s.all {
		sch.stop()
	}
	s.mu.Unlock()
	s.quitNow()
	defer s.kill()
	done := make(chan struct{})
	go func() { defer close(done); s.running.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop schedules: %w", ctx.Err())
	}
}

// put keeps a schedule in place of any of its key, and sets the clock. It needs s.mu, as do remove and arm.
func (s *Service) put(ctx context.Context, sch *schedule) error {
	if _, err := s.Table.Write(ctx, table.Put(sch.item())); err != nil {
		return fmt.Errorf("keep schedule: %w", err)
	}
	if old := s.all[sch.key]; old != nil {
		old.stop()
	}
	s.all[sch.key] = sch
	s.arm(sch)
	return nil
}

func (s *Service) remove(ctx context.Context, sch *schedule) error {
	if _, err := s.Table.Write(ctx, table.Delete(itemKey(sch.key))); err != nil {
		return fmt.Errorf("delete schedule: %w", err)
	}
	sch.stop()
	delete(s.all, sch.key)
	return nil
}

// arm has the clock fire a schedule when it is due.
func (s *Service) arm(sch *schedule) {
	if s.started {
		sch.stop = s.Clock.Run(sch.due, func(ctx context.Context) { s.fire(ctx, sch) })
	}
}
