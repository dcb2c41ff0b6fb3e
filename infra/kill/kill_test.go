package kill

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/infra/bench/rig"
	"tidings/infra/local/sesapi"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/store"
)

var (
	people  = flag.Int("people", 2000, "subscribers")
	kills   = flag.Int("kills", 25, "how many processes to kill")
	patient = flag.Bool("patient", false, "wait for leases and graces, and kill anywhere")
	seed    = flag.Uint64("seed", 1, "of the killer's choices")
	workers = flag.Int("workers", 4, "processes of deliver at once")
)

// Times of the test. The sweeper's minute and SQS's visibility are shorter than in AWS: both only decide how soon work goes on.
const (
	sweepEvery = 5 * time.Second
	visibility = 15 * time.Second
	// limit is the longest that a patient test may take: two leases and a grace, one after the other, beside the work.
	limit = 14 * time.Minute
)

// TestEveryoneOnceThroughKills needs the DynamoDB Local that infra/dynamodb-local.sh starts.
func TestEveryoneOnceThroughKills(t *testing.T) {
	if os.Getenv("TIDINGS_DYNAMODB") == "" {
		t.Skip("needs DynamoDB Local: make kill-test")
	}
	w := newWorld(t)
	began := time.Now()
	start, err := rig.Schedule(t.Context(), w.digests)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.r.Start(); err != nil {
		t.Fatal(err)
	}
	for { // Lambda tries an asynchronous invocation three times; this killer is worse than what those are for
		if _, err := w.r.Invoke(t.Context(), "dispatch", start); err == nil {
			break
		}
	}
	w.waitUntilSent()
	took := time.Since(began)
	w.check()
	w.report(took)
}

// A world is a rig with a killer in it.
type world struct {
	*testing.T
	r *rig.Rig
	*killer
	emails  []string
	output  *buffer
	digests store.Digests
	ledger  store.Ledger
	counter *delivery.Counter
}

// buffer collects what the processes log.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	functions := []string{"dispatch", "deliver", "feedback"}
	built, err := rig.Build(t.Context(), t.TempDir(), functions...)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, output: &buffer{}}
	w.killer = newKiller(w)
	w.r, err = rig.Open(t.Context(), rig.Config{
		DynamoDB: os.Getenv("TIDINGS_DYNAMODB"), Dir: t.TempDir(), Binaries: built,
		Sandboxes:  map[string]int{"dispatch": 1, "deliver": *workers, "feedback": 2},
		Visibility: visibility, Sweep: sweepEvery, Output: w.output, Log: slog.New(slog.NewJSONHandler(w.output, nil)),
		Tap: w.tap, Began: w.began,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.disarm()
		if err := w.r.Close(); err != nil {
			t.Error(err)
		}
	})
	// A rate at which each of 64 shards has a share of its own, and dead workers' shares are not missed.
	if _, err := w.r.SES.Change([]byte(`{"maxSendRate":50000,"max24HourSend":-1,"latency":"10ms"}`)); err != nil {
		t.Fatal(err)
	}
	w.digests = store.Digests{Table: w.r.Table, Now: time.Now, NewID: w.r.NewID}
	w.ledger = store.Ledger{Table: w.r.Table, Now: time.Now, NewID: w.r.NewID}
	w.counter = &delivery.Counter{Tallies: store.Tallies{Table: w.r.Table, Now: time.Now}, Shards: w.ledger, Now: time.Now}
	if w.emails, err = rig.Crowd(t.Context(), w.r.Table, w.r.Keys.Identity, time.Now(), *people); err != nil {
		t.Fatal(err)
	}
	return w
}

// waitUntilSent waits for the digest's end, and says now and then how far it is.
func (w *world) waitUntilSent() {
	w.Helper()
	end, said := time.Now().Add(limit), time.Now()
	for {
		d, err := w.digests.Get(w.Context(), rig.Digest)
		if err != nil {
			w.Fatal(err)
		}
		switch {
		case d.Status == digest.Sent:
			return
		case d.Status != digest.Scheduled && d.Status != digest.Sending, time.Now().After(end):
			w.Fatalf("digest is %s: %s; %s; last of the log:\n%s", d.Status, d.Reason, w.standing(), tail(w.output.String(), 8000))
		case time.Since(said) > 20*time.Second:
			said = time.Now()
			w.Log(w.standing())
		}
		time.Sleep(250 * time.Millisecond)
	}
}

func (w *world) standing() string {
	mails, _ := w.r.SES.Find(sesapi.Query{})
	p, err := w.counter.Progress(context.Background(), rig.Digest)
	return fmt.Sprintf("%d mails in SES, %d kills, progress %+v %v", mails, w.killed(), p, err)
}

// check compares the SES's own record with the list, and the digest's figures with both.
func (w *world) check() {
	w.Helper()
	w.disarm()
	copies := map[string]int{}
	_, mails := w.r.SES.Find(sesapi.Query{Limit: -1})
	for _, m := range mails {
		copies[m.To[0]]++
	}
	delete(copies, delivery.ProbeAddress)
	var lost, twice int
	for _, email := range w.emails {
		switch n := copies[email]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
		delete(copies, email)
	}
	p, err := w.counter.Progress(w.Context(), rig.Digest)
	if err != nil {
		w.Fatal(err)
	}
	want := digest.Progress{Audience: int64(len(w.emails)), Accepted: int64(len(w.emails)), Delivered: p.Delivered}
	if lost+twice+len(copies) > 0 || p != want {
		w.Errorf("%d people have no mail, %d have more than one, %d others have some; progress %+v", lost, twice, len(copies), p)
	}
	if n := w.killed(); n < *kills/2 {
		w.Errorf("only %d of %d processes were killed: the test shows little", n, *kills)
	}
	if strings.Contains(w.output.String(), "@example.org") {
		w.Error("an address is in the log")
	}
	w.Logf("lost %d, duplicates %d, progress %+v", lost, twice, p)
}

// report says what the test has been through.
func (w *world) report(took time.Duration) {
	w.Logf("%d people, %d kills of processes, %.0f s", len(w.emails), w.killed(), took.Seconds())
	for _, f := range []string{"dispatch", "deliver", "feedback"} {
		w.Logf("%-8s %4d invocations", f, w.r.Count(f+" invocations"))
	}
	w.Logf("%d SendBulkEmail calls for %d batches at the least", w.r.Count("deliver ses SendBulkEmail"), (len(w.emails)+delivery.MaxEntries-1)/delivery.MaxEntries)
	w.Log(w.points())
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
