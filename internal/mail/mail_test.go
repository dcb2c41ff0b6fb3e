package mail

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var site = Site{Name: "Juniper Clinic", BaseURL: "https://news.juniper.example", PostalAddress: "12 Cedar Street, Suite 4, Boulder, CO 80302, USA"}

const (
	confirmURL     = "https://news.juniper.example/confirm/AQExample-token_1"
	unsubscribeURL = "https://news.juniper.example/unsubscribe/u1example0token"
	preferencesURL = "https://news.juniper.example/preferences/m1example0token"
)

var own = Links{unsubscribeURL, preferencesURL}

// webURL is where sample is a page.
const webURL = "https://news.juniper.example/digests/what-a-first-session-is-like-october-2026"

func newBuilder(t *testing.T) *Builder {
	t.Helper()
	b, err := New(templates.FS, site)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample is a digest in the project's own words.
func sample() Digest {
	return Digest{
		Title: "What a first session is like", WebURL: webURL,
		Intro: "This month two readers asked what happens in the room. Here is a plain answer.\n\nWe also look at what a blood-pressure cuff is doing there.",
		Articles: []Article{
			{
				Title: "Your first session, hour by hour", URL: "https://news.juniper.example/articles/your-first-session",
				Summary: "Arrival, consent, the infusion itself and the quiet hour after it: what you may feel, what we watch, and why somebody else drives you home.",
				Topics:  []string{"sessions", "what-to-expect"}, PublishedAt: time.Date(2026, 10, 6, 15, 0, 0, 0, time.UTC),
			},
			{
				Title: "Why we measure your blood pressure", URL: "https://news.juniper.example/articles/blood-pressure",
				Summary: "Ketamine raises blood pressure for a while. Who should not have it for that reason, and what we do when a value climbs.",
				Topics:  []string{"safety"}, PublishedAt: time.Date(2026, 10, 13, 15, 0, 0, 0, time.UTC),
			},
		},
	}
}

func build(t *testing.T, d Digest) Content {
	t.Helper()
	c, err := newBuilder(t).Digest(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must(t *testing.T) func(Content, error) Content {
	return func(c Content, err error) Content {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// mails returns every mail as a reader gets it, with its headers.
func mails(t *testing.T) map[string]struct {
	Content
	Headers []Header
} {
	b, ok := newBuilder(t), must(t)
	type mail = struct {
		Content
		Headers []Header
	}
	return map[string]mail{
		"confirm":   {ok(b.Confirm(confirmURL)), ConfirmHeaders()},
		"already":   {ok(b.AlreadySubscribed(own)), ConfirmHeaders()},
		"welcome":   {ok(b.Welcome(own)), ConfirmHeaders()},
		"manage":    {ok(b.Manage(preferencesURL)), ConfirmHeaders()},
		"move":      {ok(b.Move("https://news.juniper.example/address/a1example0token")), ConfirmHeaders()},
		"moved":     {ok(b.Moved(preferencesURL)), ConfirmHeaders()},
		"digest":    {ok(Render(build(t, sample()), Substitutions("Zoë", own))), ListHeaders(site, unsubscribeURL)},
		"test-mail": {ok(b.Inert(build(t, sample()))), ListHeaders(site, site.Inert().Unsubscribe)},
	}
}

func TestGoldens(t *testing.T) {
	golden := func(name, got string) {
		t.Helper()
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s differs (go test -update rewrites it):\n%s", file, d)
		}
	}
	for name, m := range mails(t) {
		var headers strings.Builder
		fmt.Fprintf(&headers, "Subject: %s\n", m.Subject)
		for _, h := range m.Headers {
			fmt.Fprintf(&headers, "%s: %s\n", h.Name, h.Value)
		}
		golden(name+".html", m.HTML)
		golden(name+".txt", m.Text)
		golden(name+".headers", headers.String())
	}
	frozen := build(t, sample())
	golden("digest.frozen.html", frozen.HTML)
	golden("digest.frozen.txt", frozen.Text)
}

var (
	hrefs = regexp.MustCompile(`href="([^"]*)"`)
	plain = regexp.MustCompile(`https?://[^\s<>"]+`)
)

func links(html_ string) map[string]bool {
	out := map[string]bool{}
	for _, m := range hrefs.FindAllStringSubmatch(html_, -1) {
		out[html.UnescapeString(m[1])] = true
	}
	return out
}

func TestTextSaysTheSameLinksAsHTML(t *testing.T) {
	for name, m := range mails(t) {
		text := map[string]bool{}
		for _, l := range plain.FindAllString(m.Text, -1) {
			text[l] = true
		}
		if d := cmp.Diff(text, links(m.HTML)); d != "" {
			t.Errorf("%s: links of the text (-) and of the HTML (+): %s", name, d)
		}
		if strings.Contains(m.HTML+m.Text+m.Subject, "{{") || strings.Contains(m.HTML+m.Text, "[[") {
			t.Errorf("%s: something was not rendered", name)
		}
	}
}

func TestEveryMailIsSelfContained(t *testing.T) {
	for name, m := range mails(t) {
		low := strings.ToLower(m.HTML)
		for _, bad := range []string{"<img", "<link", "@import", "url(", "<script", "googleapis", " id=\""} {
			if strings.Contains(low, bad) {
				t.Errorf("%s: HTML holds %q", name, bad)
			}
		}
		for _, want := range []string{`lang="en"`, `name="color-scheme"`, "prefers-color-scheme: dark", "<!--[if mso | IE]>", "<!--[if !mso]><!-->", html.EscapeString(site.PostalAddress)} {
			if !strings.Contains(m.HTML, want) {
				t.Errorf("%s: HTML lacks %q", name, want)
			}
		}
		if n := strings.Count(low, "<h1"); n != 1 {
			t.Errorf("%s: %d first headings", name, n)
		}
		if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), site.PostalAddress) {
			t.Errorf("%s: the text lacks the postal address", name)
		}
		for i, line := range strings.Split(m.Text, "\n") {
			if len([]rune(line)) > 78 && !strings.Contains(line, "://") {
				t.Errorf("%s: line %d of the text is %d characters long", name, i+1, len([]rune(line)))
			}
		}
	}
}

func TestDigestFooter(t *testing.T) {
	m := mails(t)["digest"]
	flat := strings.Join(strings.Fields(m.Text), " ")
	for _, want := range []string{Disclaimer, Advice, site.Name, unsubscribeURL, preferencesURL} {
		if !strings.Contains(m.HTML, html.EscapeString(want)) || !strings.Contains(flat, want) {
			t.Errorf("a part lacks %q", want)
		}
	}
	if !bytes.Contains([]byte(m.HTML), []byte(`<a href="`+unsubscribeURL+`"`)) {
		t.Error("no unsubscribe link in HTML")
	}
}

func TestDigestLeadsToItsPage(t *testing.T) {
	c := build(t, sample())
	if !strings.Contains(c.HTML, `<a href="`+webURL+`"`) || !strings.Contains(c.Text, "\nView this issue in your browser:\n"+webURL+"\n") {
		t.Errorf("no link to %s in %s", webURL, c.Text)
	}
	d := sample()
	d.WebURL = ""
	if c := build(t, d); strings.Contains(c.HTML+c.Text, "browser") {
		t.Error("a link to no page")
	}
	d.WebURL = "javascript:alert(1)"
	if _, err := newBuilder(t).Digest(d); err == nil {
		t.Error("a page that is no address was taken")
	}
}
