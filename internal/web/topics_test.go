package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/table"
	"tidings/internal/web"
)

func TestTopics(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	decoded(t, s.ask("POST", "/editor/api/articles", publish), 201)
	decoded(t, s.ask("POST", "/editor/api/articles", `{"title":"Naps","body":"x","topics":["sleep","Chronic pain"],"status":"published","publishedAt":"2025-02-03"}`), 201)
	decoded(t, s.ask("POST", "/editor/api/articles", `{"title":"Secret plan","body":"x","topics":["sleep","secret"]}`), 201)
	var got []string
	for path := "/topics/sleep?limit=1"; path != ""; {
		l := decoded(t, s.ask("GET", path, ""), 200)
		if keys(l) != "items next" {
			t.Fatalf("members %s", keys(l))
		}
		for _, it := range l["items"].([]any) {
			got = append(got, it.(map[string]any)["slug"].(string))
		}
		next := l["next"].(string)
		if path = ""; next != "" {
			path = "/topics/sleep?limit=1&cursor=" + next
		}
	}
	if strings.Join(got, " ") != "naps sleep" {
		t.Errorf("sleep has %v", got)
	}
	if a := decoded(t, s.ask("GET", "/topics/chronic-pain.json", "", browser), 200); len(a["items"].([]any)) != 1 {
		t.Errorf("%v", a)
	}
	w := s.ask("GET", "/topics/chronic-pain", "", browser)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "<h1>Chronic pain</h1>") || !strings.Contains(w.Body.String(), `href="/articles/naps"`) || strings.Contains(w.Body.String(), "noindex") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", "/topics/sleep?limit=1", "", browser); !strings.Contains(w.Body.String(), `rel="next" href="/topics/sleep?cursor=`) {
		t.Errorf("no next page: %s", w.Body)
	}
	for path, status := range map[string]int{
		"/topics/secret": 404, "/topics/none": 404, "/topics/Sleep": 404, "/topics/a%20b": 404, "/topics/.json": 404, "/topics/sleep?limit=0": 400, "/topics/sleep?cursor=x": 400,
	} {
		decoded(t, s.ask("GET", path, ""), status)
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged: %s", s.Log)
	}
}

// Of the topics' and the articles' lists and of articles, in both forms, nothing is sent again to whoever has it.
func TestEveryListIsConditional(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	decoded(t, s.ask("POST", "/editor/api/articles", publish), 201)
	s.conditional(t, "/articles", "/articles.json", "/articles/sleep", "/articles/sleep.json", "/topics/sleep", "/topics/sleep.json")
}

// conditional checks that what has not changed is not sent again, by either of a client's two ways to ask.
func (s articleSite) conditional(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		first := s.ask("GET", path, "", browser)
		modified := first.Header().Get("Last-Modified")
		at, err := time.Parse(time.RFC1123, modified)
		tag := first.Header().Get("ETag")
		if err != nil || first.Code != 200 || !strings.HasPrefix(tag, `"`) || !strings.Contains(first.Header().Get("Cache-Control"), "stale-while-revalidate=") {
			t.Fatalf("%s: %d, Last-Modified %q, headers %v", path, first.Code, modified, first.Header())
		}
		if w := s.ask("GET", path, "", browser, "If-None-Match: "+tag); w.Code != 304 || w.Body.Len() > 0 {
			t.Errorf("%s with its tag: %d", path, w.Code)
		}
		if w := s.ask("GET", path, "", browser, "If-Modified-Since: "+modified); w.Code != 304 {
			t.Errorf("%s not modified since: %d", path, w.Code)
		}
		if w := s.ask("GET", path, "", browser, "If-Modified-Since: "+at.Add(-time.Second).Format(time.RFC1123)); w.Code != 200 {
			t.Errorf("%s modified since: %d", path, w.Code)
		}
		// RFC 9110 §13.1.3: the tag decides where there is one.
		if w := s.ask("GET", path, "", browser, "If-Modified-Since: "+modified, `If-None-Match: "other"`); w.Code != 200 {
			t.Errorf("%s with another tag: %d", path, w.Code)
		}
	}
}

// A public article view needs one read of the table, whichever form is asked for and also when nothing has changed.
func TestAnArticleIsOneRead(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	decoded(t, s.ask("POST", "/editor/api/articles", publish), 201)
	counter := &table.Counter{Table: s.Store.Table}
	counted := s.Store
	counted.Table = counter
	mux := http.NewServeMux()
	web.Articles{Responder: s.Responder, Store: counted, BaseURL: "https://news.example.org"}.Register(mux)
	s.Handler = mux
	for _, headers := range [][]string{{browser}, {"Accept: application/json"}, {"If-Modified-Since: Sat, 01 Jan 2028 00:00:00 GMT"}} {
		for path, want := range map[string]table.Units{
			"/articles/sleep": {Get: table.Use{Calls: 1}}, "/articles/none": {Get: table.Use{Calls: 1}},
			"/articles": {Query: table.Use{Calls: 1}}, "/topics/sleep": {Query: table.Use{Calls: 1}},
		} {
			counter.Reset()
			s.ask("GET", path, "", headers...)
			u := counter.Units()
			if u.Get.Calls != want.Get.Calls || u.Query.Calls != want.Query.Calls || u.Total().Calls != 1 {
				t.Errorf("%s %v: %+v", path, headers, u)
			}
		}
	}
}

func TestTopicNames(t *testing.T) {
	t.Parallel()
	for slug, want := range map[string]string{"": "", "sleep": "Sleep", "chronic-pain": "Chronic pain"} {
		if got := web.TopicName(slug); got != want || slug != "" && !article.ValidTopic(slug) {
			t.Errorf("%s is %q, want %q", slug, got, want)
		}
	}
}
