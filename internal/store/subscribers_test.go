package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/store"
	"tidings/internal/table"
)

// people is a store of subscribers on an engine of its own, with a clock that stands still.
type people struct {
	store.Subscribers
	db    *table.Counter
	clock *clock
}

// clock is set by the test, and read from many goroutines.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newPeople(t *testing.T) people {
	t.Helper()
	p := people{db: &table.Counter{Table: newEngine(t)}, clock: &clock{now: time.Date(2026, 11, 24, 9, 10, 0, 0, time.UTC)}}
	var mu sync.Mutex
	n := 0
	p.Subscribers = store.Subscribers{Table: p.db, Now: p.clock.Now, NewID: func() string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("%08d", n)
	}}
	return p
}

const ana = "0123456789abcdefghijklmnop"

// signUp signs a subscriber up and returns the episode that waits then.
func (p people) signUp(t *testing.T, id string) audience.Episode {
	t.Helper()
	p.clock.pass(time.Second)
	r := audience.Request{ID: id, Email: "Ana@example.org", Event: audience.Event{
		Kind: audience.EventRequested, At: p.clock.Now(), How: audience.HowForm, IPHash: "ip-" + id, Name: "Ana", Topics: []string{"mood", "sleep"},
		Agreed: &audience.Agreed{Version: 1, SHA256: "abc"}, Page: "https://clinic.example/",
	}}
	if err := p.Add(context.Background(), r, 60); err != nil {
		t.Fatal(err)
	}
	st := p.standing(t, id)
	if !st.Waits {
		t.Fatal("a sign-up does not wait")
	}
	return st.Episode
}

