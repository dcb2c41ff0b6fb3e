package web

import (
	"context"
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

// An ArticleReader reads articles. Faults: NotFound by Get, Invalid for a cursor that the list did not give out. Topic lists the
// published articles of a topic; of one that no article has the list is empty.
type ArticleReader interface {
	Get(ctx context.Context, slug string) (article.Article, error)
	List(ctx context.Context, status article.Status, cursor string, limit int) (article.List, error)
	Topic(ctx context.Context, topic, cursor string, limit int) (article.List, error)
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
	mux.HandleFunc("GET /topics/{topic}", h.topic)
}

// An ArticlesPage is what the pages "articles" and "topic" show.
type ArticlesPage struct {
	Topic string // of the page "topic": its slug
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
	h.listed(w, r, l, "articles", View{Title: "Articles", Data: ArticlesPage{First: cursor == "", Next: nextPage("/articles", l.Next, limit)}})
}

func (h Articles) topic(w http.ResponseWriter, r *http.Request) {
	topic := strings.TrimSuffix(r.PathValue("topic"), ".json")
	cursor, limit, err := pageQuery(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	l, err := h.Store.Topic(r.Context(), topic, cursor, limit)
	if err == nil && len(l.Items) == 0 && cursor == "" {
		err = fault.New(fault.NotFound, "There is no article on this topic.")
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.listed(w, r, l, "topic", View{Title: TopicName(topic), Data: ArticlesPage{Topic: topic, First: cursor == "", Next: nextPage("/topics/"+topic, l.Next, limit)}})
}

// listed answers with a page of a list; v holds all of it but the items.
func (h Articles) listed(w http.ResponseWriter, r *http.Request, l article.List, page string, v View) {
	items := cards(l.Items, h.BaseURL)
	if asJSON(r) {
		h.cachedJSON(w, r, newest(l.Items), articleList{items, l.Next})
		return
	}
	data := v.Data.(ArticlesPage)
	data.Items = items
	v.NoIndex, v.Data = !data.First, data
	h.cachedPage(w, r, newest(l.Items), page, v)
}

// newest returns when the last change among articles was made; zero when there are none. Who asks by that time alone, and not by
// ETag, does not learn that an article was taken away until another changes.
func newest(all []article.Card) time.Time {
	var t time.Time
	for _, c := range all {
		if c.UpdatedAt.After(t) {
			t = c.UpdatedAt
		}
	}
	return t
}

// TopicName turns a topic's slug into words: "chronic-pain" is "Chronic pain".
func TopicName(slug string) string {
	s := strings.ReplaceAll(slug, "-", " ")
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
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
	return pageQueryUpTo(r, defaultLimit, maxLimit)
}

// pageQueryUpTo is pageQuery for lists whose pages may be larger or smaller.
func pageQueryUpTo(r *http.Request, usual, most int) (cursor string, limit int, err error) {
	q := r.URL.Query()
	limit = usual
	if q.Has("limit") {
		limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || limit < 1 || limit > most {
			return "", 0, fault.Field(fault.Invalid, "limit", "The limit is a number from 1 to %d.", most)
		}
	}
	return q.Get("cursor"), limit, nil
}

// nextPage is the path of a list's page at a cursor; empty when there is none.
func nextPage(path, cursor string, limit int) string {
	if cursor == "" {
		return ""
	}
	q := url.Values{"cursor": {cursor}}
	if limit != defaultLimit {
		q.Set("limit", strconv.Itoa(limit))
	}
	return path + "?" + q.Encode()
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
