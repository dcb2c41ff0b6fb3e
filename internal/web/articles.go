package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// Bounds of ?limit= in listings.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// cachePublic lets browsers and the CDN keep what everybody may read for a minute, and show it while they ask again
// (RFC 5861 §3).
const cachePublic = "public, max-age=60, stale-while-revalidate=600"

// An ArticleReader reads articles. Faults: NotFound by Get, Invalid for a cursor that List did not give out.
type ArticleReader interface {
	Get(ctx context.Context, slug string) (article.Article, error)
	List(ctx context.Context, status article.Status, cursor string, limit int) (article.List, error)
}

// Articles serves the published articles: pages for people, JSON for programs, by Accept and by ".json".
type Articles struct {
	*Responder
	Store   ArticleReader
	BaseURL string // public origin, without a trailing slash
}

// Register adds the routes.
func (h Articles) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /articles", h.list)
	mux.HandleFunc("GET /articles.json", h.list)
	mux.HandleFunc("GET /articles/{slug}", h.one)
}

// An ArticlesPage is what the page "articles" shows.
type ArticlesPage struct {
	Items []ArticleCard
	First bool   // nothing is newer than these
	Next  string // path of the next page; empty when there is none
}

// An ArticleCard is one article in a list, on a page and in JSON.
type ArticleCard struct {
	Slug        string         `json:"slug"`
	Title       string         `json:"title"`
	Summary     string         `json:"summary"`
	Topics      []string       `json:"topics"`
	Status      article.Status `json:"status"`
	PublishedAt *time.Time     `json:"publishedAt"` // null for a draft without a date
	UpdatedAt   time.Time      `json:"updatedAt"`
	URL         string         `json:"url"` // where visitors read it
}

// An ArticlePage is what the page "article" shows. HTML was sanitised when the article was kept.
type ArticlePage struct {
	Article article.Article
	URL     string // canonical
	HTML    template.HTML
}

// publicArticle is an article as programs read it.
type publicArticle struct {
	ArticleCard
	HTML string `json:"html"`
	Text string `json:"text"`
}

// articleList is a page of a listing.
type articleList struct {
	Items []ArticleCard `json:"items"`
	Next  string        `json:"next"`
}

func (h Articles) list(w http.ResponseWriter, r *http.Request) {
	cursor, limit, err := pageQuery(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	l, err := h.Store.List(r.Context(), article.StatusPublished, cursor, limit)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	if asJSON(r) {
		h.cachedJSON(w, r, time.Time{}, articleList{cards(l.Items, h.BaseURL), l.Next})
		return
	}
	page := ArticlesPage{Items: cards(l.Items, h.BaseURL), First: cursor == ""}
	if l.Next != "" {
		q := url.Values{"cursor": {l.Next}}
		if limit != defaultLimit {
			q.Set("limit", strconv.Itoa(limit))
		}
		page.Next = "/articles?" + q.Encode()
	}
	h.cachedPage(w, r, time.Time{}, "articles", View{Title: "Articles", NoIndex: cursor != "", Data: page})
}

func (h Articles) one(w http.ResponseWriter, r *http.Request) {
	a, err := h.Store.Get(r.Context(), strings.TrimSuffix(r.PathValue("slug"), ".json"))
	if err == nil && a.Status != article.StatusPublished {
		err = fault.New(fault.NotFound, "There is no article of that name.")
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	card := cards([]article.Card{a.Card()}, h.BaseURL)[0]
	if asJSON(r) {
		h.cachedJSON(w, r, a.UpdatedAt, publicArticle{card, a.HTML, a.Text})
		return
	}
	h.cachedPage(w, r, a.UpdatedAt, "article", View{Title: a.Title, Data: ArticlePage{Article: a, URL: card.URL, HTML: template.HTML(a.HTML)}})
}

// asJSON reports whether to answer in JSON: the path says so, or the client is not a browser.
func asJSON(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".json") || !WantsHTML(r) }

// pageQuery reads ?cursor= and ?limit=.
func pageQuery(r *http.Request) (cursor string, limit int, err error) {
	q := r.URL.Query()
	limit = defaultLimit
	if q.Has("limit") {
		limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || limit < 1 || limit > maxLimit {
			return "", 0, fault.Field(fault.Invalid, "limit", "The limit is a number from 1 to %d.", maxLimit)
		}
	}
	return q.Get("cursor"), limit, nil
}

// cards makes rows of cards; never nil, and neither are their topics.
func cards(all []article.Card, baseURL string) []ArticleCard {
	out := make([]ArticleCard, len(all))
	for i, c := range all {
		out[i] = ArticleCard{c.Slug, c.Title, c.Summary, append([]string{}, c.Topics...), c.Status, nil, c.UpdatedAt, baseURL + "/articles/" + c.Slug}
		if !c.PublishedAt.IsZero() {
			out[i].PublishedAt = &c.PublishedAt
		}
	}
	return out
}

// cachedJSON answers 200 with v, or 304 where the client has it already.
func (s *Responder) cachedJSON(w http.ResponseWriter, r *http.Request, modified time.Time, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Error(w, r, fmt.Errorf("encode answer: %w", err))
		return
	}
	serveCached(w, r, modified, "application/json; charset=utf-8", append(body, '\n'))
}

// cachedPage answers 200 with a page, or 304 where the client has it already.
func (s *Responder) cachedPage(w http.ResponseWriter, r *http.Request, modified time.Time, page string, v View) {
	var b bytes.Buffer
	if err := s.Pages.Render(&b, page, v); err != nil {
		s.Error(w, r, err)
		return
	}
	serveCached(w, r, modified, "text/html; charset=utf-8", b.Bytes())
}

// serveCached sends a body with a strong ETag made of its bytes, which changes with every deployment that changes the
// page. The standard library decides about 304 (RFC 9110 §13).
func serveCached(w http.ResponseWriter, r *http.Request, modified time.Time, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", cachePublic)
	w.Header().Add("Vary", "Accept")
	http.ServeContent(w, r, "", modified, bytes.NewReader(body))
}
