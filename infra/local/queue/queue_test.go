package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"tidings/infra/local/clock"
	"tidings/internal/bolt"
	"tidings/internal/table"
)

// A world is a clock, a table and the queues on them, in a synctest bubble.
type world struct {
	*testing.T
	*Service
	clock *clock.Clock
	tab   table.Table
	log   bytes.Buffer
}

var specs = []Spec{
	{Name: "mail", URL: "http://sqs/mail", Visibility: 720 * time.Second, MaxReceives: 3, DeadLetter: "arn:aws:sqs:us-east-1:000000000000:mail-dlq"},
	{Name: "mail-dlq", URL: "http://sqs/mail-dlq", Retention: 14 * 24 * time.Hour},
	{Name: "plain", Visibility: 5 * time.Minute},
}

func bubble(t *testing.T, test func(w *world)) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stack.db")
	synctest.Test(t, func(t *testing.T) {
		store, err := bolt.Open(path, bolt.NoSync())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		w := &world{T: t, clock: clock.New(time.Now, 0), tab: store}
		w.open()
		test(w)
	})
}

// open makes the queues anew, as a restart does.
func (w *world) open() {
	w.Helper()
	n := atomic.Int64{}
	s, err := Open(w.Context(), Config{
		Clock: w.clock, Table: w.tab, Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Queues: specs,
		NewID: func() string { return fmt.Sprintf("id-%d-%d", time.Now().UnixNano(), n.Add(1)) },
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Service = s
}

func (w *world) send(queue string, delay time.Duration, bodies ...string) {
	w.Helper()
	for _, b := range bodies {
		if err := w.Queue(queue).Send(w.Context(), []byte(b), delay); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) advance(d time.Duration) {
	w.Helper()
	if busy, err := w.clock.Advance(w.Context(), d); busy != 0 || err != nil {
		w.Fatalf("advance by %v: busy %d, %v", d, busy, err)
	}
}

// A reader is a function that answers as told and remembers what it got.
type reader struct {
	mu     sync.Mutex
	got    [][]string // bodies of each batch
	events []events.SQSEvent
	answer func(ev events.SQSEvent) ([]byte, error)
}

func (r *reader) invoke(_ context.Context, _ string, payload []byte) ([]byte, error) {
	var ev events.SQSEvent
	if err := json.Unmarshal(payload, &ev); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var bodies []string
	for _, rec := range ev.Records {
		bodies = append(bodies, rec.Body)
	}
	r.got, r.events = append(r.got, bodies), append(r.events, ev)
	if r.answer == nil {
		return nil, nil
	}
	return r.answer(ev)
}

func (r *reader) bodies() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, b := range r.got {
		all = append(all, strings.Join(b, ","))
	}
	return strings.Join(all, " ")
}

func (w *world) start(r *reader, src Source) {
	w.Helper()
	src.Function = "f"
	if err := w.Service.Start(r.invoke, []Source{src}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) stats(queue string) string {
	s := w.Queue(queue).Stats()
	return fmt.Sprintf("%d visible, %d in flight, %d delayed, oldest %v", s.Visible, s.InFlight, s.Delayed, s.Oldest)
}

// kept counts the messages of a queue in the table.
func (w *world) kept(queue string) int {
	w.Helper()
	page, err := w.tab.Query(w.Context(), table.Query{Partition: partition(queue), Limit: table.MaxQuery})
	if err != nil {
		w.Fatal(err)
	}
	return len(page.Items)
}

func TestEventIsLambdas(t *testing.T) {
	bubble(t, func(w *world) {
		r := &reader{}
		w.start(r, Source{Queue: "http://sqs/mail", BatchSize: 10, Partial: true})
		sent := w.clock.Now()
		w.send("mail", 0, `{"kind":"signup"}`)
		w.advance(0)
		if len(r.events) != 1 || len(r.events[0].Records) != 1 {
			w.Fatalf("got %+v", r.events)
		}
		rec := r.events[0].Records[0]
		if rec.MessageId == "" || rec.ReceiptHandle == "" || rec.Body != `{"kind":"signup"}` || len(rec.Md5OfBody) != 32 ||
			rec.EventSource != "aws:sqs" || rec.EventSourceARN != "arn:aws:sqs:us-east-1:000000000000:mail" || rec.AWSRegion != "us-east-1" {
			w.Errorf("record is %+v", rec)
		}
		millis := fmt.Sprint(sent.UnixMilli())
		for name, want := range map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": millis, "ApproximateFirstReceiveTimestamp": millis} {
			if got := rec.Attributes[name]; got != want {
				w.Errorf("%s is %q, not %q", name, got, want)
			}
		}
		if w.kept("mail") != 0 || w.stats("mail") != "0 visible, 0 in flight, 0 delayed, oldest 0s" {
			w.Errorf("after success: %d kept, %s", w.kept("mail"), w.stats("mail"))
		}
	})
}

func TestDelay(t *testing.T) {
	bubble(t, func(w *world) {
		r := &reader{}
		w.start(r, Source{Queue: "mail"})
		w.send("mail", 1500*time.Millisecond, "two seconds")
		w.send("mail", 1<<63-1, "a quarter of an hour")
		w.send("mail", -time.Second, "now")
		w.advance(0)
		if got := r.bodies(); got != "now" {
			w.Errorf("at once: %q", got)
		}
		time.Sleep(1999 * time.Millisecond)
		if got := r.bodies(); got != "now" {
			w.Errorf("before its time: %q", got)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := r.bodies(); got != "now two seconds" {
			w.Errorf("in real time: %q", got)
		}
		if got := w.stats("mail"); !strings.HasPrefix(got, "0 visible, 0 in flight, 1 delayed") {
			w.Error(got)
		}
		w.advance(15 * time.Minute)
		if got := r.bodies(); got != "now two seconds a quarter of an hour" {
			w.Errorf("in the end: %q", got)
		}
	})
}

func TestFailureComesAgainAndEndsInTheDeadLetterQueue(t *testing.T) {
	bubble(t, func(w *world) {
		r := &reader{answer: func(events.SQSEvent) ([]byte, error) { return nil, errors.New("broken") }}
		w.start(r, Source{Queue: "mail", BatchSize: 2})
		sent := w.clock.Now()
		if err := w.Queue("mail").SendAll(w.Context(), [][]byte{[]byte("a"), []byte("b")}); err != nil {
			w.Fatal(err)
		}
		w.advance(719 * time.Second)
		if got := r.bodies(); got != "a,b" {
			w.Errorf("within the visibility timeout: %q", got)
		}
		if got := w.stats("mail"); got != "0 visible, 2 in flight, 0 delayed, oldest 11m59s" {
			w.Error(got)
		}
		w.advance(time.Hour)
		if got := r.bodies(); got != "a,b a,b a,b" {
			w.Errorf("in the end: %q", got)
		}
		if got := r.events[2].Records[0].Attributes["ApproximateReceiveCount"]; got != "3" {
			w.Errorf("the third receive counts as %s", got)
		}
		letters := w.Queue("mail-dlq").Letters(10)
		if len(letters) != 2 || string(letters[0].Body) != "a" || letters[0].From != "mail" || letters[0].Receives != 3 || !letters[0].Sent.Equal(sent) {
			w.Errorf("letters are %+v", letters)
		}
		if w.kept("mail") != 0 || w.kept("mail-dlq") != 2 || !strings.HasPrefix(w.stats("mail"), "0 visible, 0 in flight") {
			w.Errorf("kept: %d and %d; %s", w.kept("mail"), w.kept("mail-dlq"), w.stats("mail"))
		}
		w.advance(14 * 24 * time.Hour)
		if len(w.Queue("mail-dlq").Letters(10)) != 0 {
			w.Error("the dead-letter queue keeps letters longer than their retention")
		}
		synctest.Wait()
		if w.kept("mail-dlq") != 0 {
			w.Error("expired letters stay in the table")
		}
	})
}

func TestPartialFailures(t *testing.T) {
	bubble(t, func(w *world) {
		r := &reader{answer: func(ev events.SQSEvent) ([]byte, error) {
			var res events.SQSEventResponse
			for _, rec := range ev.Records {
				if rec.Body == "bad" {
					res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: rec.MessageId})
				}
			}
			return json.Marshal(res)
		}}
		w.start(r, Source{Queue: "mail", BatchSize: 3, Window: time.Second, Partial: true})
		w.send("mail", 0, "good", "bad", "better")
		w.advance(5 * time.Minute)
		if w.kept("mail") != 1 {
			w.Errorf("%d messages are kept", w.kept("mail"))
		}
		w.advance(13 * time.Minute)
		if got := r.bodies(); got != "good,bad,better bad" {
			w.Errorf("got %q", got)
		}
	})
}

func TestBatches(t *testing.T) {
	bubble(t, func(w *world) {
		r := &reader{}
		w.start(r, Source{Queue: "mail", BatchSize: 3, Window: 20 * time.Second, Concurrency: 1})
		w.send("mail", 0, "1", "2", "3", "4")
		synctest.Wait()
		if got := r.bodies(); got != "1,2,3" {
			w.Errorf("a full batch waits for nothing: %q", got)
		}
		time.Sleep(MaxWindow + time.Millisecond)
		synctest.Wait()
		if got := r.bodies(); got != "1,2,3 4" {
			w.Errorf("the window, cut to a second, is over: %q", got)
		}
	})
}

func TestConcurrency(t *testing.T) {
	bubble(t, func(w *world) {
		var now, most atomic.Int32
		invoke := func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return nil, w.clock.Sleep(ctx, time.Minute)
		}
		if err := w.Service.Start(invoke, []Source{{Function: "f", Queue: "plain", BatchSize: 1, Concurrency: 2}}); err != nil {
			w.Fatal(err)
		}
		start := w.clock.Now()
		for i := range 6 {
			w.send("plain", 0, fmt.Sprint(i))
		}
		for w.kept("plain") > 0 {
			w.advance(10 * time.Second)
		}
		if most.Load() != 2 {
			w.Errorf("%d ran side by side", most.Load())
		}
		if took := w.clock.Now().Sub(start); took < 3*time.Minute || took > 4*time.Minute {
			w.Errorf("six minutes' work by two took %v", took)
		}
	})
}

