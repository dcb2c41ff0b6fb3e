package store

import (
	"encoding/json"
	"fmt"
	"time"

	"tidings/internal/article"
	"tidings/internal/table"
)

// An articleDoc is what an article's item holds as JSON in "doc"; body, html and text are attributes of their own, since
// JSON would escape their markup and swell the item.
type articleDoc struct {
	Slug         string         `json:"slug"`
	Title        string         `json:"title"`
	Summary      string         `json:"summary"`
	Topics       []string       `json:"topics"`
	Status       article.Status `json:"status"`
	PublishedAt  time.Time      `json:"publishedAt,omitzero"`
	CreatedAt    time.Time      `json:"createdAt"`
	UpdatedAt    time.Time      `json:"updatedAt"`
	Format       article.Format `json:"format"`
	Source       string         `json:"source,omitempty"`
	Author       string         `json:"author,omitempty"`
	Reviewer     string         `json:"reviewer,omitempty"`
	LastReviewed time.Time      `json:"lastReviewed,omitzero"`
}

// articleItem lays an article out as an item.
func articleItem(a article.Article) (table.Item, error) {
	doc, err := json.Marshal(articleDoc{a.Slug, a.Title, a.Summary, a.Topics, a.Status, a.PublishedAt, a.CreatedAt, a.UpdatedAt,
		a.Format, a.Source, a.Author, a.Reviewer, a.LastReviewed})
	if err != nil {
		return nil, fmt.Errorf("encode article %s: %w", a.Slug, err)
	}
	card, err := json.Marshal(a.Card())
	if err != nil {
		return nil, fmt.Errorf("encode card of article %s: %w", a.Slug, err)
	}
	key := articleKey(a.Slug)
	return table.Item{
		table.PK: key.PK, table.SK: key.SK, "rev": a.Rev, "doc": doc, "body": a.Body, "html": a.HTML, "text": a.Text,
		"lpk": statusList(a.Status), "lsk": listOrder(a), table.Card: card,
	}, nil
}

// listOrder is an article's sort key in the List index.
func listOrder(a article.Article) string {
	sorted := a.UpdatedAt
	if a.Status == article.StatusPublished {
		sorted = a.PublishedAt
	}
	return sorted.UTC().Format(time.RFC3339) + "#" + a.Slug
}

// articleOf reads an article back from its item.
func articleOf(item table.Item) (article.Article, error) {
	doc, _ := item["doc"].([]byte)
	var d articleDoc
	if err := json.Unmarshal(doc, &d); err != nil {
		return article.Article{}, fmt.Errorf("decode article %s: %w", str(item, table.PK), err)
	}
	return article.Article{
		Slug: d.Slug, Title: d.Title, Summary: d.Summary, Topics: d.Topics, Status: d.Status, PublishedAt: d.PublishedAt,
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, Format: d.Format, Source: d.Source, Author: d.Author, Reviewer: d.Reviewer,
		LastReviewed: d.LastReviewed, Body: str(item, "body"), HTML: str(item, "html"), Text: str(item, "text"), Rev: num(item, "rev"),
	}, nil
}
