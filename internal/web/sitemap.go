package web

import (
	"context"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"time"

	"tidings/internal/article"
)

// maxSitemap is how many addresses the sitemap has at most: the protocol allows 50,000, a function's answer 6 MB.
const maxSitemap = 25_000

// The elements of a sitemap (sitemaps.org/protocol.html).
type (
	sitemap struct {
		XMLName xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []sitemapPage `xml:"url"`
	}
	sitemapPage struct {
		Loc     string `xml:"loc"`
		LastMod string `xml:"lastmod,omitempty"`
	}
)

// A siteIndex collects the site's addresses with the times of their last changes.
type siteIndex struct {
	baseURL string
	pages   []sitemapPage
	last    time.Time
}

// add puts a page in and returns whether there is room for more. A zero time is one that nobody knows.
func (x *siteIndex) add(path string, modified time.Time) bool {
	p := sitemapPage{Loc: x.baseURL + path}
	if !modified.IsZero() {
		p.LastMod = modified.Format(time.RFC3339)
	}
	if modified.After(x.last) {
		x.last = modified
	}
	x.pages = append(x.pages, p)
	return len(x.pages) < maxSitemap
}

// sitemap lists every page that search engines may show, newest first within its kind.
func (h Feeds) sitemap(w http.ResponseWriter, r *http.Request) {
	x := &siteIndex{baseURL: h.BaseURL}
	for _, path := range []string{"/", "/articles", "/digests", "/subscribe"} {
		x.add(path, time.Time{})
	}
	err := h.addIssues(r.Context(), x)
	if err == nil {
		err = h.addArticles(r.Context(), x)
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.cachedXML(w, r, x.last, "application/xml; charset=utf-8", sitemap{URLs: x.pages})
}

func (h Feeds) addIssues(ctx context.Context, x *siteIndex) error {
	for cursor := ""; ; {
		l, err := h.Archive.Issues(ctx, cursor, maxLimit)
		if err != nil {
			return err
		}
		for _, i := range l.Items {
			if !x.add("/digests/"+i.Slug, i.UpdatedAt) {
				return nil
			}
		}
		if cursor = l.Next; cursor == "" {
			return nil
		}
	}
}

// addArticles puts in the articles and their topics.
func (h Feeds) addArticles(ctx context.Context, x *siteIndex) error {
	topics := map[string]time.Time{}
	for cursor := ""; ; {
		l, err := h.Articles.List(ctx, article.StatusPublished, cursor, maxLimit)
		if err != nil {
			return err
		}
		for _, a := range l.Items {
			if !x.add("/articles/"+a.Slug, a.UpdatedAt) {
				return nil
			}
			for _, t := range a.Topics {
				if a.UpdatedAt.After(topics[t]) {
					topics[t] = a.UpdatedAt
				}
			}
		}
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	for _, t := range slices.Sorted(maps.Keys(topics)) {
		if !x.add("/topics/"+t, topics[t]) {
			return nil
		}
	}
	return nil
}
