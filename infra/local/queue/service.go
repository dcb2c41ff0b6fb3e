package queue

import (
	"context"
	"time"
)

// A Service holds all queues.
type Service struct{}

// Open makes the queues and finds in the table what they held. What was in flight when the stack stopped is visible again, at the
// latest when its delay is over. Messages of queues that there are no more stay in the table.
func Open(ctx context.Context, cfg Config) (*Service, error) { return &Service{}, nil }

// Start begins to deliver messages to functions.
func (s *Service) Start(invoke Invoke, sources []Source) error { return nil }

// Stop begins no more invocations, and waits for those that run, as long as ctx allows.
func (s *Service) Stop(ctx context.Context) error { return nil }

// Queue returns a queue by name, URL or ARN. Sending to one that does not exist fails, as in AWS.
func (s *Service) Queue(ref string) *Queue { return &Queue{} }

// Stats returns what each queue holds, in the order of the specs.
func (s *Service) Stats() []Stats { return nil }

// Letters returns the oldest messages of a queue, at most limit.
func (s *Service) Letters(ref string, limit int) ([]Letter, error) { return nil, nil }

// A Queue is one queue; it is an app.Queue.
type Queue struct{}

// Send puts a message in the queue, visible after delay (0 to 15 minutes, whole seconds, rounded up, as package sqs does).
func (q *Queue) Send(ctx context.Context, body []byte, delay time.Duration) error { return nil }

// SendAll puts messages in the queue, in one write of the table.
func (q *Queue) SendAll(ctx context.Context, bodies [][]byte) error { return nil }
