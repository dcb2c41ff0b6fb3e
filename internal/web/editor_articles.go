package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// maxEditorBody bounds a JSON body of the editors' API in bytes.
const maxEditorBody = 1 << 20

// An ArticleWriter changes articles. Faults: those of article.New and Apply, NotFound, Stale when the article is at
// none of the revisions given (none given: any will do).
type ArticleWriter interface {
	Create(ctx context.Context, d article.Draft) (a article.Article, created bool, err error)
	Update(ctx context.Context, slug string, revs []int64, c article.Change) (article.Article, error)
	Delete(ctx context.Context, slug string, revs []int64) error
}

// A PageFetcher fetches a page of the public web.
type PageFetcher interface {
	Page(ctx context.Context, address string) (article.Page, error)
}

// EditorArticles is the editors' API of articles. It expects that whoever gets here may edit.
type EditorArticles struct {
	*Responder
	Store interface {
		ArticleReader
		ArticleWriter
	}
	Fetch   PageFetcher
	Extract article.Extractor
	BaseURL string // public origin, without a trailing slash
}

// Register adds the routes.
func (h EditorArticles) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /editor/api/articles", h.create)
	mux.HandleFunc("POST /editor/api/articles/import", h.importOne)
	mux.HandleFunc("GET /editor/api/articles", h.list)
	mux.HandleFunc("GET /editor/api/articles/{slug}", h.get)
	mux.HandleFunc("PATCH /editor/api/articles/{slug}", h.patch)
	mux.HandleFunc("DELETE /editor/api/articles/{slug}", h.delete)
}

// editorArticle is an article as editors read it.
type editorArticle struct {
	publicArticle
	Body         string         `json:"body"`
	Format       article.Format `json:"format"`
	Source       string         `json:"source"`
	Author       string         `json:"author"`
	Reviewer     string         `json:"reviewer"`
	LastReviewed *time.Time     `json:"lastReviewed"` // null: never
}

// answer sends an article with its revision as the ETag.
func (h EditorArticles) answer(w http.ResponseWriter, status int, a article.Article) {
	out := editorArticle{
		publicArticle: publicArticle{cards([]article.Card{a.Card()}, h.BaseURL)[0], a.HTML, a.Text},
		Body:          a.Body, Format: a.Format, Source: a.Source, Author: a.Author, Reviewer: a.Reviewer,
	}
	if !a.LastReviewed.IsZero() {
		out.LastReviewed = &a.LastReviewed
	}
	w.Header().Set("ETag", etag(a.Rev))
	w.Header().Set("Cache-Control", "no-store")
	if status == http.StatusCreated {
		w.Header().Set("Location", "/editor/api/articles/"+a.Slug)
	}
	h.JSON(w, status, out)
}

// articleFields are the fields that a request may set. A field that is absent or null is nil.
type articleFields struct {
	Title        *string         `json:"title"`
	Body         *string         `json:"body"`
	Format       *article.Format `json:"format"`
	Summary      *string         `json:"summary"`
	Topics       *[]string       `json:"topics"`
	Status       *article.Status `json:"status"`
	PublishedAt  *string         `json:"publishedAt"` // RFC 3339, or a date
	Author       *string         `json:"author"`
	Reviewer     *string         `json:"reviewer"`
	LastReviewed *string         `json:"lastReviewed"` // RFC 3339, or a date
}

// change makes a change of the fields.
func (f articleFields) change() (article.Change, error) {
	c := article.Change{Title: f.Title, Summary: f.Summary, Body: f.Body, Author: f.Author, Reviewer: f.Reviewer,
		Format: f.Format, Status: f.Status, Topics: f.Topics}
	var err error
	if c.PublishedAt, err = timeField("publishedAt", f.PublishedAt); err != nil {
		return c, err
	}
	c.LastReviewed, err = timeField("lastReviewed", f.LastReviewed)
	return c, err
}

// timeField reads a time or a date; an empty string is the zero time.
func timeField(name string, s *string) (*time.Time, error) {
	if s == nil {
		return nil, nil
	}
	var t time.Time
	if *s == "" {
		return &t, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, *s); err == nil {
			return &t, nil
		}
	}
	return nil, fault.Field(fault.Invalid, name, "Write the time as 2026-05-04T09:00:00Z, or the date as 2026-05-04.")
}

func (h EditorArticles) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		articleFields
		Slug string `json:"slug"`
	}
	err := DecodeJSON(w, r, maxEditorBody, &in)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	c, err := in.change()
	if err != nil {
		h.Error(w, r, err)
		return
	}
	a, _, err := h.Store.Create(r.Context(), c.Draft(in.Slug))
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.answer(w, http.StatusCreated, a)
}

