package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A world is a stack under test with everything that it logs and that its functions are invoked with.
type world struct {
	*testing.T
	*Stack
	logs    *buffer // all lines
	invoked *buffer // payloads from queues and schedules: what messages hold
}

// A buffer may be written by many.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newWorld starts a stack on free ports. data may be empty. With TIDINGS_DYNAMODB its table is on that DynamoDB.
func newWorld(t *testing.T, data string, parameters map[string]string) *world {
	t.Helper()
	w := &world{T: t, logs: &buffer{}, invoked: &buffer{}}
	const free = "127.0.0.1:0"
	s, err := Start(t.Context(), Options{
		HTTP: free, Inbox: free, SES: free, OIDC: free, Data: data, DynamoDB: os.Getenv("TIDINGS_DYNAMODB"), Parameters: parameters,
		Log: slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		observe: func(function string, payload []byte) {
			if !bytes.Contains(payload, []byte(`"routeKey"`)) {
				fmt.Fprintf(w.invoked, "%s %s\n", function, payload)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Stack = s
	t.Cleanup(func() {
		w.stop()
		if t.Failed() {
			t.Logf("log:\n%s", w.logs)
		}
	})
	return w
}

// stop stops the stack, once.
func (w *world) stop() {
	if w.Stack == nil {
		return
	}
	if err := w.Close(); err != nil {
		w.Errorf("close: %v", err)
	}
	w.Stack = nil
}

// An answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// want checks the status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// into decodes the body.
func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("decode %s: %v", a.body, err)
	}
}

// do sends a request without following redirects; headers are name, value, ….
func (w *world) do(method, u string, body []byte, header ...string) answer {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, u, bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := visitor.RoundTrip(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, b}
}

// visitorIP is whom the gateway sees: an address that nothing else here has, so that it can be searched for.
const visitorIP = "127.7.7.7"

var visitor = &http.Transport{
	DialContext:         (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitorIP)}}).DialContext,
	MaxIdleConnsPerHost: 32,
}

// form posts a form as a browser does.
func (w *world) form(path string, values url.Values) answer {
	w.Helper()
	return w.do("POST", w.Site+path, []byte(values.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")
}

// json posts JSON as a program does.
func (w *world) json(u string, v any, header ...string) answer {
	w.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	return w.do("POST", u, b, append([]string{"Content-Type", "application/json"}, header...)...)
}

// editor sends a request to the editors' API as a publisher.
func (w *world) editor(method, path string, v any) answer {
	w.Helper()
	var body []byte
	if v != nil {
		var err error
		if body, err = json.Marshal(v); err != nil {
			w.Fatal(err)
		}
	}
	return w.do(method, w.Site+"/editor/api"+path, body, "Content-Type", "application/json", "Authorization", "Bearer "+w.token("publisher"))
}

// token asks for a bearer token: those of before an advance of the clock may have ended.
func (w *world) token(role string) string {
	w.Helper()
	var t struct{ Token string }
	w.do("GET", w.Inbox+"/api/editor-token?role="+role, nil).want(w, 200).into(w, &t)
	return t.Token
}

// upload imports a file as an editor does.
func (w *world) upload(name string, content []byte) answer {
	w.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		w.Fatal(err)
	}
	return w.do("POST", w.Site+"/editor/api/articles/import", b.Bytes(), "Content-Type", form.FormDataContentType(), "Authorization", "Bearer "+w.token("publisher"))
}

// advance moves the clock on and waits until everything due until then has happened.
func (w *world) advance(d time.Duration) {
	w.Helper()
	left := d
	for range 10 {
		var before, got struct {
			Now  time.Time
			Busy int
		}
		w.do("GET", w.Inbox+"/api/clock", nil).want(w, 200).into(w, &before)
		w.json(w.Inbox+"/api/clock", map[string]string{"advance": left.String()}).want(w, 200).into(w, &got)
		if got.Busy == 0 {
			return
		}
		left = max(0, left-got.Now.Sub(before.Now))
	}
	w.Fatalf("the clock does not get through an advance of %s", d)
}

// settle waits until nothing is in flight.
func (w *world) settle() { w.Helper(); w.advance(0) }

// A letter is a mail in the inbox.
type letter struct {
	ID, Subject, Text, HTML, From string
	To                            []string
	Headers, Tags                 map[string]string
	AcceptedAt                    time.Time
}

// mails returns what was mailed to an address, newest first; to everyone when it is empty.
func (w *world) mails(to string) []letter {
	w.Helper()
	var list struct {
		Total    int
		Messages []letter
	}
	w.do("GET", w.Inbox+"/api/messages?limit=5000&to="+url.QueryEscape(to), nil).want(w, 200).into(w, &list)
	if list.Total != len(list.Messages) {
		w.Fatalf("%d mails of %d", len(list.Messages), list.Total)
	}
	return list.Messages
}

// mail returns the newest mail to an address whose subject contains a text.
func (w *world) mail(to, subject string) letter {
	w.Helper()
	for _, m := range w.mails(to) {
		if strings.Contains(m.Subject, subject) {
			return m
		}
	}
	w.Fatalf("%s has no mail about %q", to, subject)
	return letter{}
}

// link finds the path of a link in a mail's text, such as one under /confirm/. The stack may have moved to other ports since.
func (w *world) link(m letter, under string) string {
	w.Helper()
	found := regexp.MustCompile(`http://127\.0\.0\.1:\d+(` + regexp.QuoteMeta(under) + `[A-Za-z0-9_.~-]+)`).FindStringSubmatch(m.Text)
	if found == nil {
		w.Fatalf("no link under %s in:\n%s", under, m.Text)
	}
	return found[1]
}

// clean fails when a log line or a message of a queue holds one of these.
func (w *world) clean(personal ...string) {
	w.Helper()
	for what, text := range map[string]string{"log": w.logs.String(), "queue": w.invoked.String()} {
		lower := strings.ToLower(text)
		for _, p := range personal {
			if i := strings.Index(lower, strings.ToLower(p)); p != "" && i >= 0 {
				w.Errorf("the %s holds %q: …%s…", what, p, text[max(0, i-120):min(len(text), i+len(p)+40)])
			}
		}
	}
}
