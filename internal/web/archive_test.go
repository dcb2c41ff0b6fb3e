package web_test

import (
	"strings"
	"testing"

	"tidings/internal/digest"
)

// moved changes a started digest's status, as its delivery does.
func (s editorSite) moved(t testing.TB, path string, to digest.Status) {
	t.Helper()
	if _, err := s.Digests.Table.Write(t.Context(), s.Digests.MoveOp(strings.TrimPrefix(path, "/editor/api/digests/"), to, "")); err != nil {
		t.Fatal(err)
	}
}

func TestTheArchive(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	if got := s.ask("GET", "/digests", "").Body.String(); got != `{"items":[],"next":""}`+"\n" {
		t.Errorf("empty archive: %s", got)
	}
	path := s.drafted(t)
	s.as(t, "ed", "PATCH", path, `{"intro":"Dear <all>,\n\nread {{name}} & rest."}`, 200)
	s.as(t, "pub", "POST", path+"/schedule", `{"now":true}`, 200)
	const page, empty = "/digests/news-november-2026", `{"items":[],"next":""}` + "\n"
	decoded(t, s.ask("GET", page, ""), 404)
	s.started(t, path)
	// Readers who hold a copy can open it at once; nobody else is led to it yet.
	if w := s.ask("GET", page, "", browser); w.Code != 200 || !strings.Contains(w.Body.String(), "noindex") || s.ask("GET", "/digests", "").Body.String() != empty {
		t.Errorf("while it is sent: %d %s", w.Code, w.Body)
	}
	s.moved(t, path, digest.Sent)
	l := decoded(t, s.ask("GET", "/digests", ""), 200)
	items := l["items"].([]any)
	if len(items) != 1 || keys(items[0].(map[string]any)) != "sentAt slug summary title updatedAt url" || keys(l) != "items next" {
		t.Errorf("list %v", l)
	}
	for _, path := range []string{page, page + ".json"} {
		d := decoded(t, s.ask("GET", path, ""), 200)
		if keys(d) != "articles html sentAt slug summary text title updatedAt url" || d["url"] != "https://news.example.org"+page || d["sentAt"] != "2026-11-24T12:00:00Z" ||
			d["html"] != "<p>Dear &lt;all&gt;,</p>\n<p>read {{name}} &amp; rest.</p>\n<h2><a href=\"https://news.example.org/articles/sleep\">Sleep</a></h2>\n<p>Rest well.</p>" ||
			d["text"] != "Dear <all>,\n\nread {{name}} & rest.\n\nSleep\n\nRest well.\n\nhttps://news.example.org/articles/sleep" || len(d["articles"].([]any)) != 1 {
			t.Errorf("%s: %v", path, d)
		}
	}
	w := s.ask("GET", page, "", browser)
	body := w.Body.String()
	for _, want := range []string{"<h1 itemprop=\"name\">News</h1>", "<p>Dear &lt;all&gt;,</p>", "read {{name}} &amp; rest.", `href="/articles/sleep"`, "November 24, 2026"} {
		if w.Code != 200 || !strings.Contains(body, want) {
			t.Errorf("the page lacks %q: %d %s", want, w.Code, body)
		}
	}
	for _, private := range []string{"unsubscribe", "{{greeting", "{{lbrace", "noindex", "Hello"} {
		if strings.Contains(strings.ToLower(body), private) {
			t.Errorf("the page has %q: %s", private, body)
		}
	}
	if w := s.ask("GET", "/digests", "", browser); !strings.Contains(w.Body.String(), `<a href="`+page+`">News</a>`) || strings.Contains(w.Body.String(), "noindex") {
		t.Errorf("list as a page: %s", w.Body)
	}
	s.conditional(t, "/digests", "/digests.json", page, page+".json")
	for path, status := range map[string]int{"/digests/none": 404, "/digests/none.json": 404, "/digests?limit=0": 400, "/digests?cursor=x": 400, "/digests/..%2fx": 404} {
		decoded(t, s.ask("GET", path, ""), status)
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged: %s", s.Log)
	}
}

// A digest that goes out in the evening of one day in Denver, which is the next by UTC, is of the evening's day.
func TestDaysAreTheClinics(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	path := s.drafted(t)
	s.as(t, "pub", "POST", path+"/schedule", `{"sendAt":"2026-11-30T20:00:00","timezone":"America/Denver"}`, 200)
	s.started(t, path)
	s.moved(t, path, digest.Sent)
	for _, page := range []string{"/digests", "/digests/news-november-2026"} {
		if body := s.ask("GET", page, "", browser).Body.String(); !strings.Contains(body, `datetime="2026-12-01T03:00:00Z">November 30, 2026</time>`) {
			t.Errorf("%s: %s", page, body)
		}
	}
}

func TestCancelledDigestsAreNotPublic(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	path := s.drafted(t)
	s.as(t, "pub", "POST", path+"/schedule", `{"now":true}`, 200)
	s.started(t, path)
	s.moved(t, path, digest.Cancelled)
	decoded(t, s.ask("GET", "/digests/news-november-2026", ""), 404)
	if l := decoded(t, s.ask("GET", "/digests", ""), 200); len(l["items"].([]any)) != 0 {
		t.Errorf("%v", l)
	}
}
