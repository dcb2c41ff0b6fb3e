package web_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/audience"
	"tidings/internal/store"
	"tidings/internal/token"
)

// manageLink returns the preferences path of an address.
func (s *peopleSite) manageLink(email string) string {
	s.t.Helper()
	text, err := s.tokens.Sign(token.Claims{Purpose: token.Manage, Subscriber: s.id(email), Issued: s.clock()})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/preferences/" + text
}

// id is a subscriber's, by the address.
func (s *peopleSite) id(email string) string {
	s.t.Helper()
	a, err := audience.ParseAddress(email)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.ids.ID(a)
}

// chosen is what programs read of preferences.
type chosen struct {
	Status, Name, Email, Unsubscribe string
	Topics, TopicsKnown              []string
	PausedUntil                      *time.Time
	Fresh                            bool
}

func (s *peopleSite) chosen(w *httptest.ResponseRecorder) (c chosen) {
	s.t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != 200 {
		s.t.Fatalf("preferences: %d %s", w.Code, w.Body)
	}
	return c
}

// publish adds an article with topics.
func (s *peopleSite) publish(slug string, topics ...string) {
	s.t.Helper()
	if _, _, err := (store.Articles{Table: s.table, Now: s.clock}).Create(s.t.Context(), article.Draft{
		Slug: slug, Title: slug, Topics: topics, Status: article.StatusPublished, PublishedAt: s.clock(), Body: "Text.",
	}); err != nil {
		s.t.Fatal(err)
	}
}

func TestTheWelcomeMailOpensPreferences(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.signUp(mail1)
	confirm := link(t, s.mails()[0])
	for range 3 { // the button is pressed again, and the welcome comes once
		s.post(confirm)
	}
	mails := s.mails()
	if len(mails) != 1 || mails[0].Tags["mail"] != "welcome" || mails[0].To != mail1 {
		t.Fatalf("mails after confirming: %+v", mails)
	}
	path := linkTo(t, mails[0], "/preferences/")
	w := s.ask(anIP, "GET", path, "", "", browser)
	guarded(t, "preferences", w)
	for _, want := range []string{`value="Ana"`, mail1, path + "/export", path + "/erase", `action="/unsubscribe/`, "noindex"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q: %s", want, w.Body)
		}
	}
	if w := s.post(linkTo(t, mails[0], "/unsubscribe/")); w.Code != 200 || s.status(mail1) != audience.Unsubscribed {
		t.Errorf("unsubscribe: %d, %s", w.Code, s.status(mail1))
	}
	if s.post(s.manageLink(mail1) + "/link"); len(s.mails()) != 1 {
		t.Error("who left can't get at their data")
	}
}

func TestOpeningPreferencesChangesNothing(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	path := s.manageLink(mail1)
	for _, p := range []string{path, path + "/export", path + "/erase"} {
		for _, method := range []string{"GET", "HEAD"} {
			s.table.Reset()
			w := s.ask(anIP, method, p, "", "", browser)
			guarded(t, p, w)
			if u := s.table.Reset(); w.Code != 200 || u.Transact.Calls > 0 || u.Write.Calls > 0 {
				t.Errorf("%s %s: %d, %+v", method, p, w.Code, u)
			}
		}
	}
	if s.status(mail1) != audience.Confirmed || len(s.queue) > 0 {
		t.Errorf("looking made it %s, %s", s.status(mail1), s.queue)
	}
}

