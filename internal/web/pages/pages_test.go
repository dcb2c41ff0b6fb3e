package pages

import (
	"bytes"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"tidings/internal/web"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// rendered returns every sample by its name.
func rendered(t *testing.T) map[string]string {
	t.Helper()
	p, out := newPages(t), map[string]string{}
	for name, s := range samples() {
		var b bytes.Buffer
		if err := p.Render(&b, s.page, s.view); err != nil {
			t.Fatal(err)
		}
		out[name] = b.String()
	}
	return out
}

// hashes are the parts of static files' names that change with every edit of a style; TestStaticFilesOfEveryPage reads them.
var hashes = regexp.MustCompile(`("/static/[a-z]+\.)[0-9a-f]{12}\.`)

func TestGoldens(t *testing.T) {
	t.Parallel()
	for name, got := range rendered(t) {
		got = hashes.ReplaceAllString(got, "${1}hash.")
		file := filepath.Join("testdata", name+".html")
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
}

func TestEveryPageHasASample(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, s := range samples() {
		have[s.page] = true
	}
	for name := range newPages(t).pages {
		if !have[name] {
			t.Errorf("page %q has no sample, so that no test reads it", name)
		}
	}
}

// element is one element of a page with its attributes.
type element struct {
	*html.Node
	attr map[string]string
}

// elements returns a page's elements in order.
func elements(t *testing.T, page string) []element {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []element
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			e := element{n, map[string]string{}}
			for _, a := range n.Attr {
				e.attr[a.Key] = a.Val
			}
			out = append(out, e)
		}
	}
	return out
}

func count(all []element, tag string) int {
	n := 0
	for _, e := range all {
		if e.Data == tag {
			n++
		}
	}
	return n
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	for name, page := range rendered(t) {
		all := elements(t, page)
		ids, labels := map[string]bool{}, map[string]bool{}
		level := 0
		for _, e := range all {
			if id, ok := e.attr["id"]; ok {
				if id == "" || ids[id] {
					t.Errorf("%s: id %q is empty or used twice", name, id)
				}
				ids[id] = true
			}
			if e.Data == "label" {
				labels[e.attr["for"]] = true
			}
			if len(e.Data) == 2 && e.Data[0] == 'h' && e.Data[1] >= '1' && e.Data[1] <= '6' {
				if next := int(e.Data[1] - '0'); next > level+1 {
					t.Errorf("%s: a heading skips from h%d to %s", name, level, e.Data)
				} else {
					level = next
				}
				if text(e.Node) == "" {
					t.Errorf("%s: an empty %s", name, e.Data)
				}
			}
		}
		for _, tag := range []string{"h1", "main", "title"} {
			if n := count(all, tag); n != 1 {
				t.Errorf("%s: %d of %s, want one", name, n, tag)
			}
		}
		for _, e := range all {
			checkElement(t, name, e, ids, labels)
		}
	}
}

// checkElement judges one element; ids and labels are those of its page.
func checkElement(t *testing.T, name string, e element, ids, labels map[string]bool) {
	t.Helper()
	switch e.Data {
	case "html":
		if e.attr["lang"] != "en" {
			t.Errorf("%s: lang is %q", name, e.attr["lang"])
		}
	case "input", "select":
		if e.attr["type"] != "hidden" && !labels[e.attr["id"]] || e.attr["name"] == "" {
			t.Errorf("%s: the input %q has no label or no name", name, e.attr["id"])
		}
	case "form":
		var inner []element
		for n := range e.Descendants() {
			inner = append(inner, element{n, nil})
		}
		if count(inner, "button") != 1 {
			t.Errorf("%s: a form without exactly one button", name)
		}
	case "a", "button", "li", "p":
		if text(e.Node) == "" && e.attr["aria-hidden"] != "true" {
			t.Errorf("%s: an empty %s", name, e.Data)
		}
	case "iframe":
		if e.attr["title"] == "" || e.attr["sandbox"] == "" || strings.Contains(e.attr["sandbox"], "allow-scripts") || strings.Contains(e.attr["sandbox"], "allow-same-origin") {
			t.Errorf("%s: a frame without title, or not sandboxed", name)
		}
	case "svg":
		if e.attr["aria-hidden"] != "true" && !slices.ContainsFunc(e.Parent.Attr, func(a html.Attribute) bool { return a.Key == "aria-hidden" }) {
			t.Errorf("%s: a drawing is read aloud", name)
		}
	}
	for _, ref := range []string{"aria-labelledby", "aria-describedby", "for"} {
		if id, ok := e.attr[ref]; ok && !ids[id] {
			t.Errorf("%s: %s points at %q, which is not there", name, ref, id)
		}
	}
	if target, ok := strings.CutPrefix(e.attr["href"], "#"); ok && !ids[target] {
		t.Errorf("%s: a link to #%s, which is not there", name, target)
	}
}

