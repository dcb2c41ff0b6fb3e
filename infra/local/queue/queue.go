// Package queue is SQS, and Lambda's polling of it, inside the local stack's process: as much of both as Tidings leans on.
// Messages are delivered at least once, come again after a visibility timeout, end in a dead-letter queue, and are kept in a
// table, so that a stack that is started again finds them. Functions get the event that Lambda makes of them.
//
// Every wait follows the stack's clock, and a message is work in flight or a timer of the clock's from the moment that Send has
// it: there is no instant at which something is due and nobody knows of it.
package queue

import (
	"context"
	"log/slog"
	"time"

	"tidings/infra/local/clock"
	"tidings/internal/table"
)

// A Spec is a queue, as AWS::SQS::Queue describes it.
type Spec struct {
	Name        string
	URL         string        // as functions have it in their environment
	ARN         string        // made from the name when empty
	Visibility  time.Duration // VisibilityTimeout; SQS's default of 30 s when 0
	Retention   time.Duration // MessageRetentionPeriod; SQS's default of 4 days when 0
	MaxReceives int           // RedrivePolicy.maxReceiveCount
	DeadLetter  string        // RedrivePolicy.deadLetterTargetArn: name, URL or ARN of another queue; empty: none
}

// A Source is an event source mapping: Lambda's polling of a queue for a function.
type Source struct {
	Function    string        // as Invoke knows it
	Queue       string        // name, URL or ARN
	BatchSize   int           // Lambda's default of 10 when 0
	Window      time.Duration // MaximumBatchingWindowInSeconds; cut to MaxWindow
	Concurrency int           // ScalingConfig.MaximumConcurrency; Lambda's first 5 pollers when 0
	Partial     bool          // FunctionResponseTypes has ReportBatchItemFailures
}

// MaxWindow is the longest batching window here. Twenty seconds let the events of many batches meet where each invocation costs
// money; on one machine they would only make whoever watches a digest go out wait.
const MaxWindow = time.Second

// Invoke invokes a function by its name.
type Invoke func(ctx context.Context, function string, payload []byte) ([]byte, error)

// Config is what queues are made from.
type Config struct {
	Clock  *clock.Clock
	Table  table.Table // the stack's own, not Tidings' table
	Log    *slog.Logger
	NewID  func() string // of messages
	Queues []Spec
}
