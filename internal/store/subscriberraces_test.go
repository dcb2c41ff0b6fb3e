package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// together runs functions at once and waits for all.
func together(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		wg.Go(f)
	}
	wg.Wait()
}

func TestTwoPressesAreOneConfirmation(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	for n := range 30 {
		id := fmt.Sprintf("%026d", n)
		ep := p.signUp(t, id)
		errs := make([]error, 4)
		var presses []func()
		for i := range errs {
			presses = append(presses, func() { errs[i] = p.confirm(ep) })
		}
		together(presses...)
		for _, err := range errs {
			wantFault(t, "press", err, "")
		}
		p.is(t, id, audience.Confirmed)
		if got, want := p.events(t, id), "requested~ confirmed"; got != want {
			t.Errorf("events %q, want %q", got, want)
		}
	}
}

// Whoever confirms and leaves at once has left when both are answered, or never came: after a 200 for leaving nobody
// is on the list who does not confirm after it.
func TestConfirmAgainstLeave(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	for n := range 60 {
		id := fmt.Sprintf("%026d", n)
		ep := p.signUp(t, id)
		var confirmed, left error
		together(func() { confirmed = p.confirm(ep) }, func() { left = p.leave(id) })
		wantFault(t, "leave", left, "")
		want := audience.Unsubscribed
		if confirmed != nil {
			wantFault(t, "confirm", confirmed, fault.Gone)
			want = ""
		}
		p.is(t, id, want)
		wantFault(t, "confirm once more", p.confirm(ep), fault.Gone)
	}
}

func TestSignUpsAtOnceAllCount(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	const limit = 20
	errs := make([]error, 30)
	var all []func()
	for i := range errs {
		all = append(all, func() {
			errs[i] = p.Add(context.Background(), audience.Request{ID: ana, Email: "a@b.org", Event: audience.Event{At: p.clock.Now(), IPHash: "x"}}, limit)
		})
	}
	together(all...)
	ok := 0
	for _, err := range errs {
		if err == nil {
			ok++
		} else if !fault.Is(err, fault.Limited) {
			t.Error(err)
		}
	}
	if ok != limit {
		t.Errorf("%d of %d got through, want %d", ok, len(errs), limit)
	}
}

// between runs a hook before the n-th write: what another process does in the meantime.
type between struct {
	table.Table
	hook func()
}

func (b *between) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	if h := b.hook; h != nil {
		b.hook = nil
		h()
	}
	return b.Table.Write(ctx, ops...)
}

// twice carries each write out two times, and answers with the second: the answer to the first was lost.
type twice struct{ table.Table }

func (w twice) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	w.Table.Write(ctx, ops...)
	return w.Table.Write(ctx, ops...)
}

func TestChangesInTheMeantime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(p people, ep audience.Episode) error
		confirm   fault.Code
		status    audience.Status
	}{
		"another sign-up": {func(p people, ep audience.Episode) error { return add(p, ep.ID) }, "", audience.Confirmed},
		"the other press": {func(p people, ep audience.Episode) error { return p.confirm(ep) }, "", audience.Confirmed},
		"leaving":         {func(p people, ep audience.Episode) error { return p.leave(ep.ID) }, fault.Gone, ""},
		"came and left":   {func(p people, ep audience.Episode) error { return firstErr(p.confirm(ep), p.leave(ep.ID)) }, fault.Gone, audience.Unsubscribed},
		"a new episode":   {func(p people, ep audience.Episode) error { return firstErr(p.leave(ep.ID), add(p, ep.ID)) }, fault.Gone, ""},
		"came, complained": {func(p people, ep audience.Episode) error {
			return firstErr(p.confirm(ep), p.Complained(context.Background(), ep.ID))
		}, fault.Gone, audience.Complained},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeople(t)
			ep := p.signUp(t, ana)
			slow := p
			slow.Table = &between{p.Table, func() { wantFault(t, name, c.meanwhile(p, ep), "") }}
			wantFault(t, "confirm", slow.confirm(ep), c.confirm)
			p.is(t, ana, c.status)
		})
		t.Run(name+" before leaving", func(t *testing.T) {
			t.Parallel()
			p := newPeople(t)
			ep := p.signUp(t, ana)
			slow := p
			slow.Table = &between{p.Table, func() { wantFault(t, name, c.meanwhile(p, ep), "") }}
			wantFault(t, "leave", slow.leave(ana), "")
			p.clock.pass(1)
			wantFault(t, "confirm after it", p.confirm(ep), fault.Gone)
			if ids, err := p.Mailable(context.Background(), audience.Partition(ana), "", 1); err != nil || len(ids) > 0 {
				t.Errorf("on the list after leaving: %v, %v", ids, err)
			}
		})
	}
}