func TestChangingPreferences(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.publish("one", "safety", "sleep")
	s.publish("two", "sleep")
	s.join(mail1)
	path := s.manageLink(mail1)
	c := s.chosen(s.ask(anIP, "GET", path, "", ""))
	if c.Status != "confirmed" || c.Name != "Ana" || c.Email != mail1 || !c.Fresh || len(c.Topics) > 0 || c.Topics == nil || !slices.Equal(c.TopicsKnown, []string{"safety", "sleep"}) || c.PausedUntil != nil {
		t.Errorf("before: %+v", c)
	}
	c = s.chosen(s.ask(anIP, "POST", path, jsonType, `{"topics":["sleep","mood"],"pause":3}`))
	if c.Name != "Ana" || !slices.Equal(c.Topics, []string{"mood", "sleep"}) || c.PausedUntil == nil || !c.PausedUntil.Equal(s.clock().AddDate(0, 3, 0)) {
		t.Errorf("topics and a pause: %+v", c)
	}
	w := s.ask(anIP, "POST", path, formType, url.Values{"name": {" Zoë "}, "topics": {"", "safety"}, "pause": {""}}.Encode(), browser, "Origin: null")
	body := w.Body.String()
	guarded(t, "saved", w)
	if w.Code != 200 || !strings.Contains(body, "Saved.") || !strings.Contains(body, `value="Zoë"`) || !strings.Contains(body, `value="safety" checked`) || !strings.Contains(body, "February 24, 2027") {
		t.Errorf("form: %d %s", w.Code, body)
	}
	c = s.chosen(s.ask(anIP, "POST", path, formType, url.Values{"name": {""}, "topics": {""}, "pause": {"0"}}.Encode()))
	if c.Name != "" || len(c.Topics) > 0 || c.PausedUntil != nil {
		t.Errorf("emptied: %+v", c)
	}
	if c = s.chosen(s.ask(anIP, "POST", path, jsonType, `{"pause":1}`)); c.PausedUntil == nil {
		t.Fatalf("paused: %+v", c)
	}
	s.pass(32 * 24 * time.Hour)
	if c = s.chosen(s.ask(anIP, "GET", path, "", "")); c.PausedUntil != nil || c.Fresh || c.Email != "" {
		t.Errorf("after a month: %+v", c)
	}
	s.table.Reset()
	s.ask(anIP, "POST", path, jsonType, `{"name":"","topics":[]}`)
	if u := s.table.Reset(); u.Transact.Calls > 0 {
		t.Errorf("nothing was changed, and written: %+v", u)
	}
}

func TestBadPreferences(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	path := s.manageLink(mail1)
	for name, c := range map[string]struct {
		contentType, body string
		status            int
	}{
		"name": {jsonType, `{"name":"a\nb"}`, 400}, "topic": {jsonType, `{"topics":["?"]}`, 400}, "pause": {jsonType, `{"pause":7}`, 400},
		"negative": {jsonType, `{"pause":-1}`, 400}, "word": {formType, "pause=long", 400}, "twice": {formType, "name=a&name=b", 400},
		"unknown": {jsonType, `{"status":"confirmed"}`, 400}, "type": {"text/plain", "x", 415}, "none": {"", "", 415},
		"large": {formType, "name=" + strings.Repeat("x", 17<<10), 413}, "cut": {jsonType, `{`, 400},
	} {
		w := s.ask(anIP, "POST", path, c.contentType, c.body)
		guarded(t, name, w)
		problem(t, name, w, c.status)
	}
	text := strings.TrimPrefix(path, "/preferences/")
	for _, bad := range []string{"/preferences/x", "/preferences/test", path[:len(path)-1], "/preferences/" + strings.TrimPrefix(s.leaveLink(mail1), "/unsubscribe/")} {
		for _, ask := range []string{"GET ", "POST ", "POST /link", "GET /export", "GET /erase", "POST /erase"} {
			method, below, _ := strings.Cut(ask, " ")
			problem(t, method+" "+bad+below, s.ask(anIP, method, bad+below, jsonType, `{}`), 404)
		}
	}
	for _, other := range []string{"/unsubscribe/", "/confirm/"} {
		problem(t, other, s.post(other+text), 404)
	}
	for n := range 60 {
		w := s.ask(anIP, "POST", path, jsonType, `{"name":"`+strings.Repeat("x", 1+n)+`"}`)
		if want := map[bool]int{true: 200, false: 429}[n < 50]; w.Code != want || want == 429 && w.Header().Get("Retry-After") == "" {
			t.Fatalf("change %d: %d %s", n, w.Code, w.Body)
		}
	}
	s.post(s.leaveLink(mail1))
	problem(t, "after leaving", s.ask(anIP, "POST", path, jsonType, `{"name":"x"}`), 410)
	if w := s.ask(anIP, "GET", path, "", "", browser); w.Code != 200 || !strings.Contains(w.Body.String(), "You are not subscribed") {
		t.Errorf("page after leaving: %d %s", w.Code, w.Body)
	}
}

