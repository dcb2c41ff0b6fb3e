package rig

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"tidings/internal/audience"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/store"
	"tidings/internal/table"
)

// Crowd puts n confirmed subscribers onto the list and returns their addresses. The first signs up and confirms through the store, a day
// ago; the others are copies of that one's item, so that a list of a million takes no hour.
func Crowd(ctx context.Context, t table.Table, identity audience.Identity, now time.Time, n int) ([]string, error) {
	at := now.Add(-24 * time.Hour).UTC().Truncate(time.Millisecond)
	ids := 0
	people := store.Subscribers{Table: t, Now: func() time.Time { return at }, NewID: func() string { ids++; return fmt.Sprintf("event%021d", ids) }}
	emails := make([]string, 0, n)
	var model table.Item
	var page []table.Item
	for i := range n {
		a, err := audience.ParseAddress(fmt.Sprintf("reader%07d@example.org", i))
		if err != nil {
			return nil, err
		}
		id := identity.ID(a)
		emails = append(emails, a.Sendable)
		if model == nil {
			if model, err = enlist(ctx, people, id, a.Sendable, at); err != nil {
				return nil, fmt.Errorf("enlist the first subscriber: %w", err)
			}
			continue
		}
		item := maps.Clone(model)
		item[table.PK], item["email"], item["apk"], item["ask"] = "S#"+id, a.Sendable, fmt.Sprintf("A#%02d", audience.Partition(id)), id
		if page = append(page, item); len(page) == crowdPage || i == n-1 {
			if err := t.BatchPut(ctx, page); err != nil {
				return nil, fmt.Errorf("enlist %d subscribers: %w", len(page), err)
			}
			page = nil
		}
	}
	return emails, nil
}

// crowdPage is how many subscribers are stored at a time.
const crowdPage = 1000

// enlist takes one subscriber through sign-up and confirmation, and returns the item.
func enlist(ctx context.Context, people store.Subscribers, id, email string, at time.Time) (table.Item, error) {
	asked := audience.Event{Kind: audience.EventRequested, At: at, How: audience.HowForm, Name: "Ana Example", IPHash: "none"}
	err := people.Add(ctx, audience.Request{ID: id, Email: email, Event: asked}, 1)
	if err == nil {
		err = people.Confirm(ctx, id, at, audience.Event{Kind: audience.EventConfirmed, At: at, How: audience.HowLink})
	}
	if err != nil && !fault.Is(err, fault.Conflict) {
		return nil, err
	}
	return people.Table.Get(ctx, table.Key{PK: "S#" + id, SK: "A"})
}

// Digest is the ID of the digest that Schedule makes.
const Digest = "01jd0000000000000000000000"

// The size of the digest's parts: what a month's five articles come to.
const (
	htmlBytes = 30_000
	textBytes = 6_000
)

// Schedule stores a digest that is due now, as digest.Service does, and returns what dispatch is told at its hour.
func Schedule(ctx context.Context, d store.Digests) (start []byte, err error) {
	now := d.Now()
	frozen := digest.Frozen{Articles: []string{"one"}, Topics: []string{}, Content: digest.Content{
		Subject: "Five articles of this month",
		HTML:    "<!doctype html><html lang=\"en\"><p>{{greeting_html}}</p>" + strings.Repeat("<p>Ketamine is not FDA-approved for it.</p>\n", htmlBytes/44) + `<a href="{{unsubscribe_url}}">Unsubscribe</a></html>`,
		Text:    "{{greeting}}\n" + strings.Repeat("Ketamine is not FDA-approved for it.\n", textBytes/37) + "{{unsubscribe_url}}\n",
	}}
	frozen.Hash = frozen.Sum()
	one := digest.Digest{
		ID: Digest, Title: "Five articles", Status: digest.Scheduled, SendAt: now, Timezone: "UTC", Version: 1, ContentHash: frozen.Hash, Rev: 1,
		CreatedAt: now, UpdatedAt: now,
	}
	if err := d.Create(ctx, one); err != nil {
		return nil, err
	}
	one.Rev = 2
	return digest.StartMessage(Digest, 1), d.Schedule(ctx, one, 1, frozen)
}
