package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tidings/internal/audience"
	"tidings/templates"
)

func TestExport(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	path := s.manageLink(mail1)
	s.ask(anIP, "POST", path, jsonType, `{"topics":["sleep"],"pause":2}`)
	s.signUp(mail1) // waits, since they are on the list
	w := s.ask(anIP, "GET", path+"/export", "", "", browser)
	guarded(t, "export", w)
	var out audience.Export
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") {
		t.Fatalf("export: %d %v %s", w.Code, err, w.Body)
	}
	if p := out.Subscriber; p.Email != mail1 || p.Name != "Ana" || p.ID != s.id(mail1) || len(p.Topics) != 1 || p.ConfirmedAt == nil || p.PausedUntil == nil || p.LeftAt != nil {
		t.Errorf("profile %+v", p)
	}
	var kinds []string
	for _, e := range out.Events {
		kinds = append(kinds, string(e.Kind))
	}
	if got := strings.Join(kinds, " "); got != "requested confirmed changed requested" {
		t.Errorf("events %s", got)
	}
	consent, err := audience.LoadConsent(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	confirmed := out.Events[1]
	if r := confirmed.Request; r == nil || r.Agreed == nil || r.Agreed.Text != consent.Text || r.Agreed.Version != consent.Version || r.Page != "https://clinic.example/join" || r.IPHash == "" || confirmed.How != audience.HowLink {
		t.Errorf("evidence %+v of %+v", confirmed.Request, confirmed)
	}
	if p := out.Pending; p == nil || p.Email != mail1 || p.Request.Agreed.Text != consent.Text {
		t.Errorf("pending %+v", p)
	}
	if strings.Contains(w.Body.String(), ":null,") || !strings.Contains(w.Body.String(), "\n  \"events\": [") {
		t.Errorf("document: %s", w.Body)
	}
}

func TestErasing(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	confirm := s.join(mail1)
	path, leave := s.manageLink(mail1), s.leaveLink(mail1)
	w := s.ask(anIP, "GET", path+"/erase", "", "", browser)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `action="`+path+`/erase"`) || s.status(mail1) != audience.Confirmed {
		t.Fatalf("page: %d %s", w.Code, w.Body)
	}
	for range 2 {
		w := s.post(path + "/erase")
		guarded(t, "erase", w)
		if w.Code != 200 || w.Body.String() != `{"status":"erased"}`+"\n" || s.status(mail1) != audience.Erased {
			t.Errorf("erase: %d %s, %s", w.Code, w.Body, s.status(mail1))
		}
	}
	s.pass(100 * 24 * 3600e9)
	if w := s.ask(anIP, "POST", path+"/erase", "", "", browser); w.Code != 200 || !strings.Contains(w.Body.String(), "are gone") {
		t.Errorf("once more, by an old link: %d %s", w.Code, w.Body)
	}
	if c := s.chosen(s.ask(anIP, "GET", path, "", "")); c.Status != "erased" || c.Name != "" || c.Email != "" {
		t.Errorf("preferences of who is erased: %+v", c)
	}
	if w := s.ask(anIP, "GET", path, "", "", browser); !strings.Contains(w.Body.String(), "We hold nothing about you") {
		t.Errorf("page of who is erased: %s", w.Body)
	}
	problem(t, "confirm", s.post(confirm), 410)
	if w := s.post(leave); w.Code != 200 {
		t.Errorf("leave: %d", w.Code)
	}
	s.post(path + "/link")
	if mails := s.mails(); len(mails) > 0 || s.status(mail1) != audience.Erased {
		t.Errorf("mails %+v, status %s", mails, s.status(mail1))
	}
	s.signUp(mail1)
	if s.status(mail1) != audience.Erased {
		t.Errorf("a sign-up alone made it %s", s.status(mail1))
	}
	if w := s.post(link(t, s.mails()[0])); w.Code != 200 || s.status(mail1) != audience.Confirmed {
		t.Errorf("double opt-in after erasure: %d, %s", w.Code, s.status(mail1))
	}
}
