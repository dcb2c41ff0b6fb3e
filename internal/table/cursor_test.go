package table_test

import (
	"errors"
	"strings"
	"testing"

	"tidings/internal/table"
)

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	for _, at := range []table.Position{
		{Key: table.Key{PK: "p", SK: "s"}, Sort: "s"},
		{Key: table.Key{PK: "\x00", SK: "\x00\x01"}, Sort: "\x00\x01"},
		{Key: table.Key{PK: strings.Repeat("é", 1024), SK: strings.Repeat("z", 1024)}, Sort: strings.Repeat("z", 1024)},
	} {
		for _, q := range []table.Query{
			{Partition: at.Key.PK}, {Partition: at.Key.PK, Descending: true}, {Partition: at.Key.PK, From: at.Sort, To: at.Sort},
			{Index: table.Audience, Partition: "A"}, {Index: table.List, Partition: "L", To: "\U0010FFFF"},
		} {
			want := at
			if q.Index != table.Main {
				want.Sort = "in the index"
				q.From, q.To = "", ""
			}
			q.Cursor = table.EncodeCursor(q, want)
			if strings.Trim(q.Cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Errorf("cursor %q needs escaping in a URL", q.Cursor)
			}
			if got, err := table.DecodeCursor(q); err != nil || got != want {
				t.Errorf("%+v: %+v, %v, want %+v", q, got, err, want)
			}
		}
	}
}

func TestCursorOfAnotherQuery(t *testing.T) {
	t.Parallel()
	q := table.Query{Partition: "p", From: "a", To: "c", Limit: 3}
	q.Cursor = table.EncodeCursor(q, table.Position{Key: table.Key{PK: "p", SK: "b"}, Sort: "b"})
	q.Limit, q.Consistent = 9, true
	if _, err := table.DecodeCursor(q); err != nil {
		t.Errorf("limit and consistency may change: %v", err)
	}
	for what, change := range map[string]func(*table.Query){
		"index": func(q *table.Query) { q.Index = table.List }, "partition": func(q *table.Query) { q.Partition = "q" },
		"from": func(q *table.Query) { q.From = "" }, "to": func(q *table.Query) { q.To = "b" },
		"direction": func(q *table.Query) { q.Descending = true }, "cut": func(q *table.Query) { q.Cursor = q.Cursor[1:] },
	} {
		changed := q
		change(&changed)
		if _, err := table.DecodeCursor(changed); !errors.Is(err, table.ErrCursor) {
			t.Errorf("%s changed: %v, want ErrCursor", what, err)
		}
	}
	// An honest sum over a position that no page of the query ends at.
	q.Cursor = table.EncodeCursor(q, table.Position{Key: table.Key{PK: "p", SK: "d"}, Sort: "d"})
	if _, err := table.DecodeCursor(q); !errors.Is(err, table.ErrCursor) {
		t.Errorf("beyond the range: %v, want ErrCursor", err)
	}
}

// Cursors come back from strangers: whatever they hold, they name a place within the query or are refused.
func FuzzDecodeCursor(f *testing.F) {
	q := table.Query{Index: table.List, Partition: "L", From: "a", To: "z"}
	f.Add(table.EncodeCursor(q, table.Position{Key: table.Key{PK: "p", SK: "s"}, Sort: "m"}), "L", "a", "z", 2, false)
	f.Add(table.EncodeCursor(table.Query{Partition: "p"}, table.Position{Key: table.Key{PK: "p", SK: "s"}}), "p", "", "", 0, true)
	f.Add("AAAAAAAAAAD_____", "p", "", "", 1, false)
	f.Fuzz(func(t *testing.T, cursor, partition, from, to string, index int, descending bool) {
		q := table.Query{Index: []table.Index{table.Main, table.Audience, table.List}[uint(index)%3], Partition: partition, From: from, To: to,
			Descending: descending, Cursor: cursor}
		at, err := table.DecodeCursor(q)
		if err != nil {
			if !errors.Is(err, table.ErrCursor) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if at.Sort < from || to != "" && at.Sort > to || table.CheckKey(at.Key) != nil {
			t.Fatalf("position %+v outside of %+v", at, q)
		}
		if again := table.EncodeCursor(q, at); again != cursor {
			t.Fatalf("two cursors for one place: %q and %q", cursor, again)
		}
	})
}