// Pages load from their own origin only and hold nothing inline: see CSP.
func TestEveryPageObeysItsPolicy(t *testing.T) {
	t.Parallel()
	for name, page := range rendered(t) {
		for _, e := range elements(t, page) {
			for key, val := range e.attr {
				if strings.HasPrefix(key, "on") || key == "style" {
					t.Errorf("%s: %s has the attribute %s", name, e.Data, key)
				}
				if !slices.Contains([]string{"href", "src", "action", "srcset", "data", "poster"}, key) {
					continue
				}
				if u, err := url.Parse(val); err != nil || val == "" || strings.ContainsAny(val, " {}<>") || (u.Scheme != "" && u.Scheme != "tel" && u.Host == "") {
					t.Errorf("%s: %s=%q is not an address", name, key, val)
				} else if u.Host != "" && e.Data != "a" && !strings.HasPrefix(val, site.BaseURL) {
					t.Errorf("%s: <%s %s=%q> is of a third party", name, e.Data, key, val)
				}
			}
			if e.Data == "style" || e.Data == "script" && e.attr["src"] == "" {
				t.Errorf("%s: an inline %s", name, e.Data)
			}
		}
		if strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: html/template refused a value", name)
		}
	}
}

// Links out of a page lead to the site's own pages, to other local servers by their data, or to what an article cites.
func TestLinksStayHere(t *testing.T) {
	t.Parallel()
	known := []string{"/", "/articles", "/digests", "/subscribe"}
	for name, page := range rendered(t) {
		if strings.HasPrefix(name, "local-") {
			continue
		}
		for _, e := range elements(t, page) {
			href := e.attr["href"]
			if e.Data != "a" || slices.Contains(known, href) || strings.HasPrefix(href, "#") || strings.HasPrefix(href, "tel:") || strings.HasPrefix(href, "/articles") || strings.HasPrefix(href, "/digests") || strings.HasPrefix(href, "/topics/") || strings.HasPrefix(href, "/preferences/") {
				continue
			}
			if href != "https://example.org/checklist" {
				t.Errorf("%s: a link to %q", name, href)
			}
		}
	}
}

