package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/templates"
)

func TestSignUpInAllItsForms(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	multipart := "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nc@example.org\r\n--b\r\nContent-Disposition: form-data; name=\"topics\"\r\n\r\nsleep\r\n--b--\r\n"
	for n, in := range []struct{ contentType, body string }{
		{formType, "email=a%2Btag%40example.org&name=Ana&topics=sleep&topics=&utm_source=x"},
		{formType + "; charset=UTF-8", "email=a%40m%C3%BCnchen.example"},
		{"multipart/form-data; boundary=b", multipart},
		{jsonType, `{"email":"d@example.org","name":"D","topics":["sleep","mood"]}`},
		{jsonType + "; charset=utf-8", ` {"email":"e@example.org"} `},
	} {
		w := s.ask(anIP, "POST", "/subscribe", in.contentType, in.body)
		if w.Code != 202 || w.Body.String() != `{"status":"pending"}`+"\n" || len(s.mails()) != 1 {
			t.Errorf("%d: %d %s, %d mails", n, w.Code, w.Body, len(s.sent))
		}
	}
	w := s.ask(anIP, "POST", "/subscribe", formType, "email=f%40example.org", browser)
	if w.Code != 303 || w.Header().Get("Location") != "/subscribe/check-inbox" || len(s.mails()) != 1 {
		t.Errorf("browser: %d %v", w.Code, w.Header())
	}
	w = s.ask(anIP, "GET", "/subscribe/check-inbox", "", "", browser)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "We have sent you a mail") {
		t.Errorf("check-inbox: %d %s", w.Code, w.Body)
	}
}

// answer is all of an answer that somebody could compare.
func answer(w *httptest.ResponseRecorder) string { return fmt.Sprint(w.Code, w.Header(), w.Body) }

