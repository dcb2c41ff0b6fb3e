package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/token"
)

const (
	welcomeSubject = "Welcome to our newsletter"
	manageSubject  = "Your link to your preferences"
)

// own has a message about the subscriber worked through.
func (p *postRoom) own(kind, id string, again bool) {
	p.t.Helper()
	p.pass(delivery.Received{ID: id, Body: []byte(`{"kind":"` + kind + `","subscriber":"` + singleID + `"}`), Receives: 1}, again)
}

// linkIn verifies the link below a path in both parts of a mail.
func (p *postRoom) linkIn(m delivery.Single, below string, purpose token.Purpose) token.Claims {
	p.t.Helper()
	_, link, _ := strings.Cut(m.Text, "https://news.example.org"+below)
	link, _, _ = strings.Cut(link, "\n")
	p.seen[link] = true
	c, err := p.Tokens.Verify(purpose, link, p.now)
	if err != nil || c.Subscriber != singleID || !strings.Contains(m.HTML, below+link) {
		p.t.Errorf("link below %s: %+v, %v", below, c, err)
	}
	return c
}

func TestWelcomeMail(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.own("welcome", "never seen", false)
	p.signUp()
	p.own("welcome", "not confirmed", false)
	p.mails()
	p.confirm()
	p.own("welcome", "m1", false)
	m := p.mails(welcomeSubject)[0]
	if m.To != "ana@example.org" || m.AsDigest || m.Tags["mail"] != "welcome" || strings.Contains(m.HTML+m.Text, "pills") {
		t.Errorf("mail %+v", m)
	}
	p.linkIn(m, "/unsubscribe/", token.Unsubscribe)
	if c := p.linkIn(m, "/preferences/", token.Manage); !c.Fresh(p.now) || !c.Expires.IsZero() {
		t.Errorf("claims %+v", c)
	}
	p.own("welcome", "pressed again", false)
	p.mails()
	if err := p.people.Leave(context.Background(), singleID, audience.Event{Kind: audience.EventUnsubscribed, At: p.now}); err != nil {
		t.Fatal(err)
	}
	p.own("welcome", "left since", false)
	p.mails()
}

func TestAWelcomeThatWasNotSentComesAgain(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.confirm()
	p.answers = []error{&delivery.SendError{Verdict: delivery.Quota, Code: "LimitExceededException"}}
	p.own("welcome", "m1", true)
	p.own("welcome", "m2", false) // another message of the same confirmation
	p.mails()
	p.own("welcome", "m1", false)
	p.mails(welcomeSubject)
}

func TestFreshLinkMail(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := newPostRoom(t)
	p.own("manage", "never seen", false)
	p.confirm()
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		p.own("manage", id, false)
	}
	m := p.mails(manageSubject, manageSubject, manageSubject)[0]
	if c := p.linkIn(m, "/preferences/", token.Manage); !c.Fresh(p.now) || m.To != "ana@example.org" || m.Tags["mail"] != "manage" {
		t.Errorf("mail %+v, claims %+v", m, c)
	}
	for range 4 { // sign-ups count on their own
		p.signUp()
	}
	p.handle("s1", 1, false)
	p.mails(alreadySubject)
	p.now = p.now.Add(24 * time.Hour)
	if err := p.people.Leave(ctx, singleID, audience.Event{Kind: audience.EventUnsubscribed, At: p.now}); err != nil {
		t.Fatal(err)
	}
	p.own("manage", "of who left", false)
	p.mails(manageSubject)
	if err := p.people.Complained(ctx, singleID); err != nil {
		t.Fatal(err)
	}
	p.own("manage", "of who complained", false)
	if err := p.people.Erase(ctx, singleID, audience.Event{At: p.now}); err != nil {
		t.Fatal(err)
	}
	p.own("manage", "of who is erased", false)
	p.mails()
}
