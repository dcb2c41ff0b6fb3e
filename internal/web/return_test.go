package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/templates"
)

func TestLeftByMistake(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	s.ask(anIP, "POST", s.manageLink(mail1), jsonType, `{"topics":["sleep"]}`)
	leave := s.leaveLink(mail1)
	back := leave + "/return"
	if w := s.post(back); w.Code != 202 || len(s.queue) > 0 {
		t.Errorf("a way back of who is there: %d, %s", w.Code, s.queue)
	}
	w := s.ask(anIP, "POST", leave, formType, "", browser)
	consent, err := audience.LoadConsent(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(consent.Text) {
		if !strings.Contains(w.Body.String(), strings.TrimSpace(line)) {
			t.Errorf("the page does not say %q", line)
		}
	}
	if !strings.Contains(w.Body.String(), `action="`+back+`"`) {
		t.Fatalf("goodbye: %s", w.Body)
	}
	w = s.ask(anIP, "POST", back, formType, "", browser)
	guarded(t, "return", w)
	if w.Code != 202 || s.status(mail1) != audience.Unsubscribed {
		t.Errorf("return: %d, %s", w.Code, s.status(mail1))
	}
	mails := s.mails()
	if got := mailed(mails); got != "confirm>"+mail1 {
		t.Fatalf("mailed %q", got)
	}
	if s.post(link(t, mails[0])); s.status(mail1) != audience.Confirmed {
		t.Errorf("after the press %s", s.status(mail1))
	}
	held, err := s.people.Held(t.Context(), s.id(mail1))
	if err != nil || held.Subscriber.Name != "Ana" || len(held.Subscriber.Topics) != 1 {
		t.Errorf("back as %+v, %v", held.Subscriber, err)
	}
	if e := held.Events[len(held.Events)-1]; e.Request == nil || e.Request.How != audience.HowReturn || e.Request.Agreed == nil || e.Request.Agreed.Version != consent.Version {
		t.Errorf("evidence %+v", e)
	}
}

func TestTheWayBackIsNotForEver(t *testing.T) {
	t.Parallel()
	var first string
	for name, become := range map[string]func(s *peopleSite) error{
		"a day later": func(s *peopleSite) error { s.pass(audience.ReturnWithin); return nil },
		"bounced":     func(s *peopleSite) error { return s.people.Bounced(t.Context(), s.id(mail1)) },
		"complained":  func(s *peopleSite) error { return s.people.Complained(t.Context(), s.id(mail1)) },
		"erased": func(s *peopleSite) error {
			return s.people.Erase(t.Context(), s.id(mail1), audience.Event{At: s.clock()})
		},
		"came back": func(s *peopleSite) error { s.join(mail1); return nil },
	} {
		s := newPeopleSite(t)
		s.join(mail1)
		leave := s.leaveLink(mail1)
		s.post(leave)
		if err := become(s); err != nil {
			t.Fatal(err)
		}
		before := s.status(mail1)
		w := s.ask(anIP, "POST", leave+"/return", "", "", browser)
		if got := fmt.Sprint(w.Code, w.Body); first == "" {
			first = got
		} else if got != first {
			t.Errorf("%s: answer %s, another's %s", name, got, first)
		}
		if mails := s.mails(); len(mails) > 0 || s.status(mail1) != before {
			t.Errorf("%s: mailed %s, is %s", name, mailed(mails), s.status(mail1))
		}
	}
	s := newPeopleSite(t)
	problem(t, "forged", s.post("/unsubscribe/x/return"), 404)
	problem(t, "of a test mail", s.post("/unsubscribe/test/return"), 404)
	s.join(mail1)
	leave := s.leaveLink(mail1)
	s.post(leave)
	for range 5 {
		s.post(leave + "/return")
	}
	if mails := s.mails(); len(mails) != 2 { // with the first sign-up, three a day
		t.Errorf("%d mails", len(mails))
	}
}

func TestAskingAgain(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.signUp(mail1)
	first := link(t, s.mails()[0])
	s.pass(4 * 24 * time.Hour)
	s.signUp(mail1)
	s.mails()
	s.pass(4 * 24 * time.Hour) // the first link has expired, the second waits
	w := s.ask(anIP, "GET", first, "", "", browser)
	if w.Code != 410 || !strings.Contains(w.Body.String(), `action="`+first+`/again"`) {
		t.Fatalf("gone: %d %s", w.Code, w.Body)
	}
	w = s.ask(anIP, "POST", first+"/again", formType, url.Values{}.Encode(), browser)
	guarded(t, "again", w)
	waits := fmt.Sprint(w.Code, w.Body)
	mails := s.mails()
	if w.Code != 202 || len(mails) != 1 {
		t.Fatalf("again: %d, %s", w.Code, mailed(mails))
	}
	if s.post(link(t, mails[0])); s.status(mail1) != audience.Confirmed {
		t.Errorf("by the new link: %s", s.status(mail1))
	}
	s.post(s.leaveLink(mail1))
	s.mails()
	w = s.ask(anIP, "POST", first+"/again", formType, "", browser)
	if got := fmt.Sprint(w.Code, w.Body); got != waits {
		t.Errorf("the answer tells whether a sign-up waits: %s", got)
	}
	if mails := s.mails(); len(mails) > 0 {
		t.Errorf("who left is mailed %s", mailed(mails))
	}
	problem(t, "forged", s.post("/confirm/x/again"), 404)
}
