package delivery_test

import (
	"context"
	"strings"
	"testing"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/token"
)

const (
	moveSubject  = "Please confirm your new address"
	movedSubject = "Your newsletter goes to your new address"
	oldID        = "1123456789abcdefghijklmnop"
)

// askMove has another subscriber ask that their mail go to the address of singleID.
func (p *postRoom) askMove() audience.Move {
	p.t.Helper()
	ctx := context.Background()
	r := audience.Request{ID: oldID, Email: "old@example.org", Event: audience.Event{Kind: audience.EventRequested, At: p.now, IPHash: "y"}}
	if err := p.people.Add(ctx, r, 1000); err != nil {
		p.t.Fatal(err)
	}
	if err := p.people.Confirm(ctx, oldID, p.now, audience.Event{Kind: audience.EventConfirmed, At: p.now}); err != nil {
		p.t.Fatal(err)
	}
	m := audience.Move{From: oldID, To: singleID, Email: "ana@example.org", Asked: p.now, Expires: p.now.Add(audience.PendingLife)}
	if err := p.people.AskMove(ctx, m, 100); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func TestMoveMails(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.own("move", "nothing waits", false)
	p.own("moved", "nobody moved", false)
	p.mails()
	mv := p.askMove()
	p.own("move", "m1", false)
	m := p.mails(moveSubject)[0]
	if m.To != "ana@example.org" || m.Tags["mail"] != "move" || strings.Contains(m.HTML+m.Text, "old@") {
		t.Errorf("mail %+v", m)
	}
	if c := p.linkIn(m, "/address/", token.Move); !c.Issued.Equal(mv.Asked) || !c.Expires.Equal(mv.Expires) {
		t.Errorf("claims %+v", c)
	}
	for _, id := range []string{"m2", "m3", "m4"} {
		p.own("move", id, false)
	}
	p.mails(moveSubject, moveSubject) // three a day, with those that sign-ups cause
	if _, err := p.people.Move(context.Background(), singleID, mv.Asked, audience.Event{Kind: audience.EventConfirmed, At: p.now}); err != nil {
		t.Fatal(err)
	}
	p.own("move", "done", false)
	p.mails()
	for _, id := range []string{"t1", "t2"} {
		p.pass(delivery.Received{ID: id, Body: []byte(`{"kind":"moved","subscriber":"` + oldID + `"}`), Receives: 1}, false)
	}
	if m := p.mails(movedSubject)[0]; m.To != "old@example.org" || strings.Contains(m.HTML+m.Text, "ana@") || !strings.Contains(m.Text, "https://news.example.org/subscribe\n") {
		t.Errorf("mail %+v", m)
	}
}

func TestASuppressedAddressIsAskedOnceToMove(t *testing.T) {
	t.Parallel()
	p := newPostRoom(t)
	p.confirm()
	if err := p.people.Bounced(context.Background(), singleID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"m1", "m1", "m2"} {
		p.askMove()
		p.own("move", id, false)
	}
	p.mails(moveSubject, moveSubject) // the same message twice, and no other
}
