package web_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/internal/digest"
)

// An xmlNode is any element.
type xmlNode struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []xmlNode  `xml:",any"`
}

func (n xmlNode) all(name string) []xmlNode {
	var out []xmlNode
	for _, c := range n.Children {
		if c.XMLName.Local == name && c.XMLName.Space == n.XMLName.Space {
			out = append(out, c)
		}
	}
	return out
}

func (n xmlNode) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// one returns the text of the element's only child of a name.
func (n xmlNode) one(t *testing.T, name string) string {
	t.Helper()
	all := n.all(name)
	if len(all) != 1 || strings.TrimSpace(all[0].Text) == "" && len(all[0].Children) == 0 {
		t.Fatalf("%s has %d of %s, want one that says something", n.XMLName.Local, len(all), name)
	}
	return all[0].Text
}

func parseXML(t *testing.T, body string) xmlNode {
	t.Helper()
	var root xmlNode
	if err := xml.Unmarshal([]byte(body), &root); err != nil || !strings.HasPrefix(body, `<?xml version="1.0" encoding="UTF-8"?>`) {
		t.Fatalf("%v in %s", err, body)
	}
	return root
}

func wantDate(t *testing.T, s string) {
	t.Helper()
	if _, err := time.Parse(time.RFC3339, s); err != nil {
		t.Errorf("%q is not a date (RFC 3339)", s)
	}
}

func wantIRI(t *testing.T, s string) {
	t.Helper()
	if u, err := url.Parse(s); err != nil || !u.IsAbs() || u.Host == "" {
		t.Errorf("%q is not an absolute address", s)
	}
}

// checkAtom demands what RFC 4287 does of a feed and its entries, and returns their titles.
func checkAtom(t *testing.T, body string) []string {
	t.Helper()
	feed := parseXML(t, body)
	if feed.XMLName.Local != "feed" || feed.XMLName.Space != "http://www.w3.org/2005/Atom" {
		t.Fatalf("root is %v", feed.XMLName)
	}
	feed.one(t, "title") // §4.1.1: exactly one of each
	wantIRI(t, feed.one(t, "id"))
	wantDate(t, feed.one(t, "updated"))
	feed.all("author")[0].one(t, "name") // stands for the entries' authors too, §4.2.1
	links := map[string]int{}
	for _, l := range feed.all("link") {
		links[l.attr("rel")]++
		wantIRI(t, l.attr("href"))
	}
	if links["self"] != 1 || links["alternate"] != 1 {
		t.Errorf("links %v", links)
	}
	var titles []string
	seen := map[string]bool{}
	for _, e := range feed.all("entry") {
		titles = append(titles, e.one(t, "title"))
		id := e.one(t, "id")
		if wantIRI(t, id); seen[id] {
			t.Errorf("two entries are %s", id)
		}
		seen[id] = true
		wantDate(t, e.one(t, "updated"))
		wantDate(t, e.one(t, "published"))
		if l := e.all("link"); len(l) != 1 || l[0].attr("rel") != "alternate" || l[0].attr("href") != id { // §4.1.2: there is no content
			t.Errorf("links of %s: %+v", id, l)
		}
		if len(e.all("summary")) > 1 || len(e.all("content")) > 0 {
			t.Errorf("%s has more than a summary", id)
		}
		for _, c := range e.all("category") {
			if c.attr("term") == "" { // §4.2.2.1
				t.Errorf("a category of %s has no term", id)
			}
		}
		for _, c := range e.Children {
			if !strings.Contains(" id title updated published link category summary ", " "+c.XMLName.Local+" ") {
				t.Errorf("an entry has <%s>", c.XMLName.Local)
			}
		}
	}
	return titles
}

// checkJSONFeed demands what JSON Feed 1.1 does, and returns the items' titles.
func checkJSONFeed(t *testing.T, body string) []string {
	t.Helper()
	var feed struct {
		Version, Title, Language string
		HomePageURL              string `json:"home_page_url"`
		FeedURL                  string `json:"feed_url"`
		Authors                  []map[string]string
		Items                    []map[string]any
	}
	if err := json.Unmarshal([]byte(body), &feed); err != nil || feed.Version != "https://jsonfeed.org/version/1.1" || feed.Title == "" || feed.Items == nil || feed.Authors[0]["name"] == "" {
		t.Fatalf("%v in %s", err, body)
	}
	wantIRI(t, feed.HomePageURL)
	wantIRI(t, feed.FeedURL)
	var titles []string
	seen := map[string]bool{}
	for _, item := range feed.Items {
		id, _ := item["id"].(string)
		content, _ := item["content_text"].(string)
		if wantIRI(t, id); seen[id] || id != item["url"] || content == "" {
			t.Errorf("item %v", item)
		}
		seen[id] = true
		wantDate(t, fmt.Sprint(item["date_published"]))
		wantDate(t, fmt.Sprint(item["date_modified"]))
		titles = append(titles, fmt.Sprint(item["title"]))
	}
	return titles
}

