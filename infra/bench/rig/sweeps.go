package rig

import (
	"context"
	"sync"
	"time"
)

// sweeps are EventBridge's schedules: those of each minute run every so often, and an invocation that fails has its next turn instead of
// Lambda's two retries, which come after a minute too.
type sweeps struct {
	rig   *Rig
	every time.Duration

	mu  sync.Mutex
	all map[string][]byte
}

// Has implements doors.Schedules.
func (s *sweeps) Has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name] != nil
}

// Once implements doors.Schedules.
func (s *sweeps) Once(_ context.Context, _ string, at time.Time, payload []byte) error {
	time.AfterFunc(time.Until(at), func() { s.rig.Invoke(s.rig.life, "dispatch", payload) })
	return nil
}

// EveryMinute implements doors.Schedules.
func (s *sweeps) EveryMinute(_ context.Context, name string, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[name] = payload
	return nil
}

// Delete implements doors.Schedules.
func (s *sweeps) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, name)
	return nil
}

// run fires what there is until the rig's end.
func (s *sweeps) run() {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.rig.life.Done():
			return
		}
		s.mu.Lock()
		var due [][]byte
		for _, payload := range s.all {
			due = append(due, payload)
		}
		s.mu.Unlock()
		for _, payload := range due {
			if _, err := s.rig.Invoke(s.rig.life, "dispatch", payload); err != nil {
				s.rig.counts.add("dispatch failures")
			}
		}
	}
}
