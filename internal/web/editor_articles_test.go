package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// upload posts a file as an editor's browser does.
func (s articleSite) upload(t *testing.T, field, name, content string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile(field, name)
	if err != nil {
		t.Fatal(err)
	}
	part.Write([]byte(content))
	m.Close()
	return s.ask("POST", "/editor/api/articles/import", b.String(), "Content-Type: "+m.FormDataContentType())
}

func TestEditorsCreateChangeAndDelete(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	w := s.ask("POST", "/editor/api/articles", `{"title":"Mood & sleep","body":"# Why\n\nIt helps.","author":"Ann","lastReviewed":"2025-06-07"}`)
	a := decoded(t, w, 201)
	if keys(a) != "author body format html lastReviewed publishedAt reviewer slug source status summary text title topics updatedAt url" {
		t.Errorf("members %s", keys(a))
	}
	if a["slug"] != "mood-and-sleep" || a["status"] != "draft" || a["publishedAt"] != nil || a["format"] != "markdown" ||
		a["html"] != "<h2>Why</h2>\n<p>It helps.</p>" || a["lastReviewed"] != "2025-06-07T00:00:00Z" {
		t.Errorf("created %v", a)
	}
	if w.Header().Get("Location") != "/editor/api/articles/mood-and-sleep" || w.Header().Get("ETag") != `"1"` {
		t.Errorf("headers %v", w.Header())
	}
	path := "/editor/api/articles/mood-and-sleep"
	if l := decoded(t, s.ask("GET", "/editor/api/articles", ""), 200)["items"].([]any); len(l) != 1 {
		t.Errorf("list %v", l)
	}
	a = decoded(t, s.ask("PATCH", path, `{"status":"published","publishedAt":"2024-02-03"}`, `If-Match: "1"`), 200)
	if a["status"] != "published" || a["publishedAt"] != "2024-02-03T00:00:00Z" || a["body"] != "# Why\n\nIt helps." {
		t.Errorf("published %v", a)
	}
	for _, tag := range []string{`"1"`, `W/"2"`, `"x"`, `2`, `"1", "3"`, `"02"`} {
		decoded(t, s.ask("PATCH", path, `{"title":"Late"}`, "If-Match: "+tag), 412)
		decoded(t, s.ask("DELETE", path, "", "If-Match: "+tag), 412)
	}
	w = s.ask("PATCH", path, `{"title":"In time"}`, `If-Match: "1", "2"`)
	if a = decoded(t, w, 200); a["title"] != "In time" || w.Header().Get("ETag") != `"3"` {
		t.Errorf("changed %v", a)
	}
	decoded(t, s.ask("PATCH", path, `{"summary":"By hand."}`, `If-Match: *`), 200)
	if a = decoded(t, s.ask("GET", path, ""), 200); a["summary"] != "By hand." {
		t.Errorf("read %v", a)
	}
	if w := s.ask("DELETE", path, ""); w.Code != 204 || w.Body.Len() > 0 {
		t.Errorf("delete: %d %s", w.Code, w.Body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		decoded(t, s.ask(method, path, ""), 404)
	}
	decoded(t, s.ask("PATCH", path, `{}`, `If-Match: "1"`), 404)
}

func TestEditorsBadRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	decoded(t, s.ask("POST", "/editor/api/articles", publish), 201)
	before := s.ask("GET", "/editor/api/articles/sleep", "").Body.String()
	long := strings.Repeat("x", 201)
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{`, 400}, {`[]`, 400}, {`{"title":1}`, 400}, {`{"body":"x"} {}`, 400}, {`{"owner":"me"}`, 400}, {`{"title":""}`, 400}, {`{"title":"` + long + `"}`, 400},
		{`{"body":""}`, 400}, {`{"body":"<script>x()</script>"}`, 400}, {`{"format":"pdf"}`, 400}, {`{"status":"gone"}`, 400}, {`{"publishedAt":"yesterday"}`, 400},
		{`{"publishedAt":"0001-02-03"}`, 400}, {`{"topics":["a","b","c","d","e","f","g","h","i","j","k"]}`, 400}, {`{"summary":"` + strings.Repeat("y", 601) + `"}`, 400},
		{`{"body":"` + strings.Repeat("z", 200*1024+1) + `"}`, 413}, {`{"body":"` + strings.Repeat("z", 1<<20) + `"}`, 413},
	} {
		decoded(t, s.ask("PATCH", "/editor/api/articles/sleep", c.body), c.status)
		if c.body[0] == '{' && strings.HasSuffix(c.body, "}") && !strings.Contains(c.body, `"title"`) {
			c.body = `{"title":"New",` + c.body[1:]
		}
		decoded(t, s.ask("POST", "/editor/api/articles", c.body), c.status)
	}
	for _, slug := range []string{"Upper", "a--b", "-a", "a b", "../x", strings.Repeat("a", 81)} {
		decoded(t, s.ask("POST", "/editor/api/articles", `{"title":"T","body":"x","slug":"`+slug+`"}`), 400)
	}
	decoded(t, s.ask("POST", "/editor/api/articles", `{"title":"T","body":"x","slug":"sleep"}`), 409)
	decoded(t, s.ask("PATCH", "/editor/api/articles/sleep", `{"slug":"other"}`), 400)
	decoded(t, s.ask("POST", "/editor/api/articles", `title=x`, "Content-Type: application/x-www-form-urlencoded"), 415)
	if after := s.ask("GET", "/editor/api/articles/sleep", "").Body.String(); after != before {
		t.Errorf("a refused request left a trace:\n%s\n%s", before, after)
	}
	if l := decoded(t, s.ask("GET", "/editor/api/articles", ""), 200)["items"].([]any); len(l) != 1 {
		t.Errorf("refused requests made articles: %v", l)
	}
}

func TestImportOfPages(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	a := decoded(t, s.ask("POST", "/editor/api/articles/import", `{"url":"https://example.org/walks"}`), 201)
	if a["slug"] != "walks" || a["status"] != "draft" || a["source"] != "https://example.org/walks" || a["html"] != "<p>Go for a walk.</p>" || a["publishedAt"] != "2024-05-06T00:00:00Z" {
		t.Errorf("imported %v", a)
	}
	if b := decoded(t, s.ask("POST", "/editor/api/articles/import", `{"url":"https://example.org/walks"}`), 200); b["slug"] != "walks" {
		t.Errorf("imported again %v", b)
	}
	if p := decoded(t, s.ask("PATCH", "/editor/api/articles/walks", `{"status":"published"}`), 200); p["publishedAt"] != "2024-05-06T00:00:00Z" {
		t.Errorf("publishing lost the source's date: %v", p)
	}
	for body, status := range map[string]int{`{}`: 400, `{"url":"http://localhost/"}`: 400, `{"url":"x","file":1}`: 400, `x`: 400} {
		decoded(t, s.ask("POST", "/editor/api/articles/import", body), status)
	}
	decoded(t, s.ask("POST", "/editor/api/articles/import", "hello", "Content-Type: text/plain"), 415)
}

func TestImportOfFiles(t *testing.T) {
	t.Parallel()
	s := newArticleSite(t)
	text := "Mar 4, 2025\n\nCalm days\n\nCalm days\n\nMuch of what helps is ordinary, and most of it costs nothing at all. It asks for time instead.\n\nThanks for joining our newsletter."
	a := decoded(t, s.upload(t, "file", "calm.txt", text), 201)
	if a["slug"] != "calm-days" || a["publishedAt"] != "2025-03-04T00:00:00Z" || strings.Contains(a["text"].(string), "Thanks") {
		t.Errorf("imported %v", a)
	}
	decoded(t, s.upload(t, "file", "renamed.txt", text), 200)
	html := "<html><head><title>Tea</title></head><body><article><h1>Tea</h1><p>" + strings.Repeat("A cup of tea, and time to drink it. ", 20) + "</p><form><input></form></article></body></html>"
	if a := decoded(t, s.upload(t, "file", "tea.html", html), 201); a["title"] != "Tea" || a["format"] != "html" || strings.Contains(a["body"].(string), "form") {
		t.Errorf("imported %v", a)
	}
	if a := decoded(t, s.upload(t, "file", "m.md", "---\ntitle: Notes\ndate: 2025-02-03\ntopics: [Sleep, Mood]\n---\nSome *notes*."), 201); a["slug"] != "notes" || a["summary"] != "Some notes." {
		t.Errorf("imported %v", a)
	}
	decoded(t, s.upload(t, "document", "a.txt", text), 400)
	decoded(t, s.upload(t, "file", "a.pdf", "%PDF-1.7 \x00"), 415)
	decoded(t, s.upload(t, "file", "a.png", "\x89PNG\x00\x01"), 415)
	decoded(t, s.upload(t, "file", "a.txt", strings.Repeat("large ", 1<<20)), 413)
	decoded(t, s.upload(t, "file", "a.txt", strings.Repeat("words ", 50_000)), 413)
	decoded(t, s.ask("POST", "/editor/api/articles/import", "--b\r\nbroken", "Content-Type: multipart/form-data; boundary=b"), 400)
	decoded(t, s.ask("POST", "/editor/api/articles/import", "--b--\r\n", "Content-Type: multipart/form-data; boundary=b"), 400)
	decoded(t, s.ask("POST", "/editor/api/articles/import", "x", "Content-Type: multipart/form-data"), 400)
}

func TestImportOfTheSeed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../shared/seed/is-ketamine-addictive.txt")
	if err != nil {
		t.Skip("the seed is not here")
	}
	s := newArticleSite(t)
	a := decoded(t, s.upload(t, "file", "is-ketamine-addictive.txt", string(data)), 201)
	if a["slug"] != "is-ketamine-addictive" || a["publishedAt"] != "2025-09-08T00:00:00Z" || strings.Count(a["html"].(string), "<li>") != 15 {
		t.Errorf("imported %v", a)
	}
	decoded(t, s.ask("PATCH", "/editor/api/articles/is-ketamine-addictive", `{"status":"published"}`), 200)
	if p := decoded(t, s.ask("GET", "/articles/is-ketamine-addictive", ""), 200); p["publishedAt"] != "2025-09-08T00:00:00Z" {
		t.Errorf("published %v", p)
	}
}
