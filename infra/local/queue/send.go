package queue

import (
	"context"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"tidings/internal/table"
)

const (
	// maxDelay is SQS's longest delay; as package sqs does, a longer one is cut to it.
	maxDelay = 15 * time.Minute
	// maxBody is less than SQS's 1 MiB, since an item of the table ends at 400 KB. Tidings' messages have a few hundred bytes.
	maxBody = 384 * 1024
)

// A Queue is one queue; it is an app.Queue.
type Queue struct {
	Spec
	svc *Service // nil: there is no such queue
	dlq *Queue   // nil: none

	// disk orders deletions and rewrites of items, so that a rewrite brings back nothing that was deleted. It is taken before mu.
	disk sync.Mutex

	mu     sync.Mutex
	shelf  shelf
	poller *poller // nil: nobody reads
	armed  time.Time
	disarm func()
}

// Send puts a message in the queue, visible after delay (0 to 15 minutes, whole seconds, rounded up, as package sqs does).
func (q *Queue) Send(ctx context.Context, body []byte, delay time.Duration) error {
	return q.send(ctx, [][]byte{body}, delay)
}

// SendAll puts messages in the queue, in one write of the table.
func (q *Queue) SendAll(ctx context.Context, bodies [][]byte) error { return q.send(ctx, bodies, 0) }

// send is in flight until the messages are on the shelf, from where the clock knows of them.
func (q *Queue) send(ctx context.Context, bodies [][]byte, delay time.Duration) error {
	if err := q.check(ctx, bodies); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	if len(bodies) == 0 {
		return nil
	}
	_, end := q.svc.Clock.Begin(ctx)
	defer end()
	now := q.svc.Clock.Now()
	delay = (min(max(delay, 0), maxDelay) + time.Second - 1).Truncate(time.Second)
	last := q.svc.seq.Add(uint64(len(bodies)))
	messages := make([]*message, len(bodies))
	items := make([]table.Item, len(bodies))
	for i, body := range bodies {
		messages[i] = &message{
			id: q.svc.NewID(), seq: last - uint64(len(bodies)-1-i), body: append([]byte{}, body...),
			sent: now, visible: now.Add(delay), index: -1,
		}
		items[i] = messages[i].item(q.Name)
	}
	if err := q.svc.committer.put(items); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(messages)
	return nil
}

// put puts messages on the shelf. It needs q.mu.
func (q *Queue) put(messages []*message) {
	now := q.svc.Clock.Now()
	for _, m := range messages {
		q.shelf.add(m, now)
	}
	q.pump()
}

// check refuses what SQS refuses.
func (q *Queue) check(ctx context.Context, bodies [][]byte) error {
	if q.svc == nil {
		return fmt.Errorf("queue %s does not exist", q.Name)
	}
	for _, body := range bodies {
		if len(body) == 0 || len(body) > maxBody {
			return fmt.Errorf("message of %d bytes for queue %s, 1 to %d are allowed", len(body), q.Name, maxBody)
		}
		if !allowed(body) {
			return fmt.Errorf("message for queue %s holds characters that SQS does not take", q.Name)
		}
	}
	return ctx.Err()
}

// allowed reports whether a body has only the characters of SQS's SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD |
// #x10000 to #x10FFFF, in UTF-8.
func allowed(body []byte) bool {
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return false
		}
		i += n
	}
	return true
}

// tidy forgets what is too old and makes ready what has become visible. It needs q.mu.
func (q *Queue) tidy(now time.Time) {
	if old := q.shelf.expired(now.Add(-q.Retention)); len(old) > 0 {
		for _, m := range old {
			q.shelf.remove(m)
		}
		ctx, end := q.svc.Clock.Begin(context.Background())
		go func() {
			defer end()
			q.disk.Lock()
			defer q.disk.Unlock()
			if err := q.erase(ctx, old); err != nil {
				q.svc.Log.ErrorContext(ctx, "expired messages stay in the table", "queue", q.Name, "error", err)
			}
		}()
	}
	q.shelf.reveal(now)
}

// erase deletes messages from the table. It needs q.disk.
func (q *Queue) erase(ctx context.Context, messages []*message) error {
	for len(messages) > 0 {
		n := min(len(messages), table.MaxOps)
		ops := make([]table.Op, n)
		for i, m := range messages[:n] {
			ops[i] = table.Delete(m.key(q.Name))
		}
		if _, err := q.svc.Table.Write(ctx, ops...); err != nil {
			return fmt.Errorf("delete messages: %w", err)
		}
		messages = messages[n:]
	}
	return nil
}
