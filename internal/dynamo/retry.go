package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"tidings/internal/table"
)

// Conflicts between transactions last milliseconds, the SDK's backoff counts in seconds: its delays
// are divided, which gives means of 12, 25, 50 … 200 ms, and about 0.8 s in all.
const (
	maxAttempts    = 8
	maxBackoff     = 16 * time.Second
	backoffDivisor = 40
)

// busyCodes are the answers that say "later": as exceptions, and as reasons of a cancelled transaction.
var busyCodes = []string{
	"TransactionConflict", "TransactionConflictException", "TransactionInProgressException", "ThrottlingError", "ThrottlingException",
	"ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ReplicatedWriteConflictException",
}

// retry calls until the answer is not "later". It gives up with ErrBusy, also when ctx ends meanwhile.
func (t *Table) retry(ctx context.Context, call func() error) error {
	for attempt := 0; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := translate(call())
		if !errors.Is(err, table.ErrBusy) || attempt+1 == maxAttempts {
			return err
		}
		if err := t.sleep(ctx, attempt); err != nil {
			return fmt.Errorf("%w: %w", table.ErrBusy, err)
		}
	}
}

// drain calls until nothing is left. Only calls that get nothing done count as attempts.
func (t *Table) drain(ctx context.Context, left int, call func() (int, error)) error {
	for attempt := 0; left > 0; {
		before := left
		err := t.retry(ctx, func() (err error) {
			left, err = call()
			return err
		})
		if err != nil {
			return err
		}
		if left < before {
			attempt = 0
			continue
		}
		if attempt++; attempt == maxAttempts {
			return fmt.Errorf("%w: %d unprocessed", table.ErrBusy, left)
		}
		if err := t.sleep(ctx, attempt); err != nil {
			return fmt.Errorf("%w: %w", table.ErrBusy, err)
		}
	}
	return ctx.Err()
}

func (t *Table) sleep(ctx context.Context, attempt int) error {
	d, err := t.backoff.BackoffDelay(attempt, nil)
	if err != nil {
		return err
	}
	timer := time.NewTimer(d / backoffDivisor)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// translate gives DynamoDB's exceptions the errors of package table.
func translate(err error) error {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return translateReasons(cancelled)
	}
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		refusal, err := refusal(0, condition.Item)
		if err != nil {
			return err
		}
		return &table.RefusedError{Failed: []table.Refusal{refusal}}
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch {
	case slices.Contains(busyCodes, api.ErrorCode()):
		return fmt.Errorf("%w: %w", table.ErrBusy, err)
	case api.ErrorCode() == "ValidationException":
		return fmt.Errorf("%w: %w", table.ErrInvalid, err)
	}
	return err
}

// translateReasons reads a cancelled transaction's reasons, which stand in the order of its operations.
// An impossible operation weighs more than a conflict, and that more than a refusal: what the
// conflicting operation would have met is not known yet.
func translateReasons(cancelled *types.TransactionCanceledException) error {
	var refused []table.Refusal
	var busy, other error
	for i, reason := range cancelled.CancellationReasons {
		code := ""
		if reason.Code != nil {
			code = *reason.Code
		}
		switch {
		case code == "" || code == "None":
		case code == "ConditionalCheckFailed":
			r, err := refusal(i, reason.Item)
			if err != nil {
				return err
			}
			refused = append(refused, r)
		case code == "ValidationError":
			return fmt.Errorf("%w: operation %d: %s", table.ErrInvalid, i, message(reason))
		case slices.Contains(busyCodes, code):
			busy = fmt.Errorf("%w: operation %d: %s", table.ErrBusy, i, code)
		default:
			other = fmt.Errorf("operation %d: %s: %s", i, code, message(reason))
		}
	}
	switch {
	case other != nil:
		return other
	case busy != nil:
		return busy
	case refused != nil:
		return &table.RefusedError{Failed: refused}
	}
	return cancelled
}

func message(r types.CancellationReason) string {
	if r.Message == nil {
		return ""
	}
	return *r.Message
}

func refusal(op int, values map[string]types.AttributeValue) (table.Refusal, error) {
	if len(values) == 0 {
		return table.Refusal{Op: op}, nil
	}
	item, err := fromValues(values)
	return table.Refusal{Op: op, Item: item}, err
}
