package bolt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/bolt"
	"tidings/internal/table"
	"tidings/internal/table/tabletest"
)

func open(t *testing.T) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t) })
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := table.Item{"pk": "p", "sk": "s", "n": int64(7)}
	if _, err := s.Write(t.Context(), table.Put(want)); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path); err == nil {
		t.Error("a second process opened the file")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = bolt.Open(path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Get(t.Context(), table.KeyOf(want))
	if err != nil || got["n"] != int64(7) {
		t.Errorf("after reopening: %v, %v", got, err)
	}
}

func TestExpire(t *testing.T) {
	s := open(t)
	now := time.Unix(1_700_000_000, 0)
	var items []table.Item
	for i := range 1200 {
		items = append(items, table.Item{"pk": "p", "sk": fmt.Sprintf("%04d", i), "ttl": now.Unix() - 600 + int64(i), "apk": "A", "ask": fmt.Sprint(i)})
	}
	items = append(items, table.Item{"pk": "p", "sk": "kept"}, table.Item{"pk": "p", "sk": "old", "ttl": int64(-5)})
	if err := s.BatchPut(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	// One item lives longer now, one has no time any more: neither may go.
	for sk, a := range map[string]table.Action{"0000": table.Set("ttl", now.Unix()+1), "0001": table.Remove("ttl")} {
		if _, err := s.Write(t.Context(), table.Update(table.Key{PK: "p", SK: sk}, a)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{600, 0} {
		if n, err := s.Expire(t.Context(), now); n != want || err != nil {
			t.Errorf("expired %d, %v, want %d", n, err, want)
		}
	}
	page, err := s.Query(t.Context(), table.Query{Index: table.Audience, Partition: "A", Limit: 1000})
	if err != nil || len(page.Items) != 601 {
		t.Errorf("%d left in the index, %v, want 601", len(page.Items), err)
	}
	if _, err := s.Get(t.Context(), table.Key{PK: "p", SK: "old"}); !errors.Is(err, table.ErrNotFound) {
		t.Errorf("expired item: %v", err)
	}
}

// The simulation runs stores in a bubble, where a goroutine of the engine's own would never end.
func TestSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		start := time.Now()
		for i := range 4 {
			go func() {
				for range 50 {
					time.Sleep(time.Hour)
					if _, err := s.Write(t.Context(), table.Update(table.Key{PK: "p", SK: "s"}, table.Add("n", 1))); err != nil {
						t.Errorf("worker %d: %v", i, err)
					}
				}
			}()
		}
		time.Sleep(51 * time.Hour)
		synctest.Wait()
		got, err := s.Get(t.Context(), table.Key{PK: "p", SK: "s"})
		if err != nil || got["n"] != int64(200) {
			t.Errorf("%v, %v", got, err)
		}
		if d := time.Since(start); d != 51*time.Hour {
			t.Errorf("virtual time %v", d)
		}
	})
}
