package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/token"
	"tidings/internal/web"
)

const mail1 = "ana@example.org"

// guarded demands the headers of pages behind a token.
func guarded(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Header()
	if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Set-Cookie") != "" || h.Get("Location") != "" {
		t.Errorf("%s: headers %v", what, h)
	}
}

func TestOpeningALinkChangesNothing(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.signUp(mail1)
	confirm, leave := link(t, s.mails()[0]), s.leaveLink(mail1)
	s.table.Reset()
	for path, button := range map[string]string{confirm: "Yes, subscribe me", leave: "Unsubscribe"} {
		for _, method := range []string{"GET", "HEAD"} {
			for _, accept := range []string{browser, "Accept: */*"} {
				w := s.ask(anIP, method, path, "", "", accept)
				guarded(t, path, w)
				body := w.Body.String()
				if w.Code != 200 || method == "GET" && (strings.Count(body, "<form") != 1 || strings.Count(body, "<button") != 1 ||
					!strings.Contains(body, button) || !strings.Contains(body, `method="post" action="`+path+`"`) || !strings.Contains(body, "noindex")) {
					t.Errorf("%s %s: %d %s", method, path, w.Code, body)
				}
			}
		}
	}
	if u := s.table.Units().Total(); u.Calls > 0 {
		t.Errorf("looking cost %+v", u)
	}
}

func TestConfirming(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	path := s.join(mail1)
	w := s.post(path)
	guarded(t, "again", w)
	if w.Code != 200 || w.Body.String() != `{"status":"confirmed"}`+"\n" || s.status(mail1) != audience.Confirmed {
		t.Errorf("again: %d %s, %s", w.Code, w.Body, s.status(mail1))
	}
	if w := s.ask(anIP, "POST", path, formType, "", browser, "Origin: null", "Sec-Fetch-Site: same-origin"); w.Code != 200 || !strings.Contains(w.Body.String(), "Thanks for joining our newsletter.") {
		t.Errorf("page: %d %s", w.Code, w.Body)
	}
	s.post(s.leaveLink(mail1))
	problem(t, "after leaving", s.post(path), 410)
	w = s.ask(anIP, "POST", path, formType, "", browser)
	guarded(t, "gone", w)
	if w.Code != 410 || !strings.Contains(w.Body.String(), `href="/subscribe"`) || s.status(mail1) != audience.Unsubscribed {
		t.Errorf("gone: %d %s, %s", w.Code, w.Body, s.status(mail1))
	}
	if s.join(mail1); s.status(mail1) != audience.Confirmed {
		t.Errorf("joined again: %s", s.status(mail1))
	}
}

