package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/token"
)

const mail2 = "ana.new@example.org"

// askMove asks by a fresh link that mail go to another address, and returns what was mailed.
func (s *peopleSite) askMove(from, to string) []delivery.Single {
	s.t.Helper()
	s.pass(time.Second)
	w := s.ask(anIP, "POST", s.manageLink(from), jsonType, fmt.Sprintf(`{"email":%q}`, to))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"move":"asked"`) {
		s.t.Fatalf("ask: %d %s", w.Code, w.Body)
	}
	return s.mails()
}

// mailed lists mails as kind>address, in order.
func mailed(mails []delivery.Single) string {
	var out []string
	for _, m := range mails {
		out = append(out, m.Tags["mail"]+">"+m.To)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestChangingTheAddress(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	s.ask(anIP, "POST", s.manageLink(mail1), jsonType, `{"topics":["sleep"],"pause":2}`)
	mails := s.askMove(mail1, mail2)
	if got := mailed(mails); got != "move>"+mail2 {
		t.Fatalf("mailed %s", got)
	}
	if strings.Contains(mails[0].HTML+mails[0].Text, "Ana") || strings.Contains(mails[0].HTML+mails[0].Text, mail1) {
		t.Error("the mail to a stranger holds something of who asked")
	}
	path := linkTo(t, mails[0], "/address/")
	for _, method := range []string{"GET", "HEAD"} {
		w := s.ask(anIP, method, path, "", "", browser)
		guarded(t, method, w)
		if w.Code != 200 || method == "GET" && !strings.Contains(w.Body.String(), `action="`+path+`"`) {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	if s.status(mail1) != audience.Confirmed || s.status(mail2) != "" {
		t.Errorf("before the press %s and %q", s.status(mail1), s.status(mail2))
	}
	for n := range 3 { // pressed again
		w := s.post(path)
		guarded(t, "move", w)
		if w.Code != 200 || s.status(mail1) != audience.Unsubscribed || s.status(mail2) != audience.Confirmed {
			t.Errorf("press %d: %d %s, then %s and %s", n, w.Code, w.Body, s.status(mail1), s.status(mail2))
		}
	}
	if got := mailed(s.mails()); got != "moved>"+mail1+" welcome>"+mail2 {
		t.Errorf("mailed %s", got)
	}
	c := s.chosen(s.ask(anIP, "GET", s.manageLink(mail2), "", ""))
	if c.Name != "Ana" || !slices.Equal(c.Topics, []string{"sleep"}) || c.PausedUntil == nil || c.Email != mail2 {
		t.Errorf("taken over: %+v", c)
	}
	var out audience.Export
	if err := json.Unmarshal(s.ask(anIP, "GET", s.manageLink(mail2)+"/export", "", "").Body.Bytes(), &out); err != nil || len(out.Events) != 1 || out.Events[0].Request == nil || out.Events[0].Request.Kind != audience.EventMoving {
		t.Errorf("evidence %+v, %v", out.Events, err)
	}
	s.post(s.leaveLink(mail2))
	problem(t, "after leaving", s.post(path), 410)
	if w := s.ask(anIP, "POST", path, "", "", browser); w.Code != 410 || s.status(mail2) != audience.Unsubscribed {
		t.Errorf("after leaving, as a page: %d, %s", w.Code, s.status(mail2))
	}
}

// Nobody learns whether the new address is on the list, and nothing of it changes without its owner.
func TestMovingToAnAddressOfAnyState(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	var first string
	for _, state := range []string{"new", "pending", "confirmed", "unsubscribed", "bounced", "complained", "erased"} {
		to := state + "@example.org"
		var err error
		switch id := s.id(to); state {
		case "new":
		case "pending":
			s.signUp(to)
		default:
			s.join(to)
			switch state {
			case "unsubscribed":
				s.post(s.leaveLink(to))
			case "bounced":
				err = s.people.Bounced(t.Context(), id)
			case "complained":
				err = s.people.Complained(t.Context(), id)
			case "erased":
				err = s.people.Erase(t.Context(), id, audience.Event{At: s.clock()})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		s.mails()
		before := s.status(to)
		s.pass(25 * time.Hour) // three a day
		s.table.Reset()
		w := s.ask(anIP, "POST", s.manageLink(mail1), jsonType, fmt.Sprintf(`{"email":%q}`, to))
		u := s.table.Reset()
		got := fmt.Sprint(w.Code, w.Body, u.Transact.Calls, u.Total().Calls, len(s.queue))
		if first == "" {
			first, _, _ = strings.Cut(got, "unsubscribe")
		}
		if !strings.HasPrefix(got, first) || w.Code != 200 || u.Transact.Calls != 1 {
			t.Errorf("%s: %s, new: %s", state, got, first)
		}
		if got := mailed(s.mails()); got != "move>"+to || s.status(to) != before {
			t.Errorf("%s: mailed %q, and is %q", state, got, s.status(to))
		}
	}
	mails := s.askMove(mail1, "confirmed@example.org")
	if w := s.post(linkTo(t, mails[0], "/address/")); w.Code != 200 || s.status(mail1) != audience.Unsubscribed || s.status("confirmed@example.org") != audience.Confirmed {
		t.Errorf("moved to who is on the list: %d, %s", w.Code, s.status(mail1))
	}
}

func TestMovesThatEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *peopleSite){
		"expired":                func(s *peopleSite) { s.pass(audience.PendingLife) },
		"the old one left":       func(s *peopleSite) { s.post(s.leaveLink(mail1)) },
		"left and came back":     func(s *peopleSite) { s.post(s.leaveLink(mail1)); s.join(mail1) },
		"the old one was erased": func(s *peopleSite) { s.post(s.manageLink(mail1) + "/erase") },
		"the new one left":       func(s *peopleSite) { s.join(mail2); s.post(s.leaveLink(mail2)) },
		"the new one was erased": func(s *peopleSite) { s.join(mail2); s.post(s.manageLink(mail2) + "/erase") },
		"replaced":               func(s *peopleSite) { s.askMove(mail1, "third@example.org") },
		"asked again":            func(s *peopleSite) { s.askMove(mail1, mail2) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPeopleSite(t)
			s.join(mail1)
			path := linkTo(t, s.askMove(mail1, mail2)[0], "/address/")
			end(s)
			before := [2]audience.Status{s.status(mail1), s.status(mail2)}
			problem(t, name, s.post(path), 410)
			if after := [2]audience.Status{s.status(mail1), s.status(mail2)}; after != before {
				t.Errorf("statuses %v, before %v", after, before)
			}
			if name == "replaced" && bytes.Contains(s.everything(), []byte(mail2)) {
				t.Error("an address that was replaced is still kept")
			}
		})
	}
}

func TestBadMoves(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	path := s.manageLink(mail1)
	for _, email := range []string{"", "nobody", "a@b", "ANA@example.org", " ana@EXAMPLE.org "} {
		w := s.ask(anIP, "POST", path, jsonType, fmt.Sprintf(`{"email":%q,"name":"Other"}`, email))
		if p := problem(t, email, w, 400); p.Field != "email" {
			t.Errorf("%q: %+v", email, p)
		}
		if w := s.ask(anIP, "POST", path, formType, url.Values{"email": {email}}.Encode(), browser); w.Code != 400 {
			t.Errorf("%q, form: %d", email, w.Code)
		}
	}
	if c := s.chosen(s.ask(anIP, "GET", path, "", "")); c.Name != "Ana" {
		t.Errorf("half of a bad request was done: %+v", c)
	}
	for n := range 4 {
		w := s.ask(anIP, "POST", path, formType, url.Values{"email": {fmt.Sprintf("v%d@example.org", n)}}.Encode(), browser)
		if want := map[bool]int{true: 200, false: 429}[n < 3]; w.Code != want || want == 200 && !strings.Contains(w.Body.String(), "We have mailed a link") {
			t.Errorf("move %d: %d", n, w.Code)
		}
	}
	s.pass(token.FreshFor)
	problem(t, "old link", s.ask(anIP, "POST", path, jsonType, `{"email":"x@example.org","name":"Other"}`), 403)
	if w := s.ask(anIP, "POST", path, formType, "email=x%40example.org", browser); w.Code != 403 || !strings.Contains(w.Body.String(), path+"/link") {
		t.Errorf("old link's page: %d %s", w.Code, w.Body)
	}
	if c := s.chosen(s.ask(anIP, "GET", path, "", "")); c.Name != "Ana" {
		t.Errorf("half of a refused request was done: %+v", c)
	}
	for _, bad := range []string{"/address/x", "/address/" + strings.TrimPrefix(path, "/preferences/"), "/address/" + strings.TrimPrefix(s.leaveLink(mail1), "/unsubscribe/")} {
		problem(t, bad, s.post(bad), 404)
		problem(t, bad, s.ask(anIP, "GET", bad, "", ""), 404)
	}
}

// An erasure takes a new address that waits with it, and an export shows it.
func TestAMoveThatWaitsIsHeldToo(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	s.askMove(mail1, mail2)
	var out audience.Export
	if err := json.Unmarshal(s.ask(anIP, "GET", s.manageLink(mail1)+"/export", "", "").Body.Bytes(), &out); err != nil || out.Moving == nil || out.Moving.Email != mail2 {
		t.Errorf("export %+v, %v", out.Moving, err)
	}
	if !bytes.Contains(s.everything(), []byte(mail2)) {
		t.Fatal("the new address was not to be found")
	}
	s.post(s.manageLink(mail1) + "/erase")
	for _, word := range []string{mail1, mail2, "Ana"} {
		for how, spelling := range spellings(word) {
			if strings.Contains(how, "base64") && len(word) < 5 {
				continue // too short to mean anything
			}
			if bytes.Contains(s.everything(), []byte(spelling)) {
				t.Errorf("%s is still there: %s", word, how)
			}
		}
	}
}