func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func add(p people, id string) error {
	p.clock.pass(1e9)
	return p.Add(context.Background(), audience.Request{ID: id, Email: "other@example.org", Event: audience.Event{At: p.clock.Now(), IPHash: "y"}}, 60)
}

func TestLostAnswersAreSuccesses(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	retried := p
	retried.Table = twice{p.Table}
	for range 3 { // the third meets the limit, but only with its own second attempt
		if err := retried.Add(ctx, audience.Request{ID: ana, Email: "a@b.org", Event: audience.Event{At: p.clock.Now(), IPHash: "x"}}, 3); err != nil {
			t.Fatal(err)
		}
	}
	ep := p.standing(t, ana).Episode
	wantFault(t, "confirm", retried.confirm(ep), "")
	p.is(t, ana, audience.Confirmed)
	wantFault(t, "leave", retried.leave(ana), "")
	p.is(t, ana, audience.Unsubscribed)
	for _, m := range []string{"m1", "m2", "m3"} {
		if ok, err := retried.CountMail(ctx, ana, m, 3); !ok || err != nil {
			t.Errorf("count %s: %v, %v", m, ok, err)
		}
	}
	if ok, err := retried.CountMail(ctx, ana, "m4", 3); ok || err != nil {
		t.Errorf("count a fourth: %v, %v", ok, err)
	}
	wantFault(t, "bounce", retried.Bounced(ctx, ana), "")
	if ok, err := retried.AskSuppressed(ctx, ana, "m1"); !ok || err != nil {
		t.Errorf("ask: %v, %v", ok, err)
	}
}

// busy is a table that never finds the time.
type busy struct{ table.Table }

func (busy) Write(context.Context, ...table.Op) (table.Item, error) {
	return nil, fmt.Errorf("write: %w", table.ErrBusy)
}

// contended is a table on which somebody else is always faster.
type contended struct{ table.Table }

func (contended) Write(_ context.Context, ops ...table.Op) (table.Item, error) {
	return nil, &table.RefusedError{Failed: []table.Refusal{{Op: 1}}}
}

func TestABusyTableAsksToComeAgain(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ep := p.signUp(t, ana)
	slow := p
	slow.Table = busy{p.Table}
	wantFault(t, "sign-up", add(slow, ana), fault.Unavailable)
	wantFault(t, "confirm", slow.confirm(ep), fault.Unavailable)
	wantFault(t, "leave", slow.leave(ana), fault.Unavailable)
	if err := slow.Bounced(context.Background(), ana); !errors.Is(err, table.ErrBusy) {
		t.Errorf("bounce: %v", err)
	}
	slow.Table = contended{p.Table}
	wantFault(t, "confirm, contended", slow.confirm(ep), fault.Unavailable)
	p.is(t, ana, "")
}

func TestMailablePagesInOrder(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	var want []string
	for n := range 25 {
		id := fmt.Sprintf("%026d", n*7)
		want = append(want, id)
		wantFault(t, "confirm", p.confirm(p.signUp(t, id)), "")
	}
	wantFault(t, "confirm one of another partition", p.confirm(p.signUp(t, "v"+ana[1:])), "")
	for limit := 1; limit <= 30; limit++ {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			ids, err := p.Mailable(ctx, 0, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, ids...); len(ids) < limit {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %d: %v", limit, got)
		}
	}
	all, err := p.GetMany(ctx, append(slices.Clone(want), "nobody"))
	if err != nil || len(all) != len(want) {
		t.Errorf("%d of %d, %v", len(all), len(want), err)
	}
}
