package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tidings/infra/local/clock"
	"tidings/infra/local/inbox"
	"tidings/infra/local/sesapi"
	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// desk is an inbox on the stack's own clock, which stands still but for its advances.
type desk struct {
	*inbox.Inbox
	t       *testing.T
	handler http.Handler
}

var start = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

func newDesk(t *testing.T) *desk {
	t.Helper()
	p, err := pages.New(templates.FS, pages.Site{Name: "Juniper Clinic", BaseURL: "http://127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(func() time.Time { return start }, 0)
	var ids atomic.Int64
	log := slog.New(slog.DiscardHandler)
	d := &desk{t: t, Inbox: &inbox.Inbox{
		Responder: &web.Responder{Pages: p.Local(), Log: log},
		Mails: sesapi.New(sesapi.Config{
			Now: clk.Now, Sleep: clk.Sleep, Log: log, NewID: func() string { return fmt.Sprintf("id%d", ids.Add(1)) },
		}),
		Clock: clk, Demo: "http://127.0.0.1:8025/demo",
		Token: func(role string) (string, error) { return "token-of-" + role, nil },
	}}
	t.Cleanup(d.Mails.Close)
	mux := http.NewServeMux()
	d.Register(mux)
	d.handler = inbox.Local(mux)
	return d
}

// ask makes a request; more are header lines.
func (d *desk) ask(method, path, body string, more ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8025"
	for _, h := range more {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

// json makes a request and decodes its answer.
func (d *desk) json(want int, method, path, body string, more ...string) map[string]any {
	d.t.Helper()
	w := d.ask(method, path, body, more...)
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != want {
		d.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	kind := "application/json; charset=utf-8"
	if want >= 400 {
		kind = "application/problem+json"
		if m["status"] != float64(want) || m["detail"] == "" {
			d.t.Errorf("%s %s: problem %v", method, path, m)
		}
	}
	if got := w.Header().Get("Content-Type"); got != kind || w.Header().Get("Cache-Control") != "no-store" {
		d.t.Errorf("%s %s: header %v", method, path, w.Header())
	}
	return m
}

// mail lets SES accept a mail, and returns its ID.
func (d *desk) mail(to, subject, html string) string {
	d.t.Helper()
	body, _ := json.Marshal(map[string]any{
		"FromEmailAddress": `"Juniper Clinic" <news@juniper.example>`, "Destination": map[string]any{"ToAddresses": []string{to}},
		"EmailTags": []map[string]string{{"Name": "digest", "Value": "d1"}, {"Name": "slot", "Value": "0"}},
		"Content": map[string]any{"Simple": map[string]any{
			"Subject": map[string]string{"Data": subject},
			"Body":    map[string]any{"Text": map[string]string{"Data": "Hello <you> & {{name}}\n"}, "Html": map[string]string{"Data": html}},
			"Headers": []map[string]string{{"Name": "List-Unsubscribe", "Value": "<https://juniper.example/unsubscribe/u1>"}, {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"}, {"Name": "X-Twice", "Value": "1"}, {"Name": "X-Twice", "Value": "2"}},
		}},
	})
	r := httptest.NewRequestWithContext(d.t.Context(), "POST", "/v2/email/outbound-emails", bytes.NewReader(body))
	now := d.Clock.Now().UTC()
	r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/"+now.Format("20060102")+"/us-east-1/ses/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	w := httptest.NewRecorder()
	d.Mails.ServeHTTP(w, r)
	var out struct{ MessageID string }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
		d.t.Fatalf("SES: %d %s", w.Code, w.Body)
	}
	return out.MessageID
}

func TestMessagesAreListed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if got := d.json(200, "GET", "/api/messages", ""); got["total"] != 0.0 || len(got["messages"].([]any)) != 0 {
		t.Errorf("empty inbox: %v", got)
	}
	d.mail("cyd+news@example.com", "May", "<p>0</p>")
	d.mail("Ana@Example.com", "Grüße & more", "<p>1</p>")
	d.mail("ben@example.com", "December", "<p>2</p>")
	id := d.mail("ana@example.com", "December", "<p>3</p>")
	for path, want := range map[string]string{
		"/api/messages":                                      "4: id 3, 2, 1, 0",
		"/api/messages?limit=2":                              "4: id 3, 2",
		"/api/messages?limit=0":                              "4: id ",
		"/api/messages?to=ANA@example.com":                   "2: id 3, 1",
		"/api/messages?to=example.com":                       "0: id ",
		"/api/messages?to=ana@example.com&subject=gr%C3%BC":  "1: id 1",
		"/api/messages?subject=ecem&limit=1":                 "2: id 3",
		"/api/messages?to=&subject=&limit=":                  "4: id 3, 2, 1, 0",
		"/api/messages?to=ana%2B1@example.com&subject=Dec":   "0: id ",
		"/api/messages?to=cyd%2Bnews@example.com":            "1: id 0",
		"/api/messages?to=cyd+news@example.com":              "1: id 0",
		"/api/messages?to=ben@example.com&subject=December&": "1: id 2",
	} {
		got := d.json(200, "GET", path, "")
		var list []string
		for _, m := range got["messages"].([]any) {
			list = append(list, strings.Trim(m.(map[string]any)["html"].(string), "<p>/"))
		}
		if s := fmt.Sprintf("%v: id %s", got["total"], strings.Join(list, ", ")); s != want {
			t.Errorf("%s: got %s, want %s", path, s, want)
		}
	}
	m := d.json(200, "GET", "/api/messages/"+id, "")
	keys := strings.Join(slices.Sorted(maps.Keys(m)), " ")
	if keys != "acceptedAt from headers html id subject tags text to" || m["id"] != id || m["from"] != `"Juniper Clinic" <news@juniper.example>` ||
		m["text"] != "Hello <you> & {{name}}\n" || m["acceptedAt"] != "2026-12-01T09:00:00Z" || fmt.Sprint(m["to"]) != "[ana@example.com]" || fmt.Sprint(m["tags"]) != "map[digest:d1 slot:0]" {
		t.Errorf("message %v (%s)", m, keys)
	}
	h := m["headers"].(map[string]any)
	if h["List-Unsubscribe"] != "<https://juniper.example/unsubscribe/u1>" || h["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" || h["X-Twice"] != "1, 2" || h["Subject"] != "December" {
		t.Errorf("headers %v", h)
	}
}

func TestRawAndClear(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mail("ana@example.com", "Grüße", "<p>1</p>")
	w := d.ask("GET", "/api/messages/"+id+"/raw", "")
	msg, err := mail.ReadMessage(w.Body)
	if err != nil || w.Header().Get("Content-Type") != "message/rfc822" || msg.Header.Get("To") != "ana@example.com" {
		t.Errorf("raw: %v %v", err, w.Header())
	}
	if w = d.ask("DELETE", "/api/messages", ""); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("delete: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/api/messages/" + id, "/api/messages/" + id + "/raw", "/api/messages/x", "/api/messages/%2e%2e/raw"} {
		d.json(404, "GET", path, "", "Accept: text/html") // the API answers browsers as it does programs
	}
	if got := d.json(200, "GET", "/api/messages", ""); got["total"] != 0.0 {
		t.Errorf("after delete: %v", got)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	check := func(got map[string]any, want string) {
		t.Helper()
		if got["now"] != want || got["busy"] != 0.0 || len(got) != 2 {
			t.Errorf("clock %v, want %s", got, want)
		}
	}
	check(d.json(200, "GET", "/api/clock", ""), "2026-12-01T09:00:00Z")
	check(d.json(200, "POST", "/api/clock", `{"advance":"72h"}`), "2026-12-04T09:00:00Z")
	check(d.json(200, "POST", "/api/clock", `{"advance":"1h30m"}`, "Content-Type: application/x-www-form-urlencoded"), "2026-12-04T10:30:00Z")
	check(d.json(200, "POST", "/api/clock", `{"advance":"0s"}`, "Content-Type: application/json"), "2026-12-04T10:30:00Z")
	for _, bad := range []string{``, `{}`, `[]`, `{"advance":72}`, `{"advance":null}`, `{"advance":"-1h"}`, `{"advance":"3d"}`, `{"advance":"1h","to":1}`, `{"advance":"1h"}{}`} {
		d.json(400, "POST", "/api/clock", bad)
	}
	d.json(422, "POST", "/api/clock", `{"advance":"2000000h"}`)
	check(d.json(200, "GET", "/api/clock", ""), "2026-12-04T10:30:00Z")
}

// stuck is a clock with work in flight.
type stuck struct{ err error }

func (stuck) Now() time.Time                                        { return start }
func (stuck) Busy() int                                             { return 2 }
func (s stuck) Advance(context.Context, time.Duration) (int, error) { return 3, s.err }

func TestClockThatDoesNotGetThere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Clock = stuck{}
	if got := d.json(200, "POST", "/api/clock", `{"advance":"1h"}`); got["busy"] != 3.0 {
		t.Errorf("advance %v", got)
	}
	if got := d.json(200, "GET", "/api/clock", ""); got["busy"] != 2.0 {
		t.Errorf("clock %v", got)
	}
	d.Clock = stuck{errors.New("broken spring")}
	if got := d.json(500, "POST", "/api/clock", `{"advance":"1h"}`); strings.Contains(fmt.Sprint(got), "spring") {
		t.Errorf("problem %v", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const defaults = `{"maxSendRate":200,"max24HourSend":50000,"bulkCallsPerSecond":0,"latency":"0s","faults":[]}` + "\n"
	if got := d.ask("GET", "/api/ses", "").Body.String(); got != defaults {
		t.Errorf("defaults %s", got)
	}
	if got := d.json(200, "PUT", "/api/ses", `{"maxSendRate":14,"faults":[{"kind":"drop","op":"SendBulkEmail","count":2}]}`, "Content-Type: application/json"); got["maxSendRate"] != 14.0 || got["max24HourSend"] != 50000.0 {
		t.Errorf("changed %v", got)
	}
	if got := fmt.Sprint(d.json(200, "GET", "/api/ses", "")["faults"]); got != "[map[count:2 kind:drop op:SendBulkEmail]]" {
		t.Errorf("faults %v", got)
	}
	for _, bad := range []string{``, `null`, `{`, `{"rate":1}`, `{"maxSendRate":0}`, `{"latency":"x"}`, `{"faults":[{"kind":"x"}]}`} {
		d.json(400, "PUT", "/api/ses", bad)
	}
	d.json(413, "PUT", "/api/ses", `{"latency":"`+strings.Repeat("1", 1<<20)+`"}`)
}

func TestEditorToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, role := range []string{"publisher", "editor"} {
		if got := d.json(200, "GET", "/api/editor-token?role="+role, ""); got["token"] != "token-of-"+role {
			t.Errorf("token %v", got)
		}
	}
	for _, q := range []string{"", "?role=", "?role=admin"} {
		d.json(400, "GET", "/api/editor-token"+q, "")
	}
	d.Token = func(string) (string, error) { return "", errors.New("no key") }
	d.json(500, "GET", "/api/editor-token?role=editor", "")
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, path := range []string{"/api/messages?limit=x", "/api/messages?limit=-1", "/api/messages?limit=1.5", "/?limit=x"} {
		d.json(400, "GET", path, "")
	}
	d.json(404, "GET", "/api/nothing", "")
	for path, allow := range map[string]string{
		"/api/messages": "GET, HEAD, DELETE", "/api/clock": "GET, HEAD, POST", "/api/ses": "GET, HEAD, PUT", "/api/editor-token": "GET, HEAD", "/api/messages/x/raw": "GET, HEAD",
	} {
		d.json(405, "PATCH", path, "")
		if got := d.ask("PATCH", path, "").Header().Get("Allow"); got != allow {
			t.Errorf("%s: Allow %s, want %s", path, got, allow)
		}
	}
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:8025": 200, "localhost": 200, "LocalHost:1": 200, "[::1]": 200, "[::1]:8025": 200,
		"": 403, "evil.example": 403, "evil.example:8025": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "10.0.0.1:8025": 403, "[::2]:8025": 403,
	} {
		if w := d.ask("GET", "/api/editor-token?role=editor", "", "Host: "+host); w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
	id := d.mail("ana@example.com", "s", "<p>1</p>")
	for _, h := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: http://127.0.0.1:8080"} {
		d.json(403, "DELETE", "/api/messages", "", h)
		d.json(403, "POST", "/api/clock", `{"advance":"1h"}`, h)
	}
	d.json(200, "GET", "/api/messages/"+id, "", "Origin: http://127.0.0.1:8025")
	if w := d.ask("DELETE", "/api/messages", "", "Origin: http://127.0.0.1:8025", "Sec-Fetch-Site: same-origin"); w.Code != 204 {
		t.Errorf("own page: %d", w.Code)
	}
}

// Everything of a digest is listed without being held in memory at once.
func TestLongLists(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.json(200, "PUT", "/api/ses", `{"maxSendRate":100000}`)
	for n := range 300 {
		d.mail(fmt.Sprintf("r%d@example.com", n), "December", strings.Repeat("x", 10_000))
	}
	srv := httptest.NewServer(d.handler)
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/api/messages")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var got struct {
		Total    int
		Messages []struct{ To []string }
	}
	if err := errors.Join(err, json.Unmarshal(body, &got)); err != nil || got.Total != 300 || len(got.Messages) != 300 || got.Messages[299].To[0] != "r0@example.com" {
		t.Errorf("%d of %d, %v", len(got.Messages), got.Total, err)
	}
}