func TestPagesSayWhatTheyMust(t *testing.T) {
	t.Parallel()
	all := rendered(t)
	for name, wants := range map[string][]string{
		"home":               {`<form method="post" action="/subscribe">`, `rel="canonical" href="https://news.juniper.example/"`},
		"articles":           {`href="/articles/your-first-session"`, "October 6, 2026", `<li><a href="/topics/what-to-expect">What to expect</a></li>`, `rel="next" href="/articles?cursor=b2xkZXI&amp;limit=3">Older articles<`, "Arrival, consent"},
		"articles-older":     {"noindex", `href="/articles">Newest articles<`},
		"topic":              {"<h1>What to expect</h1>", `rel="canonical" href="https://news.juniper.example/topics/what-to-expect"`, `rel="next" href="/topics/what-to-expect?cursor=b2xkZXI&amp;limit=1">Older articles<`},
		"topic-end":          {"noindex", "There is nothing older than this.", `href="/topics/what-to-expect">Newest articles<`},
		"digests":            {`href="/digests/october-2026">October 2026</a>`, "October 6, 2026", `rel="next" href="/digests?cursor=b2xkZXI&amp;limit=2">Older issues<`, `aria-current="page">Past issues<`},
		"digests-empty":      {"The first issue has yet to go out."},
		"digests-end":        {"noindex", `href="/digests">Newest issues<`},
		"digest":             {"<h1 itemprop=\"name\">October 2026</h1>", "<p>Write to us if &lt;anything&gt; is unclear.</p>", `href="/articles/blood-pressure"`, `rel="canonical" href="https://news.juniper.example/digests/october-2026"`},
		"digest-bare":        {"noindex", "Sleep &amp; ketamine", `href="/articles/a-short-note"`},
		"articles-empty":     {"Our first articles are being written."},
		"article":            {`itemtype="https://schema.org/Article"`, `property="og:type" content="article"`, `rel="canonical" href="https://news.juniper.example/articles/your-first-session"`, "Dana Whitfield", "Medically reviewed by Dr. Ines Okafor", `datetime="2026-10-07"`, `action="/subscribe"`, "&#34;dissociation&#34; included"},
		"confirm":            {`<form method="post" action="/confirm/u1example0token">`, "noindex"},
		"unsubscribe":        {`<form method="post" action="/unsubscribe/u1example0token">`, "noindex"},
		"problem-410":        {`href="/subscribe">Subscribe again<`},
		"local-demo":         {"Subscribe to our monthly newsletter", "Thanks for joining our newsletter.", "Oops! Something went wrong.", `action="https://news.juniper.example/subscribe"`},
		"local-inbox":        {"120 mails; these are the newest 3.", "(no subject)", `href="/?before=m1">Older mails</a>`},
		"local-inbox-older":  {"120 mails match. ", `href="/?subject=first">Newest mails</a>`},
		"local-inbox-end":    {"There is nothing older than this."},
		"local-inbox-search": {`value="&#34;first&#34; &amp; &lt;last&gt;"`, "1 mail matches."},
		"local-inbox-none":   {"No mail matches.", `href="?"`},
		"local-inbox-empty":  {`href="http://127.0.0.1:8025/demo"`},
		"local-message":      {`src="/messages/m3/html"`, "this month &lt;two&gt; readers", "List-Unsubscribe=One-Click", `href="/api/messages/m3/raw"`},
		"local-oidc-choose":  {"Publisher", "Editor", `as=editor"`},
	} {
		for _, want := range wants {
			if !strings.Contains(all[name], want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	if strings.Contains(all["article-bare"], "0001") || strings.Contains(all["article-bare"], "reviewed") {
		t.Error("an article without dates and reviewer shows some")
	}
	if strings.Contains(all["local-message-text"], "<iframe") {
		t.Error("a mail without HTML has a frame")
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	if err := p.Render(&bytes.Buffer{}, "no-such-page", web.View{}); err == nil {
		t.Error("a page without a file was rendered")
	}
	if err := p.Render(&bytes.Buffer{}, "article", web.View{Data: struct{}{}}); err == nil {
		t.Error("a page was rendered on data of another's")
	}
	for _, broken := range []string{"pages/layout.html", "pages/home.html", "pages/local/inbox.html"} {
		files := fstest.MapFS{}
		for _, file := range []string{"pages/layout.html", "pages/parts/x.html", "pages/home.html", "pages/local/inbox.html"} {
			files[file] = &fstest.MapFile{Data: []byte(`{{define "main"}}{{end}}`)}
		}
		if _, err := New(files, site); err != nil {
			t.Error(err)
		}
		files[broken] = &fstest.MapFile{Data: []byte("{{define")}
		if _, err := New(files, site); err == nil {
			t.Errorf("a broken %s was accepted", broken)
		}
	}
}
