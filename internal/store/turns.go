package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// Turn implements delivery.Turns.
func (s Deliveries) Turn(ctx context.Context, id string, from []digest.Status, to digest.Status, reason string, baseline *digest.Progress) error {
	op, token := s.Digests.MoveOp(id, to, reason), s.Digests.NewID()
	op.Actions = append(op.Actions, table.Set("token", token))
	if baseline != nil {
		doc, err := json.Marshal(baseline)
		if err != nil {
			return fmt.Errorf("encode baseline of digest %s: %w", id, err)
		}
		op.Actions = append(op.Actions, table.Set("baseline", doc))
	}
	conds := make([]table.Cond, len(from))
	for i, f := range from {
		conds[i] = table.Eq("status", string(f))
	}
	_, err := s.Digests.Table.Write(ctx, op.When(table.And(table.Exists("started"), table.Or(conds...))))
	met, refused := table.Refused(err, 0)
	switch {
	case refused && met == nil:
		return noDigest()
	case refused && str(met, "token") != token:
		return fault.New(fault.Conflict, "The digest is %s and can't be %s.", str(met, "status"), map[digest.Status]string{
			digest.Paused: "paused", digest.Sending: "resumed", digest.Cancelled: "cancelled",
		}[to])
	case err != nil && !refused:
		return fmt.Errorf("turn digest %s to %s: %w", id, to, err)
	}
	return nil
}
