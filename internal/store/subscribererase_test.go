package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/table"
)

func (p people) erase(t *testing.T, id string) {
	t.Helper()
	p.clock.pass(time.Second)
	if err := p.Erase(context.Background(), id, audience.Event{At: p.clock.Now()}); err != nil {
		t.Fatal(err)
	}
}

func TestErasureKeepsTheSuppression(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for status, c := range map[audience.Status]struct {
		become func(people) error
		reason audience.Status
		answer audience.Answer
	}{
		audience.Confirmed:    {func(people) error { return nil }, audience.Unsubscribed, audience.Ask},
		audience.Unsubscribed: {func(p people) error { return p.leave(ana) }, audience.Unsubscribed, audience.Ask},
		audience.Bounced:      {func(p people) error { return p.Bounced(ctx, ana) }, audience.Bounced, audience.AskOnce},
		audience.Complained:   {func(p people) error { return p.Complained(ctx, ana) }, audience.Complained, audience.AskOnce},
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			p := newPeople(t)
			ep := p.signUp(t, ana)
			wantFault(t, "confirm", p.confirm(ep), "")
			wantFault(t, "become", c.become(p), "")
			left := p.is(t, ana, status).LeftAt
			p.signUp(t, ana)
			if c.answer == audience.AskOnce {
				if ok, err := p.AskSuppressed(ctx, ana, "m1"); !ok || err != nil {
					t.Fatal(ok, err)
				}
			}
			for range 2 {
				p.erase(t, ana)
				got := p.is(t, ana, audience.Erased)
				if left.IsZero() {
					left = got.LeftAt
				}
				want := audience.Subscriber{ID: ana, Status: audience.Erased, Reason: c.reason, LeftAt: left}
				if fmt.Sprint(got) != fmt.Sprint(want) || p.events(t, ana) != "" || p.standing(t, ana).Waits {
					t.Errorf("erased: %+v, want %+v, events %q", got, want, p.events(t, ana))
				}
			}
			wantFault(t, "confirm by the old link", p.confirm(ep), fault.Gone)
			wantFault(t, "leave", p.leave(ana), "")
			p.signUp(t, ana)
			if st := p.standing(t, ana); st.Answer() != c.answer {
				t.Errorf("a sign-up is answered by %s", st.Answer())
			}
			if ok, err := p.AskSuppressed(ctx, ana, "m2"); ok || err != nil {
				t.Errorf("asked again within 90 days: %v, %v", ok, err)
			}
			p.clock.pass(audience.SuppressedEvery + time.Hour)
			if ok, err := p.AskSuppressed(ctx, ana, "m3"); ok != (c.answer == audience.AskOnce) || err != nil {
				t.Errorf("asked after 90 days: %v, %v", ok, err)
			}
			wantFault(t, "confirm anew", p.confirm(p.signUp(t, ana)), "")
			if back := p.is(t, ana, audience.Confirmed); back.Reason != "" || !back.LeftAt.IsZero() {
				t.Errorf("came back as %+v", back)
			}
		})
	}
}

func TestReportsAfterAnErasure(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	p.erase(t, ana)
	for _, c := range []struct {
		report func(context.Context, string) error
		want   audience.Status
	}{{p.Bounced, audience.Bounced}, {p.Complained, audience.Complained}, {p.Bounced, audience.Complained}} {
		wantFault(t, "report", c.report(ctx, ana), "")
		if got := p.is(t, ana, audience.Erased); got.Reason != c.want || p.events(t, ana) != "" {
			t.Errorf("reason %s, want %s; events %q", got.Reason, c.want, p.events(t, ana))
		}
	}
}

func TestErasingWhatIsNotThere(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.db.Reset()
	p.erase(t, ana)
	if u := p.db.Reset(); u.Transact.Calls+u.Write.Calls > 0 {
		t.Errorf("erasing nobody wrote %+v", u)
	}
	ep := p.signUp(t, ana) // never confirmed
	p.erase(t, ana)
	if got := p.is(t, ana, audience.Erased); got.Reason != audience.Unsubscribed || p.events(t, ana) != "" {
		t.Errorf("who never confirmed is %+v, events %q", got, p.events(t, ana))
	}
	wantFault(t, "confirm", p.confirm(ep), fault.Gone)
}

