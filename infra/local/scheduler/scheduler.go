// Package scheduler is EventBridge Scheduler inside the local stack's process: schedules that fire once, each minute, at a
// rate or by cron in a time zone, by the stack's clock. They are kept in a table, so that what came due while the stack was off
// happens when it starts. A target is a Lambda function, invoked asynchronously: three attempts, then a dead-letter queue.
//
// EventBridge Scheduler fires within the minute of a schedule's time; this one on the second, since nobody wants to watch
// a progress bar for a minute.
package scheduler

import (
	"context"
	"log/slog"
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
type Service struct{}

// Open finds in the table what was scheduled. Nothing fires before Start.
func Open(ctx context.Context, cfg Config) (*Service, error) { return &Service{}, nil }

// Start takes the template's schedules, forgets those of an earlier template, and begins to fire. What came due while the stack was
// off fires now, once.
func (s *Service) Start(ctx context.Context, invoke Invoke, template []Spec) error { return nil }

// Stop fires nothing more, ends waits for another attempt (they are made after the next start) and waits for
// invocations that run, as long as ctx allows.
func (s *Service) Stop(ctx context.Context) error { return nil }

// Group returns the schedules of a group, all of which invoke one function; it is an app.Scheduler.
func (s *Service) Group(group, function, deadLetter string) *Group { return &Group{} }

// A Group is the schedules that a function of Tidings makes and deletes.
type Group struct{}

// Once invokes the function once, at a time; at once when that has passed. An existing schedule of the name is replaced.
func (g *Group) Once(ctx context.Context, name string, at time.Time, payload []byte) error {
	return nil
}

// EveryMinute invokes the function each minute, first in a minute, until Delete. It is no error when it exists already.
func (g *Group) EveryMinute(ctx context.Context, name string, payload []byte) error { return nil }

// Delete removes a schedule; it is no error when there is none.
func (g *Group) Delete(ctx context.Context, name string) error { return nil }
