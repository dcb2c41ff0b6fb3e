package bolt

import (
	"context"
	"errors"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	"tidings/internal/table"
)

// Write implements table.Table. Writers take turns, so there are no conflicts and never ErrBusy.
func (s *Store) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	err := table.CheckWrite(ops)
	if err == nil {
		err = ctx.Err()
	}
	var answer table.Item
	if err == nil {
		err = s.db.Update(func(tx *bbolt.Tx) error {
			answer, err = write(ctx, tx, ops)
			return err
		})
	}
	if err != nil {
		where := ""
		if len(ops) > 0 {
			where = " " + ops[0].Key.PK + "/" + ops[0].Key.SK
		}
		return nil, fmt.Errorf("bolt: write%s (%d operations): %w", where, len(ops), err)
	}
	return answer, nil
}

// A step is one operation with what it met and what it makes of that.
type step struct {
	key      []byte
	old, new []byte
	changes  bool // false for a check
	met      table.Item
	item     table.Item // the item afterwards, nil when there is none
}

// write plans every operation before it stores any. An operation that cannot be carried out
// (ErrInvalid) weighs more than refusals, as in DynamoDB.
func write(ctx context.Context, tx *bbolt.Tx, ops []table.Op) (table.Item, error) {
	steps, err := plan(tx, ops, table.Metered(ctx))
	if err != nil {
		if refused, ok := errors.AsType[*table.RefusedError](err); ok && table.Metered(ctx) {
			table.Report(ctx, table.RefusedUnits(ops, refused))
		}
		return nil, err
	}
	for _, st := range steps {
		if table.Metered(ctx) {
			table.Report(ctx, st.units(table.Transactional(ops)))
		}
		if !st.changes || st.old == nil && st.new == nil {
			continue
		}
		if err := store(tx, st.key, st.old, st.new); err != nil {
			return nil, err
		}
	}
	if len(ops) > 1 {
		return nil, nil
	}
	return steps[0].answer(ops[0].Kind), nil
}

// plan evaluates all operations. The error is ErrInvalid or a refusal.
func plan(tx *bbolt.Tx, ops []table.Op, metered bool) ([]step, error) {
	steps := make([]step, len(ops))
	var refused []table.Refusal
	total := 0
	for i, op := range ops {
		ok, err := steps[i].evaluate(tx, op, metered)
		if err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		if !ok {
			refused = append(refused, table.Refusal{Op: i, Item: steps[i].met})
		}
		if len(ops) > 1 {
			total += table.Size(steps[i].item)
		}
	}
	if total > table.MaxWriteBytes {
		return nil, fmt.Errorf("%w: write of %d bytes, at most %d", table.ErrInvalid, total, table.MaxWriteBytes)
	}
	if refused != nil {
		return nil, &table.RefusedError{Failed: refused}
	}
	return steps, nil
}

// evaluate reads the item, tests the condition and computes the item afterwards.
func (st *step) evaluate(tx *bbolt.Tx, op table.Op, metered bool) (ok bool, err error) {
	st.key = mainKey(op.Key)
	st.old = tx.Bucket(bucketItems).Get(st.key)
	st.changes = op.Kind != table.OpCheck
	if st.old != nil && (op.If != nil || op.Kind != table.OpPut || metered) {
		if st.met, err = decodeItem(op.Key, st.old); err != nil {
			return false, err
		}
	}
	if op.If != nil && !holds(op.If, st.met) {
		return false, nil
	}
	switch op.Kind {
	case table.OpPut:
		st.item = table.Clone(op.Item)
	case table.OpUpdate:
		if st.item, err = apply(op.Key, st.met, op.Actions); err != nil {
			return false, err
		}
	default:
		return true, nil
	}
	st.new = encodeItem(st.item)
	return true, nil
}

// units is what this step costs on DynamoDB.
func (st *step) units(transactional bool) table.Capacity {
	if !st.changes {
		return table.WriteUnits(st.met, st.met, transactional)
	}
	return table.WriteUnits(st.met, st.item, transactional)
}

// answer is what a Write of this one operation returns.
func (st *step) answer(kind table.OpKind) table.Item {
	switch kind {
	case table.OpPut, table.OpUpdate:
		return st.item
	case table.OpDelete:
		return st.met
	}
	return nil
}