func TestRestart(t *testing.T) {
	bubble(t, func(w *world) {
		w.send("mail", 0, "waiting")
		w.send("mail", 10*time.Minute, "delayed")
		release := make(chan struct{})
		hang := &reader{answer: func(events.SQSEvent) ([]byte, error) { <-release; return nil, nil }}
		w.start(hang, Source{Queue: "mail"})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("stop with an invocation that hangs: %v", err)
		}
		old := w.Service
		w.send("mail", 0, "after stop")
		w.open()
		r := &reader{}
		w.start(r, Source{Queue: "mail"})
		synctest.Wait()
		if got := r.bodies(); got != "waiting,after stop" {
			w.Errorf("after the restart: %q", got)
		}
		w.send("mail", 0, "new")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := r.bodies(); got != "waiting,after stop new delayed" {
			w.Errorf("in the end: %q", got)
		}
		if err := w.Stop(w.Context()); err != nil {
			w.Errorf("stop at rest: %v", err)
		}
		close(release)
		if err := old.Stop(w.Context()); err != nil {
			w.Errorf("stop again: %v", err)
		}
	})
}

func TestRefusals(t *testing.T) {
	bubble(t, func(w *world) {
		for name, body := range map[string]string{"empty": "", "too long": strings.Repeat("x", maxBody+1), "control": "a\x00b", "not UTF-8": "\xff", "non-character": "\uFFFE"} {
			if err := w.Queue("mail").Send(w.Context(), []byte(body), 0); err == nil {
				w.Errorf("a message is taken: %s", name)
			}
		}
		if err := w.Queue("mail").Send(w.Context(), []byte("é\t\r\n😀"), 0); err != nil {
			w.Error(err)
		}
		if err := w.Queue("http://sqs/nowhere").Send(w.Context(), []byte("x"), 0); err == nil {
			w.Error("a queue that does not exist takes messages")
		}
		if st := w.Queue("nowhere").Stats(); st.Visible != 0 || len(w.Queue("nowhere").Letters(1)) != 0 {
			w.Error("a queue that does not exist holds something")
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if err := w.Queue("mail").Send(ctx, []byte("x"), 0); !errors.Is(err, context.Canceled) {
			w.Errorf("cancelled: %v", err)
		}
		if err := w.Service.Start(nil, []Source{{Queue: "nowhere"}}); err == nil {
			w.Error("a source of a queue that does not exist is taken")
		}
		for _, specs := range [][]Spec{{{}}, {{Name: "a"}, {Name: "a"}}, {{Name: "a", DeadLetter: "b", MaxReceives: 1}}, {{Name: "a", DeadLetter: "b"}, {Name: "b"}}} {
			if _, err := Open(w.Context(), Config{Clock: w.clock, Table: w.tab, Queues: specs}); err == nil {
				w.Errorf("queues are made of %+v", specs)
			}
		}
		if w.clock.Busy() != 0 {
			w.Errorf("busy is %d after refusals", w.clock.Busy())
		}
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	batch := []*message{{id: "a"}, {id: "b"}}
	for _, c := range []struct {
		name, out string
		err       error
		want      []string
		malformed bool
	}{
		{name: "nothing"},
		{name: "null", out: "null"},
		{name: "empty object", out: " {} "},
		{name: "empty list", out: `{"batchItemFailures":[]}`},
		{name: "null list", out: `{"batchItemFailures":null}`},
		{name: "one", out: `{"batchItemFailures":[{"itemIdentifier":"b"}]}`, want: []string{"b"}},
		{name: "error", err: errors.New("x"), want: []string{"a", "b"}},
		{name: "not JSON", out: `ok`, want: []string{"a", "b"}, malformed: true},
		{name: "other JSON", out: `"ok"`, want: []string{"a", "b"}, malformed: true},
		{name: "empty identifier", out: `{"batchItemFailures":[{"itemIdentifier":""}]}`, want: []string{"a", "b"}, malformed: true},
		{name: "null identifier", out: `{"batchItemFailures":[{"itemIdentifier":null}]}`, want: []string{"a", "b"}, malformed: true},
		{name: "wrong key", out: `{"batchItemFailures":[{"id":"a"}]}`, want: []string{"a", "b"}, malformed: true},
		{name: "unknown", out: `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}`, want: []string{"a", "b"}, malformed: true},
	} {
		failed, malformed := failures(true, batch, []byte(c.out), c.err)
		var got []string
		for id := range failed {
			got = append(got, id)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) || malformed != c.malformed {
			t.Errorf("%s: %v failed, malformed %v", c.name, got, malformed)
		}
	}
	if failed, _ := failures(false, batch, []byte("anything"), nil); len(failed) != 0 {
		t.Error("without ReportBatchItemFailures an answer counts for nothing")
	}
}
