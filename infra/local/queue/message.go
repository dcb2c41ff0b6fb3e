package queue

import (
	"container/heap"
	"container/list"
	"fmt"
	"strconv"
	"time"

	"tidings/internal/table"
)

// A message is one message, in memory and as an item of the table. Its fields are guarded by its queue's lock.
type message struct {
	id       string
	seq      uint64 // its place in the table
	body     []byte
	sent     time.Time
	visible  time.Time // when it can be received (again)
	receives int
	first    time.Time // of the receives; not kept
	from     string    // the queue that gave it up

	all, ready *list.Element // in the queue's lists
	index      int           // in the queue's heap, -1 when it is not in it
	gone       bool          // deleted, moved or expired
}

// Attributes of the item. Times are Unix milliseconds.
const (
	attrID       = "id"
	attrBody     = "body"
	attrSent     = "sent"
	attrVisible  = "visible"
	attrReceives = "receives"
	attrFrom     = "from"
)

func partition(queue string) string { return "QUEUE#" + queue }

func (m *message) key(queue string) table.Key {
	return table.Key{PK: partition(queue), SK: fmt.Sprintf("%020d", m.seq)}
}

func (m *message) item(queue string) table.Item {
	key := m.key(queue)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, attrID: m.id, attrBody: m.body,
		attrSent: m.sent.UnixMilli(), attrVisible: m.visible.UnixMilli(), attrReceives: int64(m.receives),
	}
	if m.from != "" {
		item[attrFrom] = m.from
	}
	return item
}

// parse reads what item made.
func parse(item table.Item) (*message, error) {
	m := &message{index: -1}
	sk, _ := item[table.SK].(string)
	seq, err := strconv.ParseUint(sk, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("message with the sort key %q", sk)
	}
	var ok [5]bool
	m.seq = seq
	m.id, ok[0] = item[attrID].(string)
	m.body, ok[1] = item[attrBody].([]byte)
	sent, ok2 := item[attrSent].(int64)
	visible, ok3 := item[attrVisible].(int64)
	receives, ok4 := item[attrReceives].(int64)
	ok[2], ok[3], ok[4] = ok2, ok3, ok4
	for _, ok := range ok {
		if !ok {
			return nil, fmt.Errorf("message %s lacks an attribute", sk)
		}
	}
	m.sent, m.visible, m.receives = time.UnixMilli(sent).UTC(), time.UnixMilli(visible).UTC(), int(receives)
	m.from, _ = item[attrFrom].(string)
	return m, nil
}

// hidden is a heap of messages that can't be received yet, by when they can.
type hidden []*message

func (h hidden) Len() int { return len(h) }

func (h hidden) Less(i, j int) bool {
	if !h[i].visible.Equal(h[j].visible) {
		return h[i].visible.Before(h[j].visible)
	}
	return h[i].seq < h[j].seq
}

func (h hidden) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *hidden) Push(x any) {
	m := x.(*message)
	m.index = len(*h)
	*h = append(*h, m)
}

// Pop implements heap.Interface.
func (h *hidden) Pop() any {
	old := *h
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	m.index = -1
	return m
}

// A shelf holds the messages of one queue in the orders that are asked for: by age, by readiness, by visibility.
// Each operation costs at most the logarithm of their number.
type shelf struct {
	all    list.List // by time sent
	ready  list.List // to be received, in the order in which they became so
	hidden hidden
	flying int // hidden that have been received
}

// add takes in a message at a time.
func (s *shelf) add(m *message, now time.Time) {
	at := s.all.Back()
	for at != nil && at.Value.(*message).sent.After(m.sent) { // rare: a message of a dead-letter queue keeps its age
		at = at.Prev()
	}
	if at == nil {
		m.all = s.all.PushFront(m)
	} else {
		m.all = s.all.InsertAfter(m, at)
	}
	s.place(m, now)
}

// place makes a message ready or hides it. It is in neither place before.
func (s *shelf) place(m *message, now time.Time) {
	if m.visible.After(now) {
		heap.Push(&s.hidden, m)
		if !m.first.IsZero() {
			s.flying++
		}
		return
	}
	m.ready = s.ready.PushBack(m)
}

// take takes a message out of where place had put it.
func (s *shelf) take(m *message) {
	if m.ready != nil {
		s.ready.Remove(m.ready)
		m.ready = nil
		return
	}
	if m.index >= 0 {
		heap.Remove(&s.hidden, m.index)
		if !m.first.IsZero() {
			s.flying--
		}
	}
}

// remove forgets a message.
func (s *shelf) remove(m *message) {
	if m.gone {
		return
	}
	m.gone = true
	s.take(m)
	s.all.Remove(m.all)
}

// reveal makes ready what has become visible.
func (s *shelf) reveal(now time.Time) {
	for len(s.hidden) > 0 && !s.hidden[0].visible.After(now) {
		m := s.hidden[0]
		s.take(m)
		m.ready = s.ready.PushBack(m)
	}
}

// expired returns the messages that were sent before a time.
func (s *shelf) expired(before time.Time) []*message {
	var out []*message
	for e := s.all.Front(); e != nil && e.Value.(*message).sent.Before(before); e = e.Next() {
		out = append(out, e.Value.(*message))
	}
	return out
}
