package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// pauses are how long Lambda waits before it tries an asynchronous invocation again: a minute, then two. (Lambda developer guide, "How Lambda
// handles errors and retries with asynchronous invocation".)
var pauses = []time.Duration{time.Minute, 2 * time.Minute}

// fire invokes the function of a schedule that is due. What it has not finished when the stack stops is still due at the next start.
func (s *Service) fire(ctx context.Context, sch *schedule) {
	due, ok := s.begin(sch)
	if !ok {
		return
	}
	defer s.running.Done()
	log := s.Log.With("schedule", sch.key[2:], "function", sch.function)
	attempts, err := s.attempt(ctx, sch, due)
	if s.quit.Err() != nil && err != nil {
		return
	}
	if err != nil {
		log.ErrorContext(ctx, "invocation failed for good", "attempts", attempts, "error", err)
		if err := s.bury(ctx, sch, due, attempts); err != nil {
			log.ErrorContext(ctx, "failed invocation not in the dead-letter queue", "error", err)
			return
		}
	}
	if err := s.finish(ctx, sch); err != nil {
		log.ErrorContext(ctx, "schedule not advanced; it may fire again after a restart", "error", err)
	}
}

// begin returns when the schedule was due, and sets a recurring one to its next time. ok is false when it was deleted or replaced.
func (s *Service) begin(sch *schedule) (due time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started || s.all[sch.key] != sch {
		return due, false
	}
	s.running.Add(1)
	due = sch.due
	if sch.repeats == nil {
		return due, true
	}
	now := s.Clock.Now()
	for sch.due = sch.repeats.next(due); !sch.due.IsZero() && !sch.due.After(now); { // those that were missed are one
		if r, ok := sch.repeats.(rate); ok {
			sch.due = sch.due.Add(now.Sub(sch.due).Truncate(time.Duration(r)) + time.Duration(r))
			continue
		}
		sch.due = sch.repeats.next(now)
	}
	if !sch.due.IsZero() {
		s.arm(sch)
	}
	return due, true
}

// attempt invokes the function until it succeeds, three times at most.
func (s *Service) attempt(ctx context.Context, sch *schedule, due time.Time) (attempts int, err error) {
	payload, err := sch.event(s.NewID(), due)
	if err != nil {
		return 0, err
	}
	life, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	wait, cancelWait := context.WithCancel(ctx)
	defer cancelWait()
	defer context.AfterFunc(s.quit, cancelWait)()
	for {
		attempts++
		_, err = s.invoke(life, sch.function, payload)
		if err == nil || attempts > len(pauses) {
			return attempts, err
		}
		if s.Clock.Sleep(wait, pauses[attempts-1]) != nil {
			return attempts, err
		}
	}
}

// bury puts an invocation that failed into the dead-letter queue, in the shape that Lambda gives to a destination on failure.
func (s *Service) bury(ctx context.Context, sch *schedule, due time.Time, attempts int) error {
	if sch.deadLetter == "" {
		return nil
	}
	payload, err := sch.event(s.NewID(), due)
	if err != nil {
		return err
	}
	record, err := json.Marshal(map[string]any{
		"version": "1.0", "timestamp": s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": map[string]any{
			"requestId": s.NewID(), "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:" + sch.function,
			"condition": "RetriesExhausted", "approximateInvokeCount": attempts,
		},
		"requestPayload":  json.RawMessage(payload),
		"responseContext": map[string]any{"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
	})
	if err != nil {
		return fmt.Errorf("encode failed invocation: %w", err)
	}
	return s.DeadLetters(sch.deadLetter).Send(ctx, record, 0)
}

// finish forgets a schedule that fires once, and keeps the next time of one that recurs, unless it was deleted or replaced since.
func (s *Service) finish(ctx context.Context, sch *schedule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[sch.key] != sch {
		return nil
	}
	if sch.repeats != nil && !sch.due.IsZero() {
		return s.note(ctx, sch.key, sch.version, sch.due)
	}
	delete(s.all, sch.key)
	return s.drop(ctx, sch.key, sch.version)
}