// importOne makes a draft of a page or a file: 201, or 200 with the article that its source has become before.
func (h EditorArticles) importOne(w http.ResponseWriter, r *http.Request) {
	d, err := h.imported(w, r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	a, created, err := h.Store.Create(r.Context(), d)
	switch {
	case err != nil:
		h.Error(w, r, err)
	case created:
		h.answer(w, http.StatusCreated, a)
	default:
		h.answer(w, http.StatusOK, a)
	}
}

// imported reads what is to be imported: a multipart file, or the JSON that names a page.
func (h EditorArticles) imported(w http.ResponseWriter, r *http.Request) (article.Draft, error) {
	if mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mt == "multipart/form-data" {
		f, err := uploaded(w, r)
		if err != nil {
			return article.Draft{}, err
		}
		return article.Import(f, h.Extract)
	}
	var in struct {
		URL string `json:"url"`
	}
	if err := DecodeJSON(w, r, maxEditorBody, &in); err != nil {
		return article.Draft{}, err
	}
	if in.URL == "" {
		return article.Draft{}, fault.Field(fault.Invalid, "url", "Name the page's address, or upload a file.")
	}
	page, err := h.Fetch.Page(r.Context(), in.URL)
	if err != nil {
		return article.Draft{}, err
	}
	return article.FromPage(page)
}

// uploaded reads the one part of a multipart body, which is named "file".
func uploaded(w http.ResponseWriter, r *http.Request) (article.File, error) {
	const room = 16 << 10 // for the part's headers and boundaries
	r.Body = http.MaxBytesReader(w, r.Body, article.MaxFile+room)
	var f article.File
	parts, err := r.MultipartReader()
	for found := false; err == nil; {
		part, e := parts.NextPart()
		switch {
		case e == io.EOF && found:
			return f, nil
		case e == io.EOF:
			return f, fault.Field(fault.Invalid, "file", "The form holds no file.")
		case e != nil:
			err = e
		case part.FormName() != "file" || found:
			return f, fault.Field(fault.Invalid, "file", "Send one file, as the part named file.")
		default:
			found = true
			f.Name, f.ContentType = part.FileName(), part.Header.Get("Content-Type")
			f.Data, err = io.ReadAll(part)
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return f, fault.Field(fault.TooLarge, "file", "The file is larger than %d MB.", article.MaxFile>>20)
	}
	return f, fault.New(fault.Invalid, "The body is not a valid multipart form.")
}

func (h EditorArticles) list(w http.ResponseWriter, r *http.Request) {
	cursor, limit, err := pageQuery(r)
	status := article.Status(r.URL.Query().Get("status"))
	if err == nil && status != "" && status != article.StatusDraft && status != article.StatusPublished {
		err = fault.Field(fault.Invalid, "status", "The status is either draft or published.")
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	l, err := h.Store.List(r.Context(), status, cursor, limit)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	h.JSON(w, http.StatusOK, articleList{cards(l.Items, h.BaseURL), l.Next})
}

func (h EditorArticles) get(w http.ResponseWriter, r *http.Request) {
	a, err := h.Store.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.answer(w, http.StatusOK, a)
}

func (h EditorArticles) patch(w http.ResponseWriter, r *http.Request) {
	var in articleFields
	err := DecodeJSON(w, r, maxEditorBody, &in)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	c, err := in.change()
	if err != nil {
		h.Error(w, r, err)
		return
	}
	a, err := h.Store.Update(r.Context(), r.PathValue("slug"), revisions(r), c)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.answer(w, http.StatusOK, a)
}

func (h EditorArticles) delete(w http.ResponseWriter, r *http.Request) {
	if err := h.Store.Delete(r.Context(), r.PathValue("slug"), revisions(r)); err != nil {
		h.Error(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// revisions reads If-Match (RFC 9110 §13.1.1): nil when it is absent or "*", else the revisions that it names. One that
// names none of ours, or only weakly, matches nothing.
func revisions(r *http.Request) []int64 {
	all := strings.Join(r.Header.Values("If-Match"), ",")
	if all == "" || strings.TrimSpace(all) == "*" {
		return nil
	}
	out := []int64{-1} // no article has it
	for tag := range strings.SplitSeq(all, ",") {
		tag = strings.TrimSpace(tag)
		if n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64); err == nil && tag == fmt.Sprintf(`"%d"`, n) {
			out = append(out, n)
		}
	}
	return out
}
