package scheduler

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"time"
)

// A Group is the schedules that a function of Tidings makes and deletes; it is an app.Scheduler.
type Group struct {
	service                     *Service
	group, function, deadLetter string
}

// Group returns the schedules of a group, all of which invoke one function. deadLetter is the URL or ARN of a queue, or empty.
func (s *Service) Group(group, function, deadLetter string) *Group {
	return &Group{s, group, function, deadLetter}
}

// validName is what EventBridge Scheduler accepts as a name.
var validName = regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)

// Once invokes the function once, at a time in whole seconds, rounded up, or at once when that has passed. A schedule of the name is
// replaced.
func (g *Group) Once(ctx context.Context, name string, at time.Time, payload []byte) error {
	return g.change(ctx, name, func(*schedule) (*schedule, error) {
		due := at.UTC().Add(time.Second - 1).Truncate(time.Second)
		if now := g.service.Clock.Now(); !at.After(now) {
			due = now
		}
		return &schedule{expression: once, due: due, payload: payload}, nil
	})
}

// EveryMinute invokes the function each minute, first in a minute, until Delete. It is no error when it does so already.
func (g *Group) EveryMinute(ctx context.Context, name string, payload []byte) error {
	return g.change(ctx, name, func(old *schedule) (*schedule, error) {
		if old != nil && old.expression == minutely && bytes.Equal(old.payload, payload) {
			return nil, nil
		}
		repeats, err := parse(minutely, "")
		if err != nil {
			return nil, err
		}
		return &schedule{expression: minutely, repeats: repeats, due: repeats.next(g.service.Clock.Now()), payload: payload}, nil
	})
}

// Delete removes a schedule; it is no error when there is none. An invocation that has begun goes on.
func (g *Group) Delete(ctx context.Context, name string) error {
	return g.change(ctx, name, func(old *schedule) (*schedule, error) {
		if old == nil {
			return nil, nil
		}
		return nil, g.service.remove(ctx, old)
	})
}

// Has reports whether there is a schedule of the name. One that fires once is there until its invocation is over.
func (g *Group) Has(name string) bool {
	g.service.mu.Lock()
	defer g.service.mu.Unlock()
	return g.service.all[g.key(name)] != nil
}

func (g *Group) key(name string) string { return "G#" + g.group + "/" + name }

// change puts what f makes of the schedule that there is; nil changes nothing.
func (g *Group) change(ctx context.Context, name string, f func(old *schedule) (*schedule, error)) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("schedule name %q: only [0-9a-zA-Z-_.]{1,64}", name)
	}
	s := g.service
	_, end := s.Clock.Begin(ctx)
	defer end()
	s.mu.Lock()
	defer s.mu.Unlock()
	key := g.key(name)
	sch, err := f(s.all[key])
	if err == nil && sch != nil {
		sch.key, sch.version, sch.function, sch.deadLetter, sch.stop = key, s.NewID(), g.function, g.deadLetter, func() {}
		sch.payload = bytes.Clone(sch.payload)
		err = s.put(ctx, sch)
	}
	if err != nil {
		return fmt.Errorf("schedule %s: %w", name, err)
	}
	return nil
}