func TestErasingAThousandEvents(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	for n := range 1000 {
		if _, err := p.db.Write(ctx, table.Put(table.Item{table.PK: "S#" + ana, table.SK: fmt.Sprintf("E#1%04d", n), "doc": []byte(`{"kind":"changed"}`)})); err != nil {
			t.Fatal(err)
		}
	}
	p.erase(t, ana)
	held, err := p.Held(ctx, ana)
	if err != nil || len(held.Events) > 0 || held.Subscriber.Status != audience.Erased {
		t.Errorf("held %+v, %v", held, err)
	}
}

// Whatever happens at the same time, after an erasure nobody is on the list by what was before it.
func TestErasingAmongPresses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for n := range 30 {
		p := newPeople(t)
		id := fmt.Sprintf("%026d", n)
		if n%2 == 0 {
			wantFault(t, "confirm", p.confirm(p.signUp(t, id)), "")
		}
		ep := p.signUp(t, id)
		name := "Ana"
		var wg sync.WaitGroup
		erased := false
		wg.Go(func() { erased = p.Erase(ctx, id, audience.Event{At: p.clock.Now()}) == nil })
		wg.Go(func() { _ = p.confirm(ep) })
		wg.Go(func() { _ = p.leave(id) })
		wg.Go(func() { _ = p.Bounced(ctx, id) })
		wg.Go(func() {
			_ = p.Change(ctx, id, audience.Change{Name: &name}, audience.Event{Kind: audience.EventChanged, Name: name, At: p.clock.Now()}, 50)
		})
		wg.Wait()
		if !erased {
			p.erase(t, id)
		}
		held, err := p.Held(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if s := held.Subscriber; s.Status == audience.Erased && (s.Email != "" || s.Name != "" || len(held.Events) > 0 || held.Waits) {
			t.Errorf("erased, and still there: %+v", held)
		} else if s.Status != audience.Erased {
			// Only when nothing was there yet to erase can another have come first; here there always was a sign-up.
			t.Errorf("after an erasure: %+v", held)
		}
		p.is(t, id, held.Subscriber.Status)
	}
}

func TestChangeKnowsItsOwnSuccess(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	id := p.NewID
	p.NewID = func() string { return "same" }
	name := "Zoë"
	for range 2 { // a write whose answer was lost is sent once more
		e := audience.Event{Kind: audience.EventChanged, At: p.clock.Now(), Name: name, Changed: []string{"name"}}
		wantFault(t, "change", p.Change(ctx, ana, audience.Change{Name: &name}, e, 1), "")
	}
	p.NewID = id
	wantFault(t, "beyond the limit", p.Change(ctx, ana, audience.Change{Name: &name}, audience.Event{}, 1), fault.Limited)
	if got := p.is(t, ana, audience.Confirmed); got.Name != name || len(got.Topics) != 2 {
		t.Errorf("changed to %+v", got)
	}
	if got, want := p.events(t, ana), "requested~ confirmed changed"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
	wantFault(t, "of an unknown", p.Change(ctx, "1"+ana[1:], audience.Change{Name: &name}, audience.Event{}, 50), fault.Gone)
}

func TestWelcomesAreCountedOnce(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	welcome := func(message string, want bool) {
		t.Helper()
		if ok, err := p.Welcome(ctx, ana, message); ok != want || err != nil {
			t.Errorf("welcome by %s: %v, %v", message, ok, err)
		}
	}
	welcome("m0", false)
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	welcome("m1", true)
	welcome("m1", true) // the same message again
	welcome("m2", false)
	wantFault(t, "leave", p.leave(ana), "")
	welcome("m1", false)
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	welcome("m3", true)
}
