package digest

import (
	"strings"

	"tidings/internal/article"
	"tidings/internal/mail"
)

// A MailComposer is the Composer in use: package mail's builder, and the public addresses of articles.
type MailComposer struct {
	Builder *mail.Builder
	BaseURL string // public origin
}

// Compose implements Composer. A draft, which has no page of its own yet, leads to the archive.
func (m MailComposer) Compose(d Digest, articles []article.Article) (Content, error) {
	md := mail.Digest{Title: d.Title, Subject: d.Line(), Preheader: d.Preheader, Intro: d.Intro, WebURL: strings.TrimRight(m.BaseURL, "/") + "/digests"}
	if d.Slug != "" {
		md.WebURL += "/" + d.Slug
	}
	for _, a := range articles {
		md.Articles = append(md.Articles, mail.Article{
			Title: a.Title, Summary: a.Summary, Topics: a.Topics, PublishedAt: a.PublishedAt,
			URL: strings.TrimRight(m.BaseURL, "/") + "/articles/" + a.Slug,
		})
	}
	c, err := m.Builder.Digest(md)
	return Content(c), err
}

// Sample implements Composer.
func (m MailComposer) Sample(c Content) (Content, error) {
	s, err := m.Builder.Inert(mail.Content(c))
	return Content(s), err
}
