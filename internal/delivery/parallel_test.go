package delivery_test

import (
	"sync"
	"testing"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/digest"
)

// TestManyWorkersAtOnce runs two invocations for every message at the same time, four shards together; the race detector
// looks on.
func TestManyWorkersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	w.ses.rate = 1000
	w.schedule()
	for rounds := 0; w.digest().Status != digest.Sent; rounds++ {
		if rounds > 10000 {
			t.Fatalf("digest is %+v; log:\n%s", w.digest(), w.log)
		}
		due := w.agenda
		w.agenda = nil
		var shards []delivery.ShardRef
		for _, a := range due {
			if a.at.After(w.now) {
				w.agenda = append(w.agenda, a)
			} else if a.kind != "shard" {
				w.do(a)
			} else if m, err := delivery.ParseMessage(a.body); err == nil {
				shards = append(shards, delivery.ShardRef{Digest: m.Digest, Shard: m.Shard})
			}
		}
		var wg sync.WaitGroup
		for _, ref := range shards {
			for range 2 {
				wg.Go(func() {
					if err := w.worker.Run(t.Context(), ref); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		w.now = w.now.Add(100 * time.Millisecond)
	}
	w.run(time.Hour)
	w.wantOnce()
}