func TestAnOldLinkOffersAFreshOne(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.join(mail1)
	path := s.manageLink(mail1)
	s.pass(token.FreshFor)
	for _, ask := range []string{"GET /export", "GET /erase", "POST /erase"} {
		method, below, _ := strings.Cut(ask, " ")
		problem(t, ask, s.ask(anIP, method, path+below, "", ""), 403)
		w := s.ask(anIP, method, path+below, "", "", browser)
		guarded(t, ask, w)
		if w.Code != 403 || !strings.Contains(w.Body.String(), `action="`+path+`/link"`) {
			t.Errorf("%s: %d %s", ask, w.Code, w.Body)
		}
	}
	if w := s.ask(anIP, "GET", path, "", "", browser); w.Code != 200 || strings.Contains(w.Body.String(), mail1) || strings.Contains(w.Body.String(), "/export") {
		t.Errorf("an old link's page: %d %s", w.Code, w.Body)
	}
	if w := s.ask(anIP, "POST", path+"/link", formType, "", browser); w.Code != 202 || !strings.Contains(w.Body.String(), "mailed a fresh link") {
		t.Errorf("link: %d %s", w.Code, w.Body)
	}
	mails := s.mails()
	if len(mails) != 1 || mails[0].To != mail1 || mails[0].Tags["mail"] != "manage" {
		t.Fatalf("mails %+v", mails)
	}
	if w := s.ask(anIP, "GET", linkTo(t, mails[0], "/preferences/")+"/export", "", ""); w.Code != 200 {
		t.Errorf("export by the fresh link: %d", w.Code)
	}
	for range 5 {
		s.post(path + "/link")
	}
	if mails := s.mails(); len(mails) != 2 {
		t.Errorf("%d more links in a day, want 2", len(mails))
	}
	if err := s.people.Bounced(t.Context(), s.id(mail1)); err != nil {
		t.Fatal(err)
	}
	s.pass(24 * time.Hour)
	if w := s.post(path + "/link"); w.Code != 202 || len(s.mails()) > 0 {
		t.Errorf("a link to where mail bounces: %d", w.Code)
	}
}

// FuzzPreferences sends any bytes as a body: there is a proper answer, never a 500, and what is kept then is in order.
func FuzzPreferences(f *testing.F) {
	f.Add(formType, "name=Ana&topics=&topics=sleep&pause=2")
	f.Add(formType, "email=x%40example.org")
	f.Add(jsonType, `{"name":"Ana","topics":["sleep"],"pause":0,"email":"b@example.org"}`)
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAna\r\n--b--\r\n")
	s := newPeopleSite(f)
	s.join(mail1)
	text, err := s.tokens.Sign(token.Claims{Purpose: token.Manage, Subscriber: s.id(mail1), Issued: s.clock().AddDate(100, 0, 0)}) // stays fresh
	if err != nil {
		f.Fatal(err)
	}
	path := "/preferences/" + text
	f.Fuzz(func(t *testing.T, contentType, body string) {
		s.pass(time.Hour)
		w := s.ask(anIP, "POST", path, contentType, body)
		switch w.Code {
		case 200, 400, 413, 415, 429:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if s.log.Len() > 0 {
			t.Errorf("logged %s", s.log.String())
		}
		var c chosen // s reports to f, which no case may
		if err := json.Unmarshal(s.ask(anIP, "GET", path, "", "").Body.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if len([]rune(c.Name)) > audience.MaxName || len(c.Topics) > audience.MaxTopics || c.Email != mail1 || c.Status != "confirmed" ||
			c.PausedUntil != nil && c.PausedUntil.After(s.clock().AddDate(0, audience.MaxPause, 1)) {
			t.Errorf("kept %+v", c)
		}
	})
}
