package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
)

const bea = "1123456789abcdefghijklmnop"

// askMove asks that a subscriber's mail go to another.
func (p people) askMove(t *testing.T, from, to string) audience.Move {
	t.Helper()
	p.clock.pass(time.Second)
	m := audience.Move{From: from, To: to, Email: "new@example.org", Asked: p.clock.Now(), Expires: p.clock.Now().Add(audience.PendingLife),
		Event: audience.Event{Kind: audience.EventMoving, At: p.clock.Now(), How: audience.HowLink}}
	if err := p.AskMove(context.Background(), m, 100); err != nil {
		t.Fatal(err)
	}
	return m
}

func (p people) move(m audience.Move) (string, error) {
	p.clock.pass(time.Second)
	return p.Move(context.Background(), m.To, m.Asked, audience.Event{Kind: audience.EventConfirmed, At: p.clock.Now(), How: audience.HowLink})
}

func TestAMoveIsALeavingAndAJoining(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	m := p.askMove(t, ana, bea)
	for range 2 {
		if from, err := p.move(m); from != ana || err != nil {
			t.Errorf("moved from %q, %v", from, err)
		}
		p.is(t, ana, audience.Unsubscribed)
		if got := p.is(t, bea, audience.Confirmed); got.Name != "Ana" || len(got.Topics) != 2 || got.Email != "new@example.org" {
			t.Errorf("joined as %+v", got)
		}
	}
	if a, b := p.events(t, ana), p.events(t, bea); a != "requested~ confirmed moving unsubscribed" || b != "confirmed" {
		t.Errorf("events %q and %q", a, b)
	}
	back := p.askMove(t, bea, ana)
	if from, err := p.move(back); from != bea || err != nil {
		t.Errorf("moved back from %q, %v", from, err)
	}
	p.is(t, bea, audience.Unsubscribed)
	p.is(t, ana, audience.Confirmed)
	wantFault(t, "the first link", func() error { _, err := p.move(m); return err }(), fault.Gone)
}

func TestTellingTheOldAddress(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	told := func(message string, want bool) {
		t.Helper()
		if ok, err := p.Told(ctx, ana, message); ok != want || err != nil {
			t.Errorf("told by %s: %v, %v", message, ok, err)
		}
	}
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	wantFault(t, "leave", p.leave(ana), "")
	told("left by another way", false)
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	if _, err := p.move(p.askMove(t, ana, bea)); err != nil {
		t.Fatal(err)
	}
	told("m1", true)
	told("m1", true)
	told("m2", false)
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	told("m1", false)
}

// Whatever is pressed at once, never are both on the list who were not before, and who left stays off it.
func TestMovesAmongPresses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for n := range 30 {
		p := newPeople(t)
		wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
		m := p.askMove(t, ana, bea)
		var wg sync.WaitGroup
		var moved, left, erased error
		wg.Go(func() {
			_, moved = p.Move(ctx, bea, m.Asked, audience.Event{Kind: audience.EventConfirmed, At: p.clock.Now()})
		})
		wg.Go(func() {
			_, _ = p.Move(ctx, bea, m.Asked, audience.Event{Kind: audience.EventConfirmed, At: p.clock.Now()})
		})
		if n%2 == 0 {
			wg.Go(func() { left = p.leave(ana) })
		} else {
			wg.Go(func() { erased = p.Erase(ctx, ana, audience.Event{At: p.clock.Now()}) })
		}
		wg.Wait()
		if left != nil || erased != nil {
			t.Fatal(left, erased)
		}
		all, err := p.GetMany(ctx, []string{ana, bea})
		if err != nil {
			t.Fatal(err)
		}
		if all[ana].Status == audience.Confirmed || (moved == nil) != (all[bea].Status == audience.Confirmed) || moved != nil && !fault.Is(moved, fault.Gone) {
			t.Errorf("%v; %s and %s", moved, all[ana].Status, all[bea].Status)
		}
		if held, err := p.Held(ctx, ana); err != nil || n%2 == 1 && fmt.Sprint(held.Events, held.Moving) != "[] <nil>" {
			t.Errorf("held %+v, %v", held, err)
		}
	}
}
