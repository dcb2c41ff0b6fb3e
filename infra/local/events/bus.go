// Package events is EventBridge's default bus inside the local stack's process: rules that match events, transform what they match
// and put it into queues. SES's events reach the feedback function only through the template's own rule, so that the local stack shows
// what AWS would: that nothing personal passes.
package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tidings/infra/local/clock"
)

// A Rule is AWS::Events::Rule with one target.
type Rule struct {
	Name     string
	Pattern  map[string]any    // EventPattern: objects, and lists of values to equal
	Paths    map[string]string // InputPathsMap
	Template string            // InputTemplate; empty: the event goes on as it came
	Target   string            // URL or ARN of a queue
}

// A Queue takes what a rule makes of events.
type Queue interface {
	SendAll(ctx context.Context, bodies [][]byte) error
}

// A Bus takes events and gives them to its rules.
type Bus struct {
	clock *clock.Clock
	rules []rule
}

// A rule is a compiled one.
type rule struct {
	name     string
	pattern  object
	template *template // nil: the event goes on as it came
	queue    Queue
}

// New compiles the rules. queue finds a target. What a rule uses that is not understood here is an error, so that it can't be
// silently ignored.
func New(clk *clock.Clock, rules []Rule, queue func(ref string) Queue) (*Bus, error) {
	b := &Bus{clock: clk}
	for _, r := range rules {
		compiled := rule{name: r.Name, queue: queue(r.Target)}
		var err error
		if compiled.pattern, err = compilePattern(r.Pattern); err != nil {
			return nil, fmt.Errorf("rule %s: event pattern: %w", r.Name, err)
		}
		if r.Template != "" {
			if compiled.template, err = compileTemplate(r.Template, r.Paths); err != nil {
				return nil, fmt.Errorf("rule %s: input transformer: %w", r.Name, err)
			}
		}
		b.rules = append(b.rules, compiled)
	}
	return b, nil
}

// Publish gives events, each a JSON envelope (source, detail-type, detail, …), to the rules. They are work in flight until they
// are in the queues. An event that is no JSON object, or a queue that fails, is an error that does not keep the others.
func (b *Bus) Publish(ctx context.Context, events ...[]byte) error {
	ctx, end := b.clock.Begin(ctx)
	defer end()
	var all []error
	bodies := make([][][]byte, len(b.rules))
	for i, event := range events {
		envelope, err := decode(event)
		if err != nil {
			all = append(all, fmt.Errorf("publish event %d of %d: %w", i+1, len(events), err))
			continue
		}
		for j, r := range b.rules {
			if !r.pattern.matches(envelope) {
				continue
			}
			body := event
			if r.template != nil {
				body = r.template.fill(envelope)
			}
			bodies[j] = append(bodies[j], body)
		}
	}
	for j, r := range b.rules {
		if len(bodies[j]) == 0 {
			continue
		}
		if err := r.queue.SendAll(ctx, bodies[j]); err != nil {
			all = append(all, fmt.Errorf("rule %s: %w", r.name, err))
		}
	}
	return errors.Join(all...)
}

// decode reads an envelope, with numbers as they are written. Its errors repeat nothing of the event, which is full of addresses.
func decode(event []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	var envelope map[string]any
	if err := d.Decode(&envelope); err != nil || envelope == nil || d.More() {
		return nil, errors.New("not a JSON object")
	}
	return envelope, nil
}
