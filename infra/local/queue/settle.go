package queue

import (
	"context"
	"fmt"

	"tidings/internal/table"
)

// settle deletes the messages of a batch that did not fail. The others come again when their visibility timeout is over, also
// after a restart.
func (q *Queue) settle(ctx context.Context, batch []*message, failed map[string]bool) error {
	ctx = context.WithoutCancel(ctx) // what was done is done, also when the stack stops
	q.disk.Lock()
	defer q.disk.Unlock()
	var done, again []*message
	var rewrite []table.Item
	q.mu.Lock()
	for _, m := range batch {
		switch {
		case !failed[m.id]:
			done = append(done, m)
		case !m.gone:
			again = append(again, m)
			rewrite = append(rewrite, m.item(q.Name))
		}
	}
	q.mu.Unlock()
	if len(again) > 0 {
		if err := q.svc.Table.BatchPut(ctx, rewrite); err != nil {
			return fmt.Errorf("note %d failed messages: %w", len(again), err)
		}
	}
	if err := q.erase(ctx, done); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range done {
		q.shelf.remove(m)
	}
	return nil
}

// bury moves messages to the dead-letter queue, where they keep ID and age.
func (q *Queue) bury(ctx context.Context, dead []*message) error {
	ctx = context.WithoutCancel(ctx)
	q.disk.Lock()
	defer q.disk.Unlock()
	for _, m := range dead {
		q.mu.Lock()
		if m.gone { // deleted after all, by an invocation that took longer than the visibility timeout
			q.mu.Unlock()
			continue
		}
		now := q.svc.Clock.Now()
		moved := &message{
			id: m.id, seq: q.svc.seq.Add(1), body: m.body, sent: m.sent, visible: now,
			receives: m.receives - 1, from: q.Name, index: -1,
		}
		q.mu.Unlock()
		if _, err := q.svc.Table.Write(ctx, table.Delete(m.key(q.Name)), table.Put(moved.item(q.dlq.Name))); err != nil {
			return fmt.Errorf("move message %s: %w", m.id, err)
		}
		q.mu.Lock()
		q.shelf.remove(m)
		q.mu.Unlock()
		q.dlq.mu.Lock()
		q.dlq.put([]*message{moved})
		q.dlq.mu.Unlock()
		q.svc.Log.WarnContext(ctx, "message moved to the dead-letter queue", "queue", q.Name, "message", m.id, "receives", moved.receives)
	}
	return nil
}
