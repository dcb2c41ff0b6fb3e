package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tidings/internal/digest"
)

// editorDigest is a digest as editors read it.
type editorDigest struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Subject     string          `json:"subject"` // the one in use: the title when none was given
	Preheader   string          `json:"preheader"`
	Intro       string          `json:"intro"`
	Articles    []string        `json:"articles"`
	Status      digest.Status   `json:"status"`
	Reason      string          `json:"reason"`
	SendAt      *time.Time      `json:"sendAt"` // null before it is scheduled
	Timezone    string          `json:"timezone"`
	ContentHash string          `json:"contentHash"`
	Progress    digest.Progress `json:"progress"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
}

// digestList is a page of digests.
type digestList struct {
	Items []editorDigest `json:"items"`
	Next  string         `json:"next"`
}

// shown makes what editors see of a digest. Before sending there is no progress to ask for.
func (h EditorDigests) shown(ctx context.Context, d digest.Digest) (editorDigest, error) {
	out := editorDigest{
		ID: d.ID, Title: d.Title, Subject: d.Line(), Preheader: d.Preheader, Intro: d.Intro, Articles: append([]string{}, d.Articles...),
		Status: d.Status, Reason: d.Reason, Timezone: d.Timezone, ContentHash: d.ContentHash, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if !d.SendAt.IsZero() {
		out.SendAt = &d.SendAt
	}
	if d.StartedAt.IsZero() {
		return out, nil
	}
	var err error
	if out.Progress, err = h.Progress.Progress(ctx, d.ID); err != nil {
		return out, fmt.Errorf("read progress of digest %s: %w", d.ID, err)
	}
	return out, nil
}

func (h EditorDigests) list(w http.ResponseWriter, r *http.Request) {
	cursor, limit, err := pageQuery(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	l, err := h.Service.List(r.Context(), cursor, limit)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	out := digestList{Items: make([]editorDigest, len(l.Items)), Next: l.Next}
	for i, d := range l.Items {
		if out.Items[i], err = h.shown(r.Context(), d); err != nil {
			h.Error(w, r, err)
			return
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	h.JSON(w, http.StatusOK, out)
}

// etag is a revision as a strong entity tag.
func etag(rev int64) string { return fmt.Sprintf(`"%d"`, rev) }
