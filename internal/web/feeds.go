package web

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tidings/internal/article"
)

// feedEntries is how many articles, and how many digests, a feed has at most: a reader that asks once a month misses none of a
// clinic's.
const feedEntries = 20

// Feeds serves what is published to feed readers (Atom, RFC 4287; JSON Feed 1.1) and to search engines (sitemaps.org). Feeds hold
// summaries and links: a feed that is polled each hour costs two queries and the digests' statuses, not every article's text.
type Feeds struct {
	*Responder
	Articles ArticleReader
	Archive  ArchiveReader
	Name     string // the clinic's
	BaseURL  string // public origin, without a trailing slash
}

// Register adds the routes.
func (h Feeds) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /feed.atom", h.atom)
	mux.HandleFunc("GET /feed.json", h.json)
	mux.HandleFunc("GET /sitemap.xml", h.sitemap)
}

// A feedEntry is an article or a digest. Its address is its ID.
type feedEntry struct {
	url, title, summary string
	published, updated  time.Time
	topics              []string
}

// entries returns the newest articles and digests, and when the last of them changed: the Unix epoch when there are none, since
// a feed must have a date (RFC 4287 §4.1.1) that changes only when it does.
func (h Feeds) entries(r *http.Request) ([]feedEntry, time.Time, error) {
	articles, err := h.Articles.List(r.Context(), article.StatusPublished, "", feedEntries)
	if err != nil {
		return nil, time.Time{}, err
	}
	issues, err := h.Archive.Issues(r.Context(), "", feedEntries)
	if err != nil {
		return nil, time.Time{}, err
	}
	var all []feedEntry
	for _, a := range articles.Items {
		all = append(all, feedEntry{h.BaseURL + "/articles/" + a.Slug, a.Title, a.Summary, a.PublishedAt, a.UpdatedAt, a.Topics})
	}
	for _, i := range issues.Items {
		all = append(all, feedEntry{h.BaseURL + "/digests/" + i.Slug, i.Title, i.Summary, i.SentAt, i.UpdatedAt, nil})
	}
	slices.SortStableFunc(all, func(a, b feedEntry) int { return cmp.Or(b.published.Compare(a.published), cmp.Compare(a.url, b.url)) })
	updated := time.Unix(0, 0).UTC()
	for _, e := range all {
		if e.updated.After(updated) {
			updated = e.updated
		}
	}
	return all, updated, nil
}

// about is what the feeds say of themselves.
func (h Feeds) about() string {
	return fmt.Sprintf("Articles and newsletters by %s about ketamine therapy, its evidence and its risks.", h.Name)
}

// The elements of an Atom feed (RFC 4287 §4).
type (
	atomFeed struct {
		XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang     string      `xml:"xml:lang,attr"`
		ID       string      `xml:"id"`
		Title    string      `xml:"title"`
		Subtitle string      `xml:"subtitle"`
		Updated  string      `xml:"updated"`
		Author   string      `xml:"author>name"`
		Links    []atomLink  `xml:"link"`
		Entries  []atomEntry `xml:"entry"`
	}
	atomEntry struct {
		ID         string         `xml:"id"`
		Title      string         `xml:"title"`
		Published  string         `xml:"published"`
		Updated    string         `xml:"updated"`
		Link       atomLink       `xml:"link"`
		Categories []atomCategory `xml:"category"`
		Summary    string         `xml:"summary,omitempty"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	atomCategory struct {
		Term  string `xml:"term,attr"`
		Label string `xml:"label,attr"`
	}
)

func (h Feeds) atom(w http.ResponseWriter, r *http.Request) {
	entries, updated, err := h.entries(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	feed := atomFeed{
		Lang: "en", ID: h.BaseURL + "/feed.atom", Title: h.Name, Subtitle: h.about(), Updated: updated.Format(time.RFC3339), Author: h.Name,
		Links: []atomLink{{"self", "application/atom+xml", h.BaseURL + "/feed.atom"}, {"alternate", "text/html", h.BaseURL + "/"}},
	}
	for _, e := range entries {
		entry := atomEntry{
			ID: e.url, Title: e.title, Published: e.published.Format(time.RFC3339), Updated: e.updated.Format(time.RFC3339),
			Link: atomLink{"alternate", "text/html", e.url}, Summary: e.summary,
		}
		for _, t := range e.topics {
			entry.Categories = append(entry.Categories, atomCategory{t, TopicName(t)})
		}
		feed.Entries = append(feed.Entries, entry)
	}
	h.cachedXML(w, r, updated, "application/atom+xml; charset=utf-8", feed)
}

// The members of a JSON feed (jsonfeed.org/version/1.1).
type (
	jsonFeed struct {
		Version     string           `json:"version"`
		Title       string           `json:"title"`
		HomePageURL string           `json:"home_page_url"`
		FeedURL     string           `json:"feed_url"`
		Description string           `json:"description"`
		Language    string           `json:"language"`
		Authors     []jsonFeedAuthor `json:"authors"`
		Items       []jsonFeedItem   `json:"items"`
	}
	jsonFeedAuthor struct {
		Name string `json:"name"`
	}
	jsonFeedItem struct {
		ID            string    `json:"id"`
		URL           string    `json:"url"`
		Title         string    `json:"title"`
		ContentText   string    `json:"content_text"` // an item must have some content
		DatePublished time.Time `json:"date_published"`
		DateModified  time.Time `json:"date_modified"`
		Tags          []string  `json:"tags,omitempty"`
	}
)

func (h Feeds) json(w http.ResponseWriter, r *http.Request) {
	entries, updated, err := h.entries(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	feed := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: h.Name, HomePageURL: h.BaseURL + "/", FeedURL: h.BaseURL + "/feed.json",
		Description: h.about(), Language: "en", Authors: []jsonFeedAuthor{{h.Name}}, Items: []jsonFeedItem{},
	}
	for _, e := range entries {
		feed.Items = append(feed.Items, jsonFeedItem{e.url, e.url, e.title, cmp.Or(e.summary, e.title), e.published, e.updated, e.topics})
	}
	body, err := json.Marshal(feed)
	if err != nil {
		h.Error(w, r, fmt.Errorf("encode feed: %w", err))
		return
	}
	serveCached(w, r, updated, "application/feed+json; charset=utf-8", append(body, '\n'))
}

// cachedXML answers 200 with v as a document, or 304 where the client has it already.
func (s *Responder) cachedXML(w http.ResponseWriter, r *http.Request, modified time.Time, contentType string, v any) {
	body, err := xml.Marshal(v)
	if err != nil {
		s.Error(w, r, fmt.Errorf("encode document: %w", err))
		return
	}
	serveCached(w, r, modified, contentType, append(append([]byte(xml.Header), body...), '\n'))
}
