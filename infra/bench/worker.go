package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"tidings/infra/bench/rig"
	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/dynamo"
	"tidings/internal/ses"
	"tidings/internal/store"
	"tidings/internal/table"
)

// done is what the worker's process says it did.
type done struct {
	Seconds, CPU float64
	Peak         int64 // bytes of memory that is no file's, at the most
	Shards       int
}

// A room is the world of the worker's process: real time, the embedded engine, SES over HTTP.
type room struct {
	db      *bolt.Store
	deliver app.Function
	running sync.WaitGroup
	mu      sync.Mutex
	failed  error
}

// work is the worker's process: it opens the digest that a folder holds, and sends it.
func work(ctx context.Context, dir, sesURL string) error {
	db, err := bolt.Open(filepath.Join(dir, "table.db"), bolt.NoSync())
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		return err
	}
	path, err := template.Find(".")
	if err != nil {
		return err
	}
	tpl, err := template.Read(path, parameters(false))
	if err != nil {
		return err
	}
	r := &room{db: db}
	newID := app.IDs(time.Now)
	if r.deliver, err = app.Deliver(ctx, r.runtime(tpl, "deliver", keys, sesURL, newID)); err != nil {
		return err
	}
	dispatch, err := app.Dispatch(ctx, r.runtime(tpl, "dispatch", keys, sesURL, newID))
	if err != nil {
		return err
	}
	digests := store.Digests{Table: db, Now: time.Now, NewID: newID}
	deliveries := store.Deliveries{Digests: digests, Ledger: store.Ledger{Table: db, Now: time.Now, NewID: newID}}
	peak := watch()
	began, cpu := time.Now(), used()
	if _, err := dispatch.Invoke(ctx, digest.StartMessage(rig.Digest, 1)); err != nil {
		return err
	}
	// Without events nothing else would: let the canary pass, and all shards begin.
	if err := deliveries.PassCanary(ctx, rig.Digest); err != nil {
		return err
	}
	for d, err := digests.Get(ctx, rig.Digest); d.Status != digest.Sent; d, err = digests.Get(ctx, rig.Digest) {
		if err != nil || r.failed != nil || d.Status != digest.Sending {
			return fmt.Errorf("digest is %s (%s): %w, %w", d.Status, d.Reason, err, r.failed)
		}
		if _, err := dispatch.Invoke(ctx, []byte(`{"kind":"sweep","digest":"`+rig.Digest+`","version":1}`)); err != nil {
			return err
		}
		r.running.Wait()
	}
	shards, err := deliveries.Ledger.Shards(ctx, rig.Digest)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(done{
		Seconds: time.Since(began).Seconds(), CPU: (used() - cpu).Seconds(), Peak: peak(), Shards: len(shards),
	})
}

// runtime is the world around one function.
func (r *room) runtime(tpl *template.Template, function string, keys []byte, sesURL string, newID func() string) *app.Runtime {
	env := tpl.Functions[function].Environ
	env["TABLE_NAME"], env["INDEX_LAG"] = "bench", "0s"
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	client := ses.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &sesURL, HTTPClient: &http.Client{Transport: dynamo.BufferedTransport{Base: transport}},
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, time.Now)
	return &app.Runtime{
		Environ: env, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Now: time.Now, NewID: newID,
		Sleep:     func(_ context.Context, d time.Duration) error { time.Sleep(d); return nil },
		Table:     func(string) table.Table { return r.db },
		Queue:     func(string) app.Queue { return r },
		Measured:  func(string) delivery.Measured { return drained{} },
		Scheduler: func(app.Schedules) app.Scheduler { return r },
		SES:       func() *ses.Client { return client },
		Parameter: func(context.Context, string) ([]byte, error) { return bytes.Clone(keys), nil },
	}
}

// Send implements app.Queue: each message is an invocation.
func (r *room) Send(ctx context.Context, body []byte, delay time.Duration) error {
	r.running.Go(func() {
		time.Sleep(delay)
		if _, err := r.deliver.Invoke(context.WithoutCancel(ctx), sqsEvent([][]byte{body})); err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.failed = err
		}
	})
	return nil
}

// drained is the events' queues as a witness sees them; in the bench no attempt is ambiguous, and none asks.
type drained struct{}

// Depth implements delivery.Measured.
func (drained) Depth(context.Context) (delivery.Depth, error) { return delivery.Depth{}, nil }

// EveryMinute implements app.Scheduler; the process sweeps by itself.
func (*room) EveryMinute(context.Context, string, []byte) error { return nil }

// Once implements app.Scheduler.
func (*room) Once(context.Context, string, time.Time, []byte) error { return nil }

// Delete implements app.Scheduler.
func (*room) Delete(context.Context, string) error { return nil }

// watch looks every so often at how much memory this process has that is no file's (the embedded engine maps its file), and returns what
// tells the most that there was.
func watch() (peak func() int64) {
	var mu sync.Mutex
	var most int64
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			now := anonymous()
			mu.Lock()
			most = max(most, now)
			mu.Unlock()
		}
	}()
	return func() int64 {
		mu.Lock()
		defer mu.Unlock()
		return max(most, anonymous())
	}
}

// anonymous reads RssAnon of /proc/self/status, in bytes (proc(5)).
func anonymous() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(fields[0], 10, 64)
	return kb << 10
}
