package inbox_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"tidings/internal/web/pages"
)

// page asks for a page as a browser does.
func (d *desk) page(want int, path, csp string) string {
	d.t.Helper()
	w := d.ask("GET", path, "", "Accept: text/html")
	if w.Code != want || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
		d.t.Fatalf("%s: %d %v", path, w.Code, w.Header())
	}
	if got := w.Header().Get("Content-Security-Policy"); csp != "" && got != csp {
		d.t.Errorf("%s: policy %s", path, got)
	}
	return w.Body.String()
}

func TestListPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if p := d.page(200, "/", pages.FrameCSP); !strings.Contains(p, "No mail yet.") || !strings.Contains(p, d.Demo) {
		t.Error("empty inbox")
	}
	d.mail("ana@example.com", "<b>December</b>", "<p>1</p>")
	d.mail("ben@example.com", "January", "<p>2</p>")
	p := d.page(200, "/", pages.FrameCSP)
	if !strings.Contains(p, "2 mails.") || !strings.Contains(p, "&lt;b&gt;December") || strings.Index(p, "January") > strings.Index(p, "December") {
		t.Errorf("list %s", p)
	}
	if p = d.page(200, "/?to=+ana@example.com+&subject=decem", ""); !strings.Contains(p, "1 mail matches.") || strings.Contains(p, "January") {
		t.Errorf("search %s", p)
	}
	if p = d.page(200, "/?to=nobody@example.com", ""); !strings.Contains(p, "No mail matches.") {
		t.Errorf("no match %s", p)
	}
}

// Problems are shown with links that lead somewhere on this origin: the site's are not here.
func TestProblemPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for path, want := range map[string]int{"/?limit=x": 400, "/elsewhere": 404, "/articles": 404, "/messages/none": 404} {
		p := d.page(want, path, "")
		if !strings.Contains(p, `<a href="/">Inbox</a>`) || !strings.Contains(p, `<a href="http://127.0.0.1:8080/">`) {
			t.Errorf("%s lacks ways on: %s", path, p)
		}
		for _, link := range regexp.MustCompile(`<a[^>]* href="(/[^"]*)"`).FindAllStringSubmatch(p, -1) {
			if link[1] != "/" && link[1] != "/demo" {
				t.Errorf("%s leads to %s", path, link[1])
			}
		}
	}
}

func TestListPageByPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for n := range 7 {
		d.mail("ana@example.com", fmt.Sprintf("Mail %d of the year", n), "<p>x</p>")
	}
	subjects, older := regexp.MustCompile(`Mail (\d) of`), regexp.MustCompile(`rel="next" href="([^"]+)"`)
	var got []string
	path := "/?subject=mail&limit=3"
	for path != "" {
		p := d.page(200, path, "")
		var list string
		for _, m := range subjects.FindAllStringSubmatch(p, -1) {
			list += m[1]
		}
		got = append(got, list)
		if first := path == "/?subject=mail&limit=3"; first == strings.Contains(p, "Newest mails") {
			t.Errorf("%s: link to the newest", path)
		}
		path = ""
		if m := older.FindStringSubmatch(p); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if strings.Join(got, " ") != "654 321 0" {
		t.Errorf("pages %v", got)
	}
	if p := d.page(200, "/?before=gone", ""); !strings.Contains(p, "nothing older") {
		t.Errorf("after clearing: %s", p)
	}
}

func TestMessagePage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mail("ana@example.com", "Grüße", `<html><head><title>x</title></head><body onload="alert(1)"><script>alert(2)</script><a href="https://juniper.example/">x</a></body></html>`)
	p := d.page(200, "/messages/"+id, pages.FrameCSP)
	for _, want := range []string{
		"Grüße", "ana@example.com", "Hello &lt;you&gt; &amp; {{name}}", "List-Unsubscribe-Post", "&lt;https://juniper.example/unsubscribe/u1&gt;", "digest", "d1",
		`src="/messages/` + id + `/html"`, `href="/api/messages/` + id + `/raw"`, "sandbox=",
	} {
		if !strings.Contains(p, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(p, "<script>alert") {
		t.Error("the mail's HTML is part of the page")
	}
	frame := d.page(200, "/messages/"+id+"/html", pages.MailCSP)
	if !strings.Contains(pages.MailCSP, "sandbox") || strings.Contains(pages.MailCSP, "allow-scripts") || !strings.Contains(frame, `<base target="_blank">`) || !strings.Contains(frame, `<a href="https://juniper.example/">`) {
		t.Errorf("frame %s", frame)
	}
	if p = d.page(200, "/messages/"+d.mail("ana@example.com", "", ""), ""); strings.Contains(p, "<iframe") || !strings.Contains(p, "(no subject)") {
		t.Error("mail without HTML")
	}
	for _, path := range []string{"/messages/none", "/messages/none/html"} {
		d.page(404, path, "")
	}
}
