// Package scheduler sets the alarms of digests in EventBridge Scheduler. It exists so that a digest's hour, and the minutes
// while it goes out, cost nothing while nothing is due: a schedule is made for each, and removed when it is over.
package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// Schedules are the schedules of one group, which all invoke one target. The SDK's retries are on: every call can be repeated.
type Schedules struct {
	Client    *scheduler.Client
	Group     string
	RoleARN   string // what Scheduler assumes to invoke the target
	TargetARN string // the function that is invoked
	DLQARN    string // the queue for invocations that fail for good
	Now       func() time.Time
}

// soon is how far ahead an alarm is set whose hour has come: Scheduler refuses the past, and its clock is not ours.
const soon = 10 * time.Second

// tries bounds how often a schedule that others make and delete in between is written again.
const tries = 3

// validName is what Scheduler accepts as a name.
var validName = regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)

// Once invokes the target once with the payload, at a time in UTC (whole seconds, rounded up; Scheduler's precision is a
// minute), or as soon as can be when that has passed. A schedule of the name is replaced. It deletes itself when done.
func (s *Schedules) Once(ctx context.Context, name string, at time.Time, payload []byte) error {
	if first := s.Now().Add(soon); at.Before(first) {
		at = first
	}
	at = at.UTC().Add(time.Second - 1).Truncate(time.Second)
	// Late is better than never, for six hours; then an editor should decide, and the dead-letter queue alarms.
	err := s.put(ctx, name, "at("+at.Format("2006-01-02T15:04:05")+")", types.ActionAfterCompletionDelete, payload,
		types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(6 * 3600), MaximumRetryAttempts: aws.Int32(185)})
	if err != nil {
		return fmt.Errorf("schedule %s: %w", name, err)
	}
	return nil
}

// EveryMinute invokes the target each minute with the payload, until Delete. It is no error when it does so already.
func (s *Schedules) EveryMinute(ctx context.Context, name string, payload []byte) error {
	// One that fails is not tried for long: the next is a minute away.
	err := s.put(ctx, name, "rate(1 minute)", types.ActionAfterCompletionNone, payload,
		types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60), MaximumRetryAttempts: aws.Int32(1)})
	if err != nil {
		return fmt.Errorf("schedule %s each minute: %w", name, err)
	}
	return nil
}

// Delete removes a schedule; it is no error when there is none.
func (s *Schedules) Delete(ctx context.Context, name string) error {
	if !validName.MatchString(name) {
		return badName(name)
	}
	_, err := s.Client.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{
		Name: &name, GroupName: &s.Group, ClientToken: aws.String(s.token("delete", name)),
	})
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); err != nil && !gone {
		return fmt.Errorf("delete schedule %s: %w", name, err)
	}
	return nil
}

// put makes a schedule, or replaces the one of its name: UpdateSchedule resets every field that it is not given, so it is
// given all of them.
func (s *Schedules) put(ctx context.Context, name, expression string, after types.ActionAfterCompletion, payload []byte, retry types.RetryPolicy) error {
	if !validName.MatchString(name) {
		return badName(name)
	}
	in := scheduler.CreateScheduleInput{
		Name: &name, GroupName: &s.Group, State: types.ScheduleStateEnabled, ActionAfterCompletion: after,
		ScheduleExpression: &expression, ScheduleExpressionTimezone: aws.String("UTC"),
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		ClientToken:        aws.String(s.token("create", name, expression, string(payload))),
		Target: &types.Target{
			Arn: &s.TargetARN, RoleArn: &s.RoleARN, Input: aws.String(string(payload)),
			DeadLetterConfig: &types.DeadLetterConfig{Arn: &s.DLQARN}, RetryPolicy: &retry,
		},
	}
	var err error
	for range tries {
		if _, err = s.Client.CreateSchedule(ctx, &in); err == nil {
			return nil
		}
		if _, exists := errors.AsType[*types.ConflictException](err); !exists {
			return err
		}
		_, err = s.Client.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
			Name: in.Name, GroupName: in.GroupName, State: in.State, ActionAfterCompletion: in.ActionAfterCompletion,
			ScheduleExpression: in.ScheduleExpression, ScheduleExpressionTimezone: in.ScheduleExpressionTimezone,
			FlexibleTimeWindow: in.FlexibleTimeWindow, Target: in.Target,
			ClientToken: aws.String(s.token("update", name, expression, string(payload))),
		})
		if err == nil {
			return nil
		}
		_, gone := errors.AsType[*types.ResourceNotFoundException](err) // it has rung or was deleted since
		_, raced := errors.AsType[*types.ConflictException](err)
		if !gone && !raced {
			return err
		}
	}
	return err
}

func badName(name string) error {
	return fmt.Errorf("schedule name %q: only [0-9a-zA-Z-_.]{1,64}", name)
}

// token makes the client token of a request: the same for the same request within a minute, so that a repetition is
// recognised. Not for longer, since one that is made again after it was deleted is not a repetition.
func (s *Schedules) token(parts ...string) string {
	h := sha256.New()
	for _, p := range append(parts, s.Now().UTC().Format("2006-01-02T15:04")) {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)) // 64 characters, the most there may be
}
