package main

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"tidings/internal/article"
	"tidings/internal/store"
	"tidings/internal/table"
	"tidings/templates"
)

// loadSamples publishes the articles of templates/articles, as an editor who imports those files would.
func loadSamples(ctx context.Context, t table.Table, now func() time.Time) error {
	files, err := fs.Glob(templates.FS, "articles/*.md")
	if err != nil {
		return fmt.Errorf("find sample articles: %w", err)
	}
	for _, file := range files {
		b, err := fs.ReadFile(templates.FS, file)
		if err != nil {
			return fmt.Errorf("read sample article: %w", err)
		}
		draft, err := article.Import(article.File{Name: file, Data: b}, nil) // no HTML among them that an Extractor would be for
		if err != nil {
			return fmt.Errorf("sample article %s: %w", file, err)
		}
		draft.Status = article.StatusPublished
		if _, _, err := (store.Articles{Table: t, Now: now}).Create(ctx, draft); err != nil {
			return fmt.Errorf("sample article %s: %w", file, err)
		}
	}
	return nil
}