// filled is a site with a digest that is sent, one that is not, two articles and a draft.
func filled(t *testing.T) editorSite {
	t.Helper()
	s := newEditorSite(t)
	path := s.drafted(t)
	s.as(t, "ed", "POST", "/editor/api/articles", `{"title":"A <b> & \"c\"","body":"One & <two>.","topics":["sleep","Chronic pain"],"status":"published","publishedAt":"2027-01-02"}`, 201)
	s.as(t, "ed", "POST", "/editor/api/articles", `{"title":"Secret plan","body":"x","topics":["secret"]}`, 201)
	s.as(t, "pub", "POST", path+"/schedule", `{"now":true}`, 200)
	s.started(t, path)
	s.moved(t, path, digest.Sent)
	waiting := s.as(t, "ed", "POST", "/editor/api/digests", `{"title":"Later","articles":["sleep"]}`, 201)
	s.as(t, "pub", "POST", "/editor/api/digests/"+waiting["id"].(string)+"/schedule", `{"sendAt":"2027-02-01T09:00:00","timezone":"UTC"}`, 200)
	return s
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	empty := newEditorSite(t)
	if got := checkAtom(t, empty.ask("GET", "/feed.atom", "").Body.String()); len(got) != 0 {
		t.Errorf("an empty feed has %v", got)
	}
	if got := checkJSONFeed(t, empty.ask("GET", "/feed.json", "").Body.String()); len(got) != 0 {
		t.Errorf("an empty feed has %v", got)
	}
	s := filled(t)
	const want = `A <b> & "c"|News|Sleep`
	for path, c := range map[string]struct {
		check func(*testing.T, string) []string
		as    string
	}{"/feed.atom": {checkAtom, "application/atom+xml; charset=utf-8"}, "/feed.json": {checkJSONFeed, "application/feed+json; charset=utf-8"}} {
		w := s.ask("GET", path, "", browser)
		if got := strings.Join(c.check(t, w.Body.String()), "|"); w.Code != 200 || got != want || w.Header().Get("Content-Type") != c.as {
			t.Errorf("%s: %d %s, entries %s", path, w.Code, w.Header().Get("Content-Type"), got)
		}
		for _, secret := range []string{"Secret plan", "Later", "unsubscribe"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s has %q", path, secret)
			}
		}
	}
	s.conditional(t, "/feed.atom", "/feed.json", "/sitemap.xml")
	if s.Log.Len() > 0 {
		t.Errorf("logged %s", s.Log)
	}
}

func TestFeedsHaveTheNewest(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	for n := range 25 {
		s.as(t, "ed", "POST", "/editor/api/articles", fmt.Sprintf(`{"title":"Part %02d","body":"x","status":"published","publishedAt":"2025-01-%02d"}`, n, n+1), 201)
	}
	got := checkAtom(t, s.ask("GET", "/feed.atom", "").Body.String())
	if len(got) != 20 || got[0] != "Part 24" || got[19] != "Part 05" {
		t.Errorf("%v", got)
	}
}

func TestSitemap(t *testing.T) {
	t.Parallel()
	s := filled(t)
	w := s.ask("GET", "/sitemap.xml", "")
	root := parseXML(t, w.Body.String())
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/xml; charset=utf-8" || root.XMLName.Local != "urlset" || root.XMLName.Space != "http://www.sitemaps.org/schemas/sitemap/0.9" {
		t.Errorf("%d %v %v", w.Code, w.Header(), root.XMLName)
	}
	var got []string
	for _, u := range root.all("url") {
		loc := u.one(t, "loc")
		wantIRI(t, loc)
		if len(u.all("lastmod")) == 1 {
			wantDate(t, u.one(t, "lastmod"))
		}
		path := strings.TrimPrefix(loc, "https://news.example.org")
		got = append(got, path)
		if path == "/subscribe" { // another function's
			continue
		}
		if w := s.ask("GET", path, "", browser); w.Code != 200 || strings.Contains(w.Body.String(), "noindex") {
			t.Errorf("%s is in the sitemap: %d", path, w.Code)
		}
	}
	if want := "/ /articles /digests /subscribe /digests/news-november-2026 /articles/a-b-and-c /articles/sleep /topics/chronic-pain /topics/sleep"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if robots := s.ask("GET", "/robots.txt", "").Body.String(); !strings.HasSuffix(robots, "\nSitemap: https://news.example.org/sitemap.xml\n") {
		t.Errorf("robots.txt: %s", robots)
	}
	for path, links := range map[string]bool{"/": true, "/articles": true, "/digests/news-november-2026": true, "/none": false} {
		if body := s.ask("GET", path, "", browser).Body.String(); strings.Contains(body, `type="application/atom+xml" title="Clinic" href="/feed.atom"`) != links {
			t.Errorf("%s leads to the feeds: %v", path, !links)
		}
	}
}