func TestALateLinkIsGone(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	s.signUp(mail1)
	path := link(t, s.mails()[0])
	s.pass(audience.PendingLife)
	problem(t, "press", s.post(path), 410)
	for _, method := range []string{"GET", "POST"} {
		if w := s.ask(anIP, method, path, "", "", browser); w.Code != 410 || !strings.Contains(w.Body.String(), `href="/subscribe"`) {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	if s.status(mail1) != "" {
		t.Errorf("status %s", s.status(mail1))
	}
}

func TestOneClick(t *testing.T) {
	t.Parallel()
	const multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	bodies := []struct{ contentType, body, how string }{
		{formType, "List-Unsubscribe=One-Click", "one-click"}, {"multipart/form-data; boundary=b", multipart, "one-click"},
		{"", "", "link"}, {formType, "", "link"}, {jsonType, `{"x":`, "link"}, {"text/plain", "List-Unsubscribe=One-Click", "link"},
		{"multipart/form-data; boundary=c", multipart, "link"}, {formType, strings.Repeat("x", 20<<10), "link"}, {"nonsense;;", "%zz", "link"},
	}
	s := newPeopleSite(t)
	for n, c := range bodies {
		email := fmt.Sprintf("v%d@example.org", n)
		s.join(email)
		path := s.leaveLink(email)
		for range 2 {
			w := s.ask("198.51.100.9", "POST", path, c.contentType, c.body)
			guarded(t, c.body, w)
			if w.Code != 200 || w.Body.String() != `{"status":"unsubscribed"}`+"\n" || s.status(email) != audience.Unsubscribed {
				t.Errorf("%.40q: %d %s, %s", c.body, w.Code, w.Body, s.status(email))
			}
		}
		s.signUp(email)
		if mails := s.mails(); len(mails) != 1 || !strings.HasPrefix(link(t, mails[0]), "/confirm/") {
			t.Errorf("a sign-up after leaving mailed %+v", mails)
		}
	}
	if w := s.ask(anIP, "POST", s.leaveLink("v0@example.org"), "", "", browser); w.Code != 200 || !strings.Contains(w.Body.String(), "No more newsletters") {
		t.Errorf("page: %d %s", w.Code, w.Body)
	}
	if w := s.post(s.leaveLink("nobody@example.org")); w.Code != 200 || s.status("nobody@example.org") != "" {
		t.Errorf("unknown subscriber: %d", w.Code)
	}
}

func TestForgedLinks(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	confirm := s.join(mail1)
	leave := s.leaveLink(mail1)
	text := func(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
	bad := []string{
		"/confirm/" + text(leave), "/unsubscribe/" + text(confirm), confirm[:len(confirm)-1], leave[:len(leave)-1], confirm + "A", leave + "=",
		"/confirm/x", "/unsubscribe/%00", "/unsubscribe/test", "/confirm/" + strings.Repeat("A", 64), "/unsubscribe/" + strings.Repeat("A", 9999),
		leave[:30] + strings.ToUpper(leave[30:40]) + "_" + leave[41:],
	}
	for _, path := range bad {
		for _, method := range []string{"GET", "POST"} {
			w := s.ask(anIP, method, path, formType, "List-Unsubscribe=One-Click")
			guarded(t, path, w)
			problem(t, method+" "+path, w, 404)
			if w := s.ask(anIP, method, path, "", "", browser); w.Code != 404 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("%s %s, browser: %d", method, path, w.Code)
			}
		}
	}
	if s.status(mail1) != audience.Confirmed {
		t.Errorf("a forged link made it %s", s.status(mail1))
	}
	if w := s.ask(anIP, "GET", "/unsubscribe/test", "", "", browser); !strings.Contains(w.Body.String(), "test mail") {
		t.Errorf("a test mail's link explains nothing: %s", w.Body)
	}
}

func TestPressesAtOnce(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	for n := range 20 {
		email := fmt.Sprintf("v%d@example.org", n)
		s.signUp(email)
		confirm, leave := link(t, s.mails()[0]), s.leaveLink(email)
		codes := make([]int, 3)
		var wg sync.WaitGroup
		for i, path := range []string{confirm, confirm, leave} {
			wg.Go(func() { codes[i] = s.post(path).Code })
		}
		wg.Wait()
		for _, code := range codes[:2] {
			if code != 200 && code != 410 {
				t.Errorf("confirm: %d", code)
			}
		}
		if codes[2] != 200 || s.status(email) == audience.Confirmed {
			t.Errorf("codes %v, and then %q", codes, s.status(email))
		}
		if w := s.post(confirm); w.Code != 410 {
			t.Errorf("confirm after leaving: %d", w.Code)
		}
	}
}

// The whole way from sign-up to leaving, after which nothing that was logged or queued holds an address, a name, a
// token or an IP.
func TestOutputIsDiscreet(t *testing.T) {
	t.Parallel()
	s := newPeopleSite(t)
	var secrets []string
	s.signUp("Ana.Secret@example.org")
	first := link(t, s.mails()[0])
	s.post(first)
	s.signUp("ana.secret@example.org")
	already := s.mails()
	second, manage := linkTo(t, already[len(already)-1], "/unsubscribe/"), linkTo(t, already[len(already)-1], "/preferences/")
	s.ask(anIP, "GET", manage, "", "", browser)
	s.ask(anIP, "POST", manage, jsonType, `{"name":"Ana","pause":1}`)
	s.ask(anIP, "POST", manage+"/link", "", "")
	s.ask(anIP, "GET", manage+"/export", "", "")
	s.ask(anIP, "POST", manage, jsonType, `{"email":"ana.moved@example.org"}`)
	s.ask(anIP, "GET", second, "", "")
	s.post(second)
	s.post(second + "x")
	s.post(first)
	for range 5 { // over the limit of mails
		s.signUp("ana.secret@example.org")
	}
	s.mails()
	expired, err := s.tokens.Sign(token.Claims{Purpose: token.Confirm, Subscriber: strings.Repeat("a", 26), Issued: s.clock(), Expires: s.clock().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s.post("/confirm/" + expired)
	// The table fails: what is logged then, by whichever part, names subscribers by their IDs.
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/subscribe", first, second, manage, manage + "/erase"} {
		r := httptest.NewRequest("POST", path, strings.NewReader("email=ana.secret%40example.org&name=Ana"))
		r.Header.Set("Content-Type", formType)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r.WithContext(web.WithIP(broken, netip.MustParseAddr(anIP))))
		problem(t, "broken table", w, 500)
	}
	if n := strings.Count(s.log.String(), "request failed"); n != 5 {
		t.Errorf("%d of 5 failures were logged once: %s", n, s.log.String())
	}
	secrets = append(secrets, "ana.secret", "ana.moved", "Ana", anIP, s.ids.IPHash(netip.MustParseAddr(anIP)), strings.TrimPrefix(first, "/confirm/"), strings.TrimPrefix(second, "/unsubscribe/"), strings.TrimPrefix(manage, "/preferences/"), expired)
	for _, secret := range secrets {
		for _, body := range s.every {
			if strings.Contains(strings.ToLower(string(body)), strings.ToLower(secret)) && secret != "Ana" {
				t.Errorf("a message holds %s: %s", secret, body)
			}
		}
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %s: %s", secret, s.log.String())
		}
	}
	if !strings.Contains(s.log.String(), `"subscriber":"`+s.ids.ID(audience.Address{Canonical: "ana.secret@example.org"})+`"`) {
		t.Errorf("the log names nobody: %s", s.log.String())
	}
}
