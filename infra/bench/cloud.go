package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"tidings/infra/local/clock"
	"tidings/infra/local/events"
	"tidings/infra/local/sesapi"
	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/ses"
	"tidings/internal/store"
	"tidings/internal/table"
)

// What calls take on the virtual clock: round values of what AWS shows within a region. The machine's own speed does not count.
const (
	readTime        = 4 * time.Millisecond
	writeTime       = 6 * time.Millisecond
	transactionTime = 15 * time.Millisecond
	sesTime         = 100 * time.Millisecond
	sqsTime         = 8 * time.Millisecond
	deliveryTime    = 5 * time.Second // from Send to Delivery
	beginTime       = 30 * time.Millisecond
)

// A cloud is AWS on a virtual clock, which stands still while anything works: the functions as internal/app builds them, on the embedded
// engine, with latencies and a bill.
type cloud struct {
	clock   *clock.Clock
	table   *table.Counter
	ses     *sesapi.Server
	bus     *events.Bus
	tpl     *template.Template
	digests store.Digests
	bill    *bill
	log     *slog.Logger
	built   map[string]app.Function
	workers *lane
	events  *window

	mu        sync.Mutex
	sweeping  map[string][]byte
	throttled []time.Time
	failures  []error
	closers   []func() error
}

// epoch is when the bench's world begins.
var epoch = time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC)

// parameters are the template's in the bench.
func parameters(deliveries bool) map[string]string {
	p := map[string]string{
		"BaseUrl": "https://news.example.org", "SiteName": "Example Clinic", "PostalAddress": "1 Example Way, Boulder, CO 80302",
		"BulkAddress": "digest@news.example.org", "TransactAddress": "hello@example.org", "OidcIssuer": "https://id.example.org", "OidcClientId": "none",
		"DeliveryEvents": "no",
	}
	if deliveries {
		p["DeliveryEvents"] = "yes"
	}
	return p
}

// newCloud makes a cloud in a folder. deliveries says whether SES reports each delivery; workers is deliver's MaximumConcurrency.
func newCloud(dir string, deliveries bool, workers int) (c *cloud, keys app.Keys, err error) {
	c = &cloud{
		clock: clock.New(func() time.Time { return epoch }, 0), bill: newBill(), built: map[string]app.Function{}, sweeping: map[string][]byte{},
		log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	path, err := template.Find(".")
	if err != nil {
		return nil, keys, err
	}
	if c.tpl, err = template.Read(path, parameters(deliveries)); err != nil {
		return nil, keys, err
	}
	db, err := bolt.Open(filepath.Join(dir, "cloud.db"), bolt.NoSync())
	if err != nil {
		return nil, keys, err
	}
	c.closers = append(c.closers, db.Close)
	c.table = &table.Counter{Table: db}
	newID := app.IDs(c.clock.Now)
	c.digests = store.Digests{Table: c.table, Now: c.clock.Now, NewID: newID}
	c.workers = &lane{cloud: c, function: "deliver", free: workers}
	c.events = newWindow(c)
	rule := events.Rule{Name: "EventsRule", Paths: c.tpl.Rule.Paths, Template: c.tpl.Rule.Transform, Target: c.tpl.Rule.Target}
	if err := json.Unmarshal(c.tpl.Rule.Pattern, &rule.Pattern); err != nil {
		return nil, keys, err
	}
	if c.bus, err = events.New(c.clock, []events.Rule{rule}, func(string) events.Queue { return c.events }); err != nil {
		return nil, keys, err
	}
	c.ses = sesapi.New(sesapi.Config{
		Now: c.clock.Now, Sleep: c.clock.Sleep, Begin: c.clock.Begin, NewID: newID, Log: c.log, Publish: c.publish,
		ConfigurationSets: map[string][]string{c.tpl.ConfigurationSet: c.tpl.Published},
	})
	raw, err := app.NewKeys(rand.Reader)
	if err != nil {
		return nil, keys, err
	}
	if keys, err = app.ParseKeys(raw); err != nil {
		return nil, keys, err
	}
	return c, keys, c.build(raw, newID)
}

// build builds the three functions that delivery is made of.
func (c *cloud) build(keys []byte, newID func() string) error {
	for name, b := range map[string]app.Build{"dispatch": app.Dispatch, "deliver": app.Deliver, "feedback": app.Feedback} {
		env := c.tpl.Functions[name].Environ
		env["TABLE_NAME"] = "bench"
		f, err := b(context.Background(), &app.Runtime{
			Environ: env, Log: c.log, Now: c.clock.Now, Sleep: c.clock.Sleep, NewID: newID,
			Table:     func(string) table.Table { return slowTable{c.table, c.clock} },
			Queue:     func(string) app.Queue { return c.workers },
			Measured:  func(string) delivery.Measured { return drained{} },
			Scheduler: func(app.Schedules) app.Scheduler { return c },
			SES: func() *ses.Client {
				return ses.New(aws.Config{
					Region: "us-east-1", BaseEndpoint: aws.String("http://ses.invalid"), HTTPClient: &http.Client{Transport: inProcess{c}},
					Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
				}, c.clock.Now)
			},
			Parameter: func(context.Context, string) ([]byte, error) { return bytes.Clone(keys), nil },
		})
		if err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
		c.built[name] = f
	}
	return nil
}

// invoke invokes a function and bills it.
func (c *cloud) invoke(ctx context.Context, function string, payload []byte) {
	start := c.clock.Now()
	_, err := c.built[function].Invoke(ctx, payload)
	c.bill.invoked(function, c.clock.Now().Sub(start))
	if err != nil {
		c.fail(fmt.Errorf("%s: %w", function, err))
	}
}

func (c *cloud) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, err)
}

// publish gives SES's events to the bus, deliveries some time after their sends.
func (c *cloud) publish(ctx context.Context, all ...[]byte) error {
	var now, later [][]byte
	for _, e := range all {
		if bytes.Contains(e, []byte(`"detail-type":"Email Delivered"`)) {
			later = append(later, e)
		} else {
			now = append(now, e)
		}
	}
	c.bill.add(&c.bill.events, len(all))
	if len(later) > 0 {
		c.clock.At(c.clock.Now().Add(deliveryTime), func() {
			if err := c.bus.Publish(context.Background(), later...); err != nil {
				c.fail(err)
			}
		})
	}
	return c.bus.Publish(ctx, now...)
}

// inProcess carries SES's calls within this process, so that their latency is the caller's wait on the clock.
type inProcess struct{ c *cloud }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if r.Method == http.MethodPost { // GetAccount is answered at once: package ses asks it under a lock, which the clock does not see
		if err := t.c.clock.Sleep(r.Context(), sesTime); err != nil {
			return nil, err
		}
	}
	w := httptest.NewRecorder()
	t.c.ses.ServeHTTP(w, r)
	res := w.Result()
	if res.StatusCode == http.StatusTooManyRequests {
		t.c.mu.Lock()
		t.c.throttled = append(t.c.throttled, t.c.clock.Now())
		t.c.mu.Unlock()
	}
	return res, nil
}

// close ends the cloud.
func (c *cloud) close() error {
	c.ses.Close()
	all := c.failures
	for _, f := range c.closers {
		all = append(all, f())
	}
	return errors.Join(all...)
}