func TestNobodyLearnsWhoIsOnTheList(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	address := func(state string) string { return state + "@example.org" }
	states := []string{"new", "pending", "confirmed", "unsubscribed", "bounced", "complained", "erased", "overmailed"}
	for _, state := range states[1:] {
		if state == "pending" {
			s.signUp(address(state))
			s.mails()
			continue
		}
		s.join(address(state))
		id := s.ids.ID(audience.Address{Canonical: address(state)})
		var err error
		switch state {
		case "unsubscribed":
			s.post(s.leaveLink(address(state)))
		case "bounced":
			err = s.people.Bounced(t.Context(), id)
		case "complained":
			err = s.people.Complained(t.Context(), id)
		case "erased":
			err = s.people.Erase(t.Context(), id, audience.Event{At: s.clock()})
		case "overmailed":
			for range 4 {
				s.signUp(address(state))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.mails()
	for _, accept := range []string{"Accept: */*", browser} {
		var first string
		for _, state := range states {
			s.table.Reset()
			s.pass(time.Second)
			got := answer(s.ask(anIP, "POST", "/subscribe", formType, url.Values{"email": {address(state)}}.Encode(), accept))
			u := s.table.Reset()
			got = fmt.Sprintf("%s %+v, %d messages", got, u, len(s.queue))
			if first == "" {
				first = got
			}
			if got != first || u.Transact.Calls != 1 || u.Total().Calls != 1 || len(s.queue) != 1 {
				t.Errorf("%s: %s\nwhile new: %s", state, got, first)
			}
			if want := fmt.Sprintf(`{"kind":"signup","subscriber":"%s"}`, s.ids.ID(audience.Address{Canonical: address(state)})); string(s.queue[0]) != want {
				t.Errorf("%s: message %s", state, s.queue[0])
			}
			s.queue = nil
		}
		trapped := s.ask(anIP, "POST", "/subscribe", formType, "email=new%40example.org&website=x", accept)
		if u := s.table.Reset(); !strings.HasPrefix(first, answer(trapped)) || u.Total().Calls != 0 || len(s.queue) != 0 {
			t.Errorf("trapped: %s, %+v", answer(trapped), u)
		}
		trapped = s.ask(anIP, "POST", "/subscribe", jsonType, `{"email":"new@example.org","website":"x"}`, accept)
		if u := s.table.Reset(); !strings.HasPrefix(first, answer(trapped)) || u.Total().Calls != 0 || len(s.queue) != 0 {
			t.Errorf("trapped in JSON: %s, %+v", answer(trapped), u)
		}
	}
}

func TestBadSignUps(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	form := func(email string) string { return url.Values{"email": {email}}.Encode() }
	long := strings.Repeat("x", 17<<10)
	for name, c := range map[string]struct {
		contentType, body string
		status            int
	}{
		"no body": {formType, "", 400}, "no address": {formType, "name=Ana", 400}, "CR LF": {formType, form("a@example.org\r\nBcc: b@example.org"), 400},
		"blank within": {formType, form("a b@example.org"), 400}, "script": {formType, form("<script>alert(1)</script>@example.org"), 400},
		"255 bytes": {formType, form("a@" + strings.Repeat("b", 60) + "." + strings.Repeat("c", 62) + "." + strings.Repeat("d", 62) + "." + strings.Repeat("e", 62) + ".orgs"), 400},
		"no domain": {formType, form("ana@"), 400}, "no @": {formType, form("ana"), 400}, "local part": {formType, form("añа@example.org"), 400},
		"twice": {formType, "email=a@b.org&email=c@d.org", 400}, "escape": {formType, "email=%zz", 400}, "semicolons": {formType, "email=a@b.org;name=x", 400},
		"name": {formType, "email=a@b.org&name=%0A", 400}, "long name": {formType, "email=a@b.org&name=" + strings.Repeat("x", 81), 400}, "topic": {formType, "email=a@b.org&topics=%3F", 400},
		"JSON cut": {jsonType, `{"email":"a@b.org"`, 400}, "JSON list": {jsonType, `[]`, 400}, "JSON twice": {jsonType, `{"email":"a@b.org"}{}`, 400},
		"JSON number": {jsonType, `{"email":7}`, 400}, "JSON unknown": {jsonType, `{"email":"a@b.org","admin":true}`, 400}, "JSON null": {jsonType, `null`, 400},
		"JSON address": {jsonType, `{"email":"a@b"}`, 400}, "JSON topics": {jsonType, `{"email":"a@b.org","topics":"sleep"}`, 400},
		"multipart without boundary": {"multipart/form-data", "x", 400}, "multipart cut": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.org", 400},
		"large form": {formType, "email=a@b.org&x=" + long, 413}, "large JSON": {jsonType, `{"email":"` + long + `"}`, 413},
		"large multipart": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + long + "\r\n--b--\r\n", 413},
		"large file":      {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + long + "\r\n--b--\r\n", 413},
		"no type":         {"", "email=a@b.org", 415}, "text": {"text/plain", "email=a@b.org", 415}, "XML": {"application/xml", "<a/>", 415}, "odd type": {";;", "x", 415},
	} {
		p := problem(t, name, s.ask(anIP, "POST", "/subscribe", c.contentType, c.body), c.status)
		if strings.Contains(p.Detail, "example") || strings.Contains(p.Detail, "script") {
			t.Errorf("%s: the answer repeats what was sent: %+v", name, p)
		}
		w := s.ask(anIP, "POST", "/subscribe", c.contentType, c.body, browser)
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s, browser: %d %s", name, w.Code, w.Body)
		}
	}
	// An address in the URL is none: it would end in logs.
	problem(t, "query", s.ask(anIP, "POST", "/subscribe?email=a@b.org", formType, "name=x"), 400)
	if u := s.table.Units(); u.Total().Calls > 0 || len(s.every) > 0 || s.log.Len() > 0 {
		t.Errorf("bad sign-ups left something: %+v, %s, log %s", u, s.every, s.log.String())
	}
}

func TestTooManySignUpsFromOneNetwork(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	try := func(ip string, n int, headers ...string) *httptest.ResponseRecorder {
		return s.ask(ip, "POST", "/subscribe", jsonType, fmt.Sprintf(`{"email":"v%d@example.org"}`, n), headers...)
	}
	for n := range 60 {
		if w := try(fmt.Sprintf("2001:db8::%x", n), n); w.Code != 202 {
			t.Fatalf("sign-up %d: %d", n, w.Code)
		}
	}
	s.queue = nil
	for _, w := range []*httptest.ResponseRecorder{try("2001:db8::ffff", 60), try("2001:db8::1", 0, "Origin: "+clinicOrigin)} {
		if p := problem(t, "beyond the limit", w, 429); w.Header().Get("Retry-After") != "2400" || p.Code != "limited" {
			t.Errorf("beyond the limit: %+v, %v", p, w.Header())
		}
	}
	if w := try("2001:db8::1", 61, browser); w.Code != 429 || !strings.Contains(w.Body.String(), "try again later") || w.Header().Get("Retry-After") == "" {
		t.Errorf("page: %d %s", w.Code, w.Body)
	}
	if len(s.queue) > 0 {
		t.Errorf("mails beyond the limit: %s", s.queue)
	}
	if w := try("2001:db8:0:1::1", 62); w.Code != 202 {
		t.Errorf("another network: %d", w.Code)
	}
	s.pass(40 * time.Minute)
	if w := try("2001:db8::1", 63); w.Code != 202 {
		t.Errorf("the next hour: %d", w.Code)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	for origin, known := range map[string]bool{
		clinicOrigin: true, clinicOrigin + ".evil.example": false, "https://evil.example": false, "null": false, "": false, "http://clinic.example": false, "*": false,
	} {
		for _, w := range []*httptest.ResponseRecorder{
			s.ask(anIP, "OPTIONS", "/subscribe", "", "", "Origin: "+origin, "Access-Control-Request-Method: POST"),
			s.ask(anIP, "POST", "/subscribe", jsonType, `{"email":"a@example.org"}`, "Origin: "+origin),
			s.ask(anIP, "POST", "/subscribe", jsonType, `{}`, "Origin: "+origin),
		} {
			h := w.Header()
			if got := h.Get("Access-Control-Allow-Origin"); got != map[bool]string{true: origin}[known] || h.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(h.Get("Vary"), "Origin") {
				t.Errorf("%q: %d %v", origin, w.Code, h)
			}
		}
		w := s.ask(anIP, "OPTIONS", "/subscribe", "", "", "Origin: "+origin)
		if got := w.Header().Get("Access-Control-Allow-Headers"); w.Code != 204 || (got == "Content-Type") != known {
			t.Errorf("preflight of %q: %d, allows %q", origin, w.Code, got)
		}
	}
}

// What is kept as agreed to is what the page says.
func TestThePageShowsTheConsentText(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	consent, err := audience.LoadConsent(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	w := s.ask(anIP, "GET", "/subscribe", "", "", browser)
	for line := range strings.Lines(consent.Text) {
		if !strings.Contains(w.Body.String(), strings.TrimSpace(line)) {
			t.Errorf("the page does not say %q", line)
		}
	}
	if w.Code != 200 || !strings.Contains(w.Body.String(), `action="/subscribe"`) || w.Header().Get("ETag") == "" {
		t.Errorf("page: %d %v", w.Code, w.Header())
	}
	if head := s.ask(anIP, "HEAD", "/subscribe", "", ""); head.Code != 200 || head.Body.Len() > 0 {
		t.Errorf("HEAD: %d", head.Code)
	}
}

// FuzzSignUp sends any bytes as a body: there is a proper answer, never a 500, and nothing of it is repeated.
func FuzzSignUp(f *testing.F) {
	f.Add(formType, "email=a%40example.org&name=x")
	f.Add(jsonType, `{"email":"a@example.org","topics":["a"]}`)
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.org\r\n--b--\r\n")
	s := newPeopleSite(f)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		s.pass(time.Hour)
		w := s.ask(anIP, "POST", "/subscribe", contentType, body)
		switch w.Code {
		case http.StatusAccepted, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if s.log.Len() > 0 {
			t.Errorf("logged %s", s.log.String())
		}
	})
}
