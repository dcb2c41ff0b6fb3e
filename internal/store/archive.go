package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/table"
)

// The archive: a digest that is scheduled takes its slug by the item ARC#<slug>/A, which names the digest and holds its card, and
// stands in the List index's partition ARC by its hour. Whether it may be read or listed is not kept here: the digest's status,
// read with it, decides, so that delivery writes nothing for the archive and the two can't disagree.

// archiveList is the partition of the List index that holds the names of all digests that are scheduled or more.
const archiveList = "ARC"

func issueKey(slug string) table.Key { return table.Key{PK: "ARC#" + slug, SK: "A"} }

// issueCard is what the archive's list needs beside the digest itself.
type issueCard struct {
	Digest  string `json:"digest"`
	Summary string `json:"summary"`
}

func issueItem(d digest.Digest, f digest.Frozen) (table.Item, error) {
	card, err := json.Marshal(issueCard{d.ID, f.Preheader})
	if err != nil {
		return nil, fmt.Errorf("encode card of digest %s: %w", d.ID, err)
	}
	key := issueKey(d.Slug)
	return table.Item{
		table.PK: key.PK, table.SK: key.SK, "lpk": archiveList, "lsk": d.SendAt.UTC().Format(time.RFC3339) + "#" + d.Slug, table.Card: card,
	}, nil
}

func cardOf(item table.Item) (issueCard, error) {
	var c issueCard
	raw, _ := item[table.Card].([]byte)
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("decode card of %s: %w", str(item, table.PK), err)
	}
	return c, nil
}

// FreeSlug implements digest.Contents.
func (s Digests) FreeSlug(ctx context.Context, slug string) (string, error) {
	for n := 1; n <= maxSlugs; n++ {
		nth := article.NthSlug(slug, n)
		_, err := s.Table.Get(ctx, issueKey(nth))
		if errors.Is(err, table.ErrNotFound) {
			return nth, nil
		}
		if err != nil {
			return "", fmt.Errorf("look for slug %s: %w", nth, err)
		}
	}
	return "", fault.Field(fault.Conflict, "title", "Too many digests of this month have this title. Choose another.")
}

// Issue returns a digest that is out (digest.Status.Out) by its slug, or a fault.NotFound.
func (s Digests) Issue(ctx context.Context, slug string) (digest.Issue, error) {
	if !article.ValidSlug(slug) {
		return digest.Issue{}, noIssue()
	}
	name, err := s.Table.Get(ctx, issueKey(slug))
	if errors.Is(err, table.ErrNotFound) {
		return digest.Issue{}, noIssue()
	}
	if err != nil {
		return digest.Issue{}, fmt.Errorf("get issue %s: %w", slug, err)
	}
	card, err := cardOf(name)
	if err != nil {
		return digest.Issue{}, err
	}
	items, err := s.Table.BatchGet(ctx, []table.Key{digestKey(card.Digest), contentKey(card.Digest)})
	if err != nil {
		return digest.Issue{}, fmt.Errorf("read issue %s: %w", slug, err)
	}
	if items[digestKey(card.Digest)] == nil || items[contentKey(card.Digest)] == nil {
		return digest.Issue{}, noIssue()
	}
	d, err := digestOf(card.Digest, items[digestKey(card.Digest)])
	if err != nil {
		return digest.Issue{}, err
	}
	if d.Slug != slug || !d.Status.Out() {
		return digest.Issue{}, noIssue()
	}
	f, err := frozenOf(d.ID, items[contentKey(card.Digest)])
	if err != nil {
		return digest.Issue{}, err
	}
	return digest.Issue{IssueCard: d.Card(f.Preheader), Edition: f.Edition, Listed: d.Status == digest.Sent}, nil
}

func noIssue() error { return fault.New(fault.NotFound, "There is no issue of that name.") }

// Issues returns a page of at most limit digests (1 to 100) that are sent, newest first. A cursor that no page gave out is a
// fault.Invalid.
func (s Digests) Issues(ctx context.Context, cursor string, limit int) (digest.IssueList, error) {
	list := digest.IssueList{Items: []digest.IssueCard{}, Next: cursor}
	// What is not sent is passed over: the few that wait, go out or were cancelled on the way.
	for first := true; len(list.Items) < limit && (first || list.Next != ""); first = false {
		page, err := s.Table.Query(ctx, table.Query{
			Index: table.List, Partition: archiveList, Limit: limit - len(list.Items), Cursor: list.Next, Descending: true,
		})
		if errors.Is(err, table.ErrCursor) {
			return digest.IssueList{}, badCursor()
		}
		if err != nil {
			return digest.IssueList{}, fmt.Errorf("list issues: %w", err)
		}
		sent, err := s.sent(ctx, page.Items)
		if err != nil {
			return digest.IssueList{}, err
		}
		list.Items, list.Next = append(list.Items, sent...), page.Cursor
	}
	return list, nil
}

// sent returns the cards of those names' digests that are sent.
func (s Digests) sent(ctx context.Context, names []table.Item) ([]digest.IssueCard, error) {
	if len(names) == 0 {
		return nil, nil
	}
	cards := make([]issueCard, len(names))
	var keys []table.Key
	for i, name := range names {
		var err error
		if cards[i], err = cardOf(name); err != nil {
			return nil, err
		}
		if key := digestKey(cards[i].Digest); !slices.Contains(keys, key) { // an index that lags may show its old name too
			keys = append(keys, key)
		}
	}
	items, err := s.Table.BatchGet(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read listed issues: %w", err)
	}
	var out []digest.IssueCard
	for i, card := range cards {
		item := items[digestKey(card.Digest)]
		if item == nil { // deleted; the index lags
			continue
		}
		d, err := digestOf(card.Digest, item)
		if err != nil {
			return nil, err
		}
		if d.Status == digest.Sent && issueKey(d.Slug) == table.KeyOf(names[i]) {
			out = append(out, d.Card(card.Summary))
		}
	}
	return out, nil
}
