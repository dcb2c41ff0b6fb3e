package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/store"
	"tidings/internal/token"
	"tidings/templates"
)

// A postRoom is the worker of the mail queue over real stores, and SES's door as a list of answers.
type postRoom struct {
	*delivery.Singles
	t       *testing.T
	people  store.Subscribers
	digests store.Digests
	now     time.Time
	log     bytes.Buffer
	sent    []delivery.Single
	answers []error         // of the next calls; then nil
	slept   time.Duration   // in all
	seen    map[string]bool // addresses and tokens, which no log line may hold
}

const singleID = "0123456789abcdefghijklmnop"

func newPostRoom(t *testing.T) *postRoom {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := &postRoom{t: t, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), seen: map[string]bool{}}
	clock := func() time.Time { return p.now }
	n := 0
	newID := func() string { n++; return fmt.Sprintf("%08d", n) }
	p.people = store.Subscribers{Table: db, Now: clock, NewID: newID}
	p.digests = store.Digests{Table: db, Now: clock, NewID: newID}
	site := mail.Site{Name: "Clinic", BaseURL: "https://news.example.org/", PostalAddress: "1 Main Street"}
	b, err := mail.New(templates.FS, site)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := token.NewKeyring(token.Key{ID: 1, Secret: bytes.Repeat([]byte("k"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	p.Singles = &delivery.Singles{
		Standings: p.people, Tests: p.digests, Post: p, Builder: b, Site: site, Tokens: ring, PerDay: 3, Log: slog.New(slog.NewJSONHandler(&p.log, nil)),
		Now: clock, Sleep: func(_ context.Context, d time.Duration) error { p.slept += d; p.now = p.now.Add(d); return nil }, Budget: time.Minute,
	}
	t.Cleanup(p.discreet)
	return p
}

// SendOne implements delivery.Post.
func (p *postRoom) SendOne(_ context.Context, m delivery.Single) error {
	p.seen[m.To] = true
	if _, link, ok := strings.Cut(m.Text, "https://news.example.org/confirm/"); ok {
		p.seen[link[:token.Len]] = true
	}
	var err error
	if len(p.answers) > 0 {
		err, p.answers = p.answers[0], p.answers[1:]
	}
	if err == nil {
		p.sent = append(p.sent, m)
	}
	return err
}

// discreet demands that the log holds nothing of anybody.
func (p *postRoom) discreet() {
	for s := range p.seen {
		if strings.Contains(p.log.String(), s) {
			p.t.Errorf("the log holds %s: %s", s, p.log.String())
		}
	}
}

func (p *postRoom) signUp() audience.Episode {
	p.t.Helper()
	p.now = p.now.Add(time.Second)
	r := audience.Request{ID: singleID, Email: "ana@example.org", Event: audience.Event{Kind: audience.EventRequested, At: p.now, Name: "Buy <b>pills</b>", IPHash: "x"}}
	if err := p.people.Add(context.Background(), r, 1000); err != nil {
		p.t.Fatal(err)
	}
	st, err := p.people.Standing(context.Background(), singleID)
	if err != nil || !st.Waits {
		p.t.Fatal(st, err)
	}
	return st.Episode
}

func (p *postRoom) confirm() {
	p.t.Helper()
	if err := p.people.Confirm(context.Background(), singleID, p.signUp().Began, audience.Event{Kind: audience.EventConfirmed, At: p.now}); err != nil {
		p.t.Fatal(err)
	}
}

// handle has a sign-up's message worked through and demands which IDs come again.
func (p *postRoom) handle(id string, receives int, again bool) {
	p.t.Helper()
	p.pass(delivery.Received{ID: id, Body: []byte(`{"kind":"signup","subscriber":"` + singleID + `"}`), Receives: receives}, again)
}

func (p *postRoom) pass(m delivery.Received, again bool) {
	p.t.Helper()
	if failed := p.Handle(context.Background(), []delivery.Received{m}); slices.Contains(failed, m.ID) != again {
		p.t.Errorf("message %s failed: %v, want %v; log %s", m.ID, failed, again, p.log.String())
	}
}

// mails demands the subjects that were sent since the last look.
func (p *postRoom) mails(subjects ...string) []delivery.Single {
	p.t.Helper()
	var got []string
	for _, m := range p.sent {
		got = append(got, m.Subject)
	}
	if !slices.Equal(got, subjects) {
		p.t.Errorf("sent %q, want %q; log %s", got, subjects, p.log.String())
	}
	sent := p.sent
	p.sent = nil
	return sent
}

const (
	confirmSubject = "Please confirm your subscription"
	alreadySubject = "You are already subscribed"
)

func TestConfirmationMail(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	ep := p.signUp()
	p.handle("m1", 1, false)
	m := p.mails(confirmSubject)[0]
	if m.To != "ana@example.org" || m.AsDigest || m.Tags["mail"] != "confirm" || !slices.Contains(m.Headers, delivery.Header{Name: "Auto-Submitted", Value: "auto-generated"}) {
		t.Errorf("mail %+v", m)
	}
	if strings.Contains(m.HTML+m.Text, "pills") {
		t.Error("the mail holds what the visitor typed")
	}
	_, link, _ := strings.Cut(m.Text, "https://news.example.org/confirm/")
	link, _, _ = strings.Cut(link, "\n")
	c, err := p.Tokens.Verify(token.Confirm, link, p.now)
	if err != nil || c.Subscriber != singleID || !c.Issued.Equal(ep.Began) || !c.Expires.Equal(ep.Expires) {
		t.Errorf("link %q: %+v, %v", link, c, err)
	}
	if !strings.Contains(m.HTML, "/confirm/"+link) {
		t.Error("the parts have different links")
	}
}

func TestAlreadySubscribedMail(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.confirm()
	p.signUp()
	p.handle("m1", 1, false)
	m := p.mails(alreadySubject)[0]
	_, link, _ := strings.Cut(m.Text, "https://news.example.org/unsubscribe/")
	link, _, _ = strings.Cut(link, "\n")
	if c, err := p.Tokens.Verify(token.Unsubscribe, link, p.now.AddDate(50, 0, 0)); err != nil || c.Subscriber != singleID || m.Tags["mail"] != "already" {
		t.Errorf("link %q: %+v, %v, tags %v", link, c, err, m.Tags)
	}
}

func TestLateMessagesMailNothingStale(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.handle("never seen", 1, false)
	p.confirm()
	p.handle("confirmed since", 1, false)
	p.signUp()
	if err := p.people.Leave(context.Background(), singleID, audience.Event{Kind: audience.EventUnsubscribed, At: p.now}); err != nil {
		t.Fatal(err)
	}
	p.handle("left since", 1, false)
	p.signUp()
	p.now = p.now.Add(audience.PendingLife)
	p.handle("expired since", 1, false)
	p.mails()
}

func TestMailsADay(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	for n := range 5 {
		p.signUp()
		p.handle(fmt.Sprint("m", n), 1, false)
	}
	p.mails(confirmSubject, confirmSubject, confirmSubject)
	p.now = p.now.Add(24 * time.Hour)
	p.handle("next day", 1, false)
	p.mails(confirmSubject)
}

func TestSuppressedAreAskedOnceIn90Days(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.confirm()
	if err := p.people.Complained(context.Background(), singleID); err != nil {
		t.Fatal(err)
	}
	for day := range 91 {
		p.signUp()
		p.handle(fmt.Sprint("day", day), 1, false)
		p.now = p.now.Add(24 * time.Hour)
	}
	p.mails(confirmSubject, confirmSubject) // days 0 and 90
}

func TestWhatSESAnswers(t *testing.T) {
	t.Parallel()
	refuse := func(v delivery.Verdict) error {
		return fmt.Errorf("send mail: %w", &delivery.SendError{Verdict: v, Code: "Code"})
	}
	busy := []error{refuse(delivery.Throttled), refuse(delivery.Throttled), refuse(delivery.Throttled), refuse(delivery.Throttled)}
	for name, c := range map[string]struct {
		answers  []error
		receives int
		again    bool
		sent     int
	}{
		"a throttle":             {busy[:1], 1, false, 1},
		"throttles":              {busy[:3], 1, false, 1},
		"throttles for long":     {busy, 1, true, 0},
		"throttles for ever":     {busy, 9, true, 0},
		"refused":                {[]error{refuse(delivery.Refused)}, 1, false, 0},
		"halted":                 {[]error{refuse(delivery.Halt)}, 1, true, 0},
		"quota":                  {[]error{refuse(delivery.Quota)}, 1, true, 0},
		"answer lost":            {[]error{refuse(delivery.Ambiguous)}, 1, true, 0},
		"answer lost, once more": {[]error{refuse(delivery.Ambiguous)}, 3, false, 0},
		"something else":         {[]error{errors.New("no route")}, 2, true, 0},
	} {
		p := newPostRoom(t)
		p.signUp()
		p.answers = c.answers
		p.handle("m", c.receives, c.again)
		if len(p.sent) != c.sent || p.slept > 7*time.Second {
			t.Errorf("%s: %d sent, %s slept", name, len(p.sent), p.slept)
		}
		if name != "a throttle" && name != "throttles" && !strings.Contains(p.log.String(), singleID) {
			t.Errorf("%s: the log does not say whom it is about: %s", name, p.log.String())
		}
		if c.again { // it comes again: counted once, and sent
			for n := range 3 {
				p.handle("m", n+2, false)
			}
			if len(p.sent) != 3 {
				t.Errorf("%s: sent %d times after it came again", name, len(p.sent))
			}
			p.handle("m5", 1, false)
			p.handle("m6", 1, false)
			if p.handle("m7", 1, false); len(p.sent) != 5 {
				t.Errorf("%s: what came again was counted again: %d", name, len(p.sent))
			}
		}
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	for n, body := range []string{
		"", "{", "null", `"ana@example.org"`, `{"kind":"ana@example.org"}`, `{"kind":"signup"}`, `{"kind":"welcome"}`, `{"kind":"manage","subscriber":"ana@example.org"}`, `{"kind":"signup","subscriber":"ana@example.org"}`,
		`{"kind":"test"}`, `{"kind":7}`, `{"kind":"shard","digest":"d"}`, "\xff\xfe", `{"kind":"signup","subscriber":"` + singleID + `0"}`,
	} {
		before := p.log.Len()
		p.pass(delivery.Received{ID: fmt.Sprint("p", n), Body: []byte(body), Receives: 1}, true)
		if line := p.log.String()[before:]; strings.Count(line, "\n") != 1 || strings.Contains(line, "ana@") {
			t.Errorf("%q: log %q", body, line)
		}
	}
	p.mails()
}

func TestOneBadMessageHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.signUp()
	good := []byte(`{"kind":"signup","subscriber":"` + singleID + `"}`)
	failed := p.Handle(context.Background(), []delivery.Received{{ID: "a", Body: []byte("x")}, {ID: "b", Body: good}, {ID: "c", Body: []byte("y")}})
	if !slices.Equal(failed, []string{"a", "c"}) {
		t.Errorf("failed %v", failed)
	}
	p.mails(confirmSubject)
	p.Budget = 0
	if failed := p.Handle(context.Background(), []delivery.Received{{ID: "d", Body: good}}); !slices.Equal(failed, []string{"d"}) {
		t.Errorf("out of time: failed %v", failed)
	}
	p.mails()
}

func TestTestMail(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	ctx := context.Background()
	to := []string{"one@example.org", "two@example.org", "three@example.org"}
	save := func() {
		if err := p.digests.SaveTest(ctx, digest.TestMail{ID: "t1", Digest: "d", To: to, Expires: p.now.Add(time.Hour),
			Content: digest.Content{Subject: "November", HTML: "<p>H</p>", Text: "T"}}); err != nil {
			t.Fatal(err)
		}
	}
	msg := delivery.Received{ID: "m1", Body: []byte(`{"kind":"test","test":"t1"}`), Receives: 1}
	save()
	p.pass(msg, false)
	for i, m := range p.mails("November", "November", "November") {
		if m.To != to[i] || !m.AsDigest || m.Tags["test"] != "t1" || m.HTML != "<p>H</p>" || m.Text != "T" ||
			m.Headers[0] != (delivery.Header{Name: "List-Unsubscribe", Value: "<https://news.example.org/unsubscribe/test>"}) {
			t.Errorf("mail %+v", m)
		}
	}
	p.pass(msg, false) // again: it is gone
	p.mails()
	save()
	p.answers = []error{nil, &delivery.SendError{Verdict: delivery.Quota, Code: "LimitExceededException"}}
	p.pass(msg, true)
	p.answers = []error{&delivery.SendError{Verdict: delivery.Refused, Code: "MessageRejected"}}
	p.pass(msg, false)
	var got []string
	for _, m := range p.mails("November", "November") {
		got = append(got, m.To)
	}
	if !slices.Equal(got, []string{to[0], to[2]}) {
		t.Errorf("sent to %v", got)
	}
	save()
	p.now = p.now.Add(2 * time.Hour)
	p.pass(msg, false)
	p.mails()
}