func (p people) standing(t *testing.T, id string) audience.Standing {
	t.Helper()
	st, err := p.Standing(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (p people) confirm(ep audience.Episode) error {
	p.clock.pass(time.Second)
	return p.Confirm(context.Background(), ep.ID, ep.Began, audience.Event{Kind: audience.EventConfirmed, At: p.clock.Now(), How: audience.HowLink, IPHash: "ip2"})
}

func (p people) leave(id string) error {
	p.clock.pass(time.Second)
	return p.Leave(context.Background(), id, audience.Event{Kind: audience.EventUnsubscribed, At: p.clock.Now(), How: audience.HowOneClick})
}

// is demands a status, and that exactly the confirmed are in the audience index.
func (p people) is(t *testing.T, id string, want audience.Status) audience.Subscriber {
	t.Helper()
	all, err := p.GetMany(context.Background(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	if got := all[id].Status; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	ids, err := p.Mailable(context.Background(), audience.Partition(id), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(ids, id) != (want == audience.Confirmed) {
		t.Errorf("%q in the index: %v", want, ids)
	}
	return all[id]
}

// events lists the kinds of a subscriber's events that have not expired.
func (p people) events(t *testing.T, id string) string {
	t.Helper()
	from, to := table.PrefixRange("E#")
	page, err := p.db.Table.Query(context.Background(), table.Query{Partition: "S#" + id, From: from, To: to, Limit: 100, Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, item := range page.Items {
		doc := string(item["doc"].([]byte))
		if strings.Contains(strings.ToLower(doc), "ana@") {
			t.Errorf("an event holds the address: %s", doc)
		}
		_, kind, _ := strings.Cut(doc, `"kind":"`)
		kind, _, _ = strings.Cut(kind, `"`)
		if ttl, ok := item[table.TTL].(int64); ok {
			if ttl <= p.clock.Now().Unix() {
				continue
			}
			kind += "~" // goes by itself
		}
		kinds = append(kinds, kind)
	}
	return strings.Join(kinds, " ")
}

func wantFault(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if code == "" && err != nil || fault.CodeOf(err) != code {
		t.Errorf("%s: %v, want fault %q", what, err, code)
	}
}

func TestASubscriptionsLife(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ep := p.signUp(t, ana)
	p.is(t, ana, "")
	if ep.Email != "Ana@example.org" || !ep.Expires.Equal(ep.Event.At.Add(audience.PendingLife)) || !ep.Began.Equal(ep.Event.At) {
		t.Errorf("episode %+v", ep)
	}
	wantFault(t, "confirm", p.confirm(ep), "")
	got := p.is(t, ana, audience.Confirmed)
	want := audience.Subscriber{ID: ana, Email: "Ana@example.org", Name: "Ana", Topics: []string{"mood", "sleep"}, Status: audience.Confirmed, ConfirmedAt: p.clock.Now()}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("subscriber (-want +got):\n%s", d)
	}
	wantFault(t, "confirm again", p.confirm(ep), "")
	if again := p.is(t, ana, audience.Confirmed); !cmp.Equal(again, got) {
		t.Errorf("a repeated confirmation changed %s", cmp.Diff(got, again))
	}
	wantFault(t, "leave", p.leave(ana), "")
	if left := p.is(t, ana, audience.Unsubscribed); !left.LeftAt.Equal(p.clock.Now()) {
		t.Errorf("left at %s", left.LeftAt)
	}
	wantFault(t, "leave again", p.leave(ana), "")
	wantFault(t, "confirm after leaving", p.confirm(ep), fault.Gone)
	p.is(t, ana, audience.Unsubscribed)
	second := p.signUp(t, ana)
	p.is(t, ana, audience.Unsubscribed)
	wantFault(t, "confirm by the first episode's link", p.confirm(ep), fault.Gone)
	p.is(t, ana, audience.Unsubscribed)
	wantFault(t, "confirm anew", p.confirm(second), "")
	if back := p.is(t, ana, audience.Confirmed); !back.LeftAt.IsZero() || !back.ConfirmedAt.After(got.ConfirmedAt) {
		t.Errorf("came back as %+v", back)
	}
	wantFault(t, "the first episode's link once more", p.confirm(ep), fault.Gone)
	if got, want := p.events(t, ana), "requested~ confirmed unsubscribed requested~ confirmed"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestALinkWorksForItsWholeEpisode(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	first := p.signUp(t, ana)
	for range 5 {
		p.clock.pass(24 * time.Hour)
		if later := p.signUp(t, ana); !later.Began.Equal(first.Began) || !later.Expires.After(first.Expires) {
			t.Errorf("a later sign-up began an episode of its own: %+v", later)
		}
	}
	wantFault(t, "the first mail's link", p.confirm(first), "")
	p.is(t, ana, audience.Confirmed)
}

func TestPendingsExpireInCode(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ep := p.signUp(t, ana)
	p.clock.pass(audience.PendingLife)
	if st := p.standing(t, ana); st.Waits {
		t.Errorf("still waits: %+v", st)
	}
	wantFault(t, "confirm", p.confirm(ep), fault.Gone)
	p.is(t, ana, "")
	if got := p.events(t, ana); got != "" {
		t.Errorf("what never was confirmed left %q", got)
	}
	again := p.signUp(t, ana)
	wantFault(t, "confirm a new sign-up", p.confirm(again), "")
}

func TestASecondSignUpOfAConfirmedAddressChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ep := p.signUp(t, ana)
	wantFault(t, "confirm", p.confirm(ep), "")
	before := p.is(t, ana, audience.Confirmed)
	p.clock.pass(time.Hour)
	second := p.signUp(t, ana)
	if st := p.standing(t, ana); st.Answer() != audience.Already || !cmp.Equal(st.Subscriber, before) {
		t.Errorf("standing %+v", st)
	}
	wantFault(t, "confirm again", p.confirm(ep), "")
	wantFault(t, "confirm what nobody was mailed", p.confirm(second), "")
	if after := p.is(t, ana, audience.Confirmed); !cmp.Equal(before, after) {
		t.Errorf("changed: %s", cmp.Diff(before, after))
	}
	wantFault(t, "leave", p.leave(ana), "")
	wantFault(t, "confirm after leaving", p.confirm(second), fault.Gone)
	p.is(t, ana, audience.Unsubscribed)
}

func TestLeavingEndsAPendingEpisode(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	wantFault(t, "leave, never seen", p.leave(ana), "")
	if _, err := p.db.Get(context.Background(), table.Key{PK: "S#" + ana, SK: "A"}); !errors.Is(err, table.ErrNotFound) || p.events(t, ana) != "" {
		t.Errorf("leaving made a subscriber: %v, %q", err, p.events(t, ana))
	}
	ep := p.signUp(t, ana)
	wantFault(t, "leave, pending", p.leave(ana), "")
	wantFault(t, "leave, ended", p.leave(ana), "")
	wantFault(t, "confirm", p.confirm(ep), fault.Gone)
	p.is(t, ana, "")
	if got, want := p.events(t, ana), "requested~ unsubscribed"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestSuppression(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, c := range map[string]struct {
		suppress func(people, context.Context, string) error
		status   audience.Status
	}{
		"bounce":    {func(p people, ctx context.Context, id string) error { return p.Bounced(ctx, id) }, audience.Bounced},
		"complaint": {func(p people, ctx context.Context, id string) error { return p.Complained(ctx, id) }, audience.Complained},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeople(t)
			wantFault(t, "of an unknown", c.suppress(p, ctx, ana), "")
			p.is(t, ana, "")
			wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
			p.signUp(t, ana)
			for range 2 {
				wantFault(t, name, c.suppress(p, ctx, ana), "")
				p.is(t, ana, c.status)
			}
			if st := p.standing(t, ana); st.Waits {
				t.Error("an episode outlives the suppression")
			}
			p.signUp(t, ana)
			if st := p.standing(t, ana); st.Answer() != audience.AskOnce {
				t.Errorf("answer %s", st.Answer())
			}
			ask := func(message string, want bool) {
				t.Helper()
				if ok, err := p.AskSuppressed(ctx, ana, message); ok != want || err != nil {
					t.Errorf("ask by %s: %v, %v", message, ok, err)
				}
			}
			ask("m1", true)
			ask("m1", true) // the same message again
			ask("m2", false)
			p.clock.pass(audience.SuppressedEvery - time.Hour)
			ask("m3", false)
			p.clock.pass(2 * time.Hour)
			ask("m4", true)
			ep := p.signUp(t, ana)
			wantFault(t, "leave", p.leave(ana), "")
			p.is(t, ana, c.status) // to leave does not lift it
			wantFault(t, "confirm", p.confirm(ep), fault.Gone)
			wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
			p.is(t, ana, audience.Confirmed)
			ask("m5", false)
		})
	}
	p := newPeople(t)
	wantFault(t, "confirm", p.confirm(p.signUp(t, ana)), "")
	wantFault(t, "leave", p.leave(ana), "")
	wantFault(t, "a complaint about the last mail", p.Complained(ctx, ana), "")
	p.is(t, ana, audience.Complained)
	wantFault(t, "a bounce after it", p.Bounced(ctx, ana), "")
	p.is(t, ana, audience.Complained)
}

func TestMailsAreCountedByTheDay(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	count := func(id, message string, want bool) {
		t.Helper()
		if ok, err := p.CountMail(ctx, id, message, 3); ok != want || err != nil {
			t.Errorf("%s by %s: %v, %v", id, message, ok, err)
		}
	}
	for _, m := range []string{"m1", "m2", "m3", "m2", "m3"} { // two come again
		count(ana, m, true)
	}
	count(ana, "m4", false)
	count(ana, "m1", true)
	count("another", "m4", true)
	p.clock.pass(24 * time.Hour)
	count(ana, "m4", true)
}

func TestSignUpsAreLimitedByIP(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	add := func(n int, ip string) error {
		return p.Add(ctx, audience.Request{ID: fmt.Sprintf("%026d", n), Email: "a@b.org", Event: audience.Event{At: p.clock.Now(), IPHash: ip}}, 3)
	}
	for n := range 3 {
		wantFault(t, "within the limit", add(n, "x"), "")
	}
	err := add(3, "x")
	wantFault(t, "beyond", err, fault.Limited)
	if limit, ok := errors.AsType[*audience.LimitError](err); !ok || limit.After != 50*time.Minute {
		t.Errorf("limit %+v, want 50 minutes: it is ten past", limit)
	}
	if st := p.standing(t, fmt.Sprintf("%026d", 3)); st.Waits {
		t.Error("beyond the limit, but kept")
	}
	wantFault(t, "another IP", add(4, "y"), "")
	p.clock.pass(50 * time.Minute)
	wantFault(t, "the next hour", add(5, "x"), "")
}

func TestEachSignUpIsTheSameWrite(t *testing.T) {
	t.Parallel()
	p, ctx := newPeople(t), context.Background()
	ids := map[string]string{}
	for i, state := range []string{"new", "pending", "confirmed", "unsubscribed", "bounced", "complained"} {
		id := fmt.Sprintf("%026d", i)
		ids[state] = id
		if state != "new" {
			ep := p.signUp(t, id)
			if state != "pending" {
				wantFault(t, "confirm", p.confirm(ep), "")
			}
		}
		switch state {
		case "unsubscribed":
			wantFault(t, state, p.leave(id), "")
		case "bounced":
			wantFault(t, state, p.Bounced(ctx, id), "")
		case "complained":
			wantFault(t, state, p.Complained(ctx, id), "")
		}
	}
	for state, id := range ids {
		p.db.Reset()
		p.signUp(t, id)
		u := p.db.Reset()
		if u.Transact.Calls != 1 || u.Total().Calls != 2 || u.BatchGet.Calls != 1 { // the other is this test's look
			t.Errorf("%s: %+v", state, u)
		}
		// Three items of less than a KB, twice since in a transaction. DynamoDB Local counts transactions in its own way.
		if u.Transact.Write != 6 && !onDynamoDB {
			t.Errorf("%s: %v write units", state, u.Transact.Write)
		}
	}
}
