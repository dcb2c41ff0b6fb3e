package delivery_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/table"
)

func TestTamperedContentFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.schedule()
	item, err := w.db.Get(t.Context(), table.Key{PK: "DIG#" + testDigest, SK: "C"})
	if err != nil {
		t.Fatal(err)
	}
	item["doc"] = []byte(strings.ReplaceAll(string(item["doc"].([]byte)), "News", "Other news"))
	if _, err := w.db.Write(t.Context(), table.Put(item)); err != nil {
		t.Fatal(err)
	}
	w.run(time.Hour)
	w.wantStatus(digest.Failed)
	if len(w.ses.sentAt) > 0 || !strings.Contains(w.digest().Reason, "content") {
		t.Errorf("%d sent; reason %q", len(w.ses.sentAt), w.digest().Reason)
	}
}

// TestSweepersEnd are the sweepers of starts that were lost: their digest was deleted, or put off.
func TestSweepersEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	sweep := func(id string, version int64) {
		t.Helper()
		if err := w.dispatcher.Handle(t.Context(), delivery.Message{Kind: delivery.KindSweep, Digest: id, Version: version}); err != nil {
			t.Fatal(err)
		}
	}
	w.sweeps["sweep-deleted-1"] = []byte("x")
	sweep("deleted", 1)
	w.schedule()
	w.sweeps["sweep-"+testDigest+"-0"], w.sweeps["sweep-"+testDigest+"-1"] = []byte("x"), []byte("x")
	sweep(testDigest, 0) // of an older schedule: it ends its own sweeper and no other
	sweep(testDigest, 1)
	if len(w.sweeps) != 1 || w.sweeps["sweep-"+testDigest+"-1"] == nil {
		t.Errorf("sweepers %v, want that of the digest which is about to start", w.sweeps)
	}
	w.now = w.now.Add(-time.Hour) // its hour is far
	sweep(testDigest, 1)
	if len(w.sweeps) != 0 {
		t.Errorf("sweepers %v, want none", w.sweeps)
	}
	if err := w.dispatcher.Handle(t.Context(), delivery.Message{Kind: delivery.KindShard, Digest: testDigest}); err == nil {
		t.Error("dispatch took a message of deliver's")
	}
}

func TestMessagesAreReadBack(t *testing.T) {
	t.Parallel()
	for want, body := range map[delivery.Message][]byte{
		{Kind: delivery.KindShard, Digest: "d", Shard: 3}:   delivery.ShardMessage(delivery.ShardRef{Digest: "d", Shard: 3}),
		{Kind: delivery.KindSweep, Digest: "d", Version: 2}: delivery.SweepMessage("d", 2),
		{Kind: delivery.KindStart, Digest: "d", Version: 2}: digest.StartMessage("d", 2),
	} {
		if got, err := delivery.ParseMessage(body); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", body, got, err, want)
		}
	}
	for _, body := range []string{"", "{}", `{"kind":"start"}`, `{"kind":"shard","digest":"d","shard":-1}`, `{"kind":"other","digest":"d"}`} {
		if m, err := delivery.ParseMessage([]byte(body)); err == nil {
			t.Errorf("%s is read as %+v", body, m)
		}
	}
}
