package clock

import (
	"container/heap"
	"time"
)

// A waiter waits for the clock to reach a time: a timer or a sleeper.
type waiter struct {
	due   time.Time
	seq   uint64 // order among those due at the same time
	index int    // in the heap, -1 when it is not in it
	work  *work  // a sleeper's, which goes back into the count when it wakes; nil: waking counts as new work
	wake  func() // called under the clock's lock
}

// waiters is a heap by due time.
type waiters []*waiter

func (q waiters) Len() int { return len(q) }

func (q waiters) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].seq < q[j].seq
}

func (q waiters) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *waiters) Push(x any) {
	w := x.(*waiter)
	w.index = len(*q)
	*q = append(*q, w)
}

// Pop implements heap.Interface.
func (q *waiters) Pop() any {
	old := *q
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	w.index = -1
	return w
}

func (c *Clock) push(w *waiter) {
	c.seq++
	w.seq = c.seq
	heap.Push(&c.queue, w)
}

// remove takes a waiter out of the queue and reports whether it was in it.
func (c *Clock) remove(w *waiter) bool {
	if w.index < 0 {
		return false
	}
	heap.Remove(&c.queue, w.index)
	return true
}
