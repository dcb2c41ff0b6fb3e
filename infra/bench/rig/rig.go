package rig

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tidings/infra/local/clock"
	"tidings/infra/local/doors"
	"tidings/infra/local/events"
	"tidings/infra/local/queue"
	"tidings/infra/local/sesapi"
	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/dynamo"
	"tidings/internal/table"
)

const region = "us-east-1"

// A Config says what is run. All of it is needed, but for Tap and Began.
type Config struct {
	DynamoDB   string            // URL
	Dir        string            // for the queues' file
	Binaries   map[string]string // path by function; see Build
	Sandboxes  map[string]int    // how many processes of each function there are at once
	Visibility time.Duration     // of the queues' messages: how soon one whose process died comes again
	Sweep      time.Duration     // how often the schedules of each minute fire
	Output     io.Writer         // what the processes log
	Log        *slog.Logger
	Tap        Tap
	Began      func(p *Process, payload []byte) // is told of each invocation
}

// A Rig is the world of some processes.
type Rig struct {
	Config
	Template  *template.Template
	Table     table.Table
	TableName string
	Keys      app.Keys
	SES       *sesapi.Server
	NewID     func() string

	client *http.Client
	doors  *doors.Server
	queues *queue.Service
	pools  map[string]*pool
	sweeps *sweeps
	counts counts

	useLock sync.Mutex
	use     map[string]Use

	life    context.Context
	end     context.CancelFunc
	closers []func() error
}

// Build compiles functions for this machine as `make build` does for Lambda, and returns where they are.
func Build(ctx context.Context, dir string, functions ...string) (map[string]string, error) {
	built := map[string]string{}
	for _, name := range functions {
		built[name] = filepath.Join(dir, name)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", built[name], "tidings/functions/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w: %s", name, err, out)
		}
	}
	return built, nil
}

// Open makes a world: a table of its own, queues, and an SES without limits of its own. Nothing runs before Start.
func Open(ctx context.Context, cfg Config) (_ *Rig, err error) {
	r := &Rig{Config: cfg, NewID: app.IDs(time.Now), pools: map[string]*pool{}, use: map[string]Use{}}
	r.life, r.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	r.client = &http.Client{Transport: dynamo.BufferedTransport{Base: transport}}
	path, err := template.Find(".")
	if err != nil {
		return nil, err
	}
	if r.Template, err = template.Read(path, parameters); err != nil {
		return nil, err
	}
	keys, err := app.NewKeys(rand.Reader)
	if err != nil {
		return nil, err
	}
	if r.Keys, err = app.ParseKeys(keys); err != nil {
		return nil, err
	}
	if err := r.openTable(ctx); err != nil {
		return nil, err
	}
	return r, r.openServices(ctx, keys)
}

// parameters are the template's here; example domains never leave this machine (RFC 2606).
var parameters = map[string]string{
	"BaseUrl": "https://news.example.org", "SiteName": "Example Clinic", "PostalAddress": "1 Example Way, Boulder, CO 80302",
	"BulkAddress": "digest@news.example.org", "TransactAddress": "hello@example.org", "OidcIssuer": "https://id.example.org", "OidcClientId": "none",
}

func (r *Rig) openTable(ctx context.Context) error {
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &r.DynamoDB, Region: region, HTTPClient: r.client,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("local", "local", "")),
	})
	r.TableName = "rig-" + r.NewID()
	if err := dynamo.Create(ctx, client, r.TableName); err != nil {
		return err
	}
	r.closers = append(r.closers, func() error {
		_, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &r.TableName})
		return err
	})
	r.Table = dynamo.New(client, r.TableName)
	return nil
}

// openServices makes queues, bus, SES and the doors to them. Time is the machine's: the processes have no other.
func (r *Rig) openServices(ctx context.Context, keys []byte) error {
	own, err := bolt.Open(filepath.Join(r.Dir, "queues.db"), bolt.NoSync())
	if err != nil {
		return err
	}
	r.closers = append(r.closers, own.Close)
	clk := clock.New(time.Now, 0)
	var specs []queue.Spec
	for _, q := range r.Template.Queues {
		specs = append(specs, queue.Spec{
			Name: q.Name, URL: q.URL, ARN: q.ARN, Visibility: r.Visibility, Retention: q.Retention, MaxReceives: q.MaxReceives, DeadLetter: q.DeadLetter,
		})
	}
	r.queues, err = queue.Open(ctx, queue.Config{Clock: clk, Table: own, Log: r.Log, NewID: r.NewID, Queues: specs})
	if err != nil {
		return err
	}
	rule := events.Rule{Name: "EventsRule", Paths: r.Template.Rule.Paths, Template: r.Template.Rule.Transform, Target: r.Template.Rule.Target}
	if err := json.Unmarshal(r.Template.Rule.Pattern, &rule.Pattern); err != nil {
		return fmt.Errorf("pattern of the rule for SES's events: %w", err)
	}
	bus, err := events.New(clk, []events.Rule{rule}, func(ref string) events.Queue { return r.queues.Queue(ref) })
	if err != nil {
		return err
	}
	r.SES = sesapi.New(sesapi.Config{
		Now: time.Now, Sleep: clk.Sleep, NewID: r.NewID, Log: r.Log, Publish: bus.Publish,
		ConfigurationSets: map[string][]string{r.Template.ConfigurationSet: r.Template.Published},
	})
	r.sweeps = &sweeps{rig: r, every: r.Sweep, all: map[string][]byte{}}
	urls := map[string]doors.Queue{}
	for url := range r.Template.Queues {
		urls[url] = r.queues.Queue(url)
	}
	r.doors = doors.New(doors.Config{
		NewID: r.NewID, Now: time.Now, Log: r.Log, Queues: urls,
		Parameters: map[string][]byte{r.Template.Functions["deliver"].Environ["KEYS_PARAMETER"]: keys},
		Schedules:  func(_, _, _ string) doors.Schedules { return r.sweeps },
	})
	return nil
}

// Start lets queues and schedules invoke the functions that have sandboxes.
func (r *Rig) Start() error {
	var sources []queue.Source
	for name, n := range r.Sandboxes {
		r.pools[name] = r.newPool(name, n)
		for _, src := range r.Template.Functions[name].Sources {
			sources = append(sources, queue.Source{
				Function: name, Queue: src.Queue, BatchSize: src.BatchSize, Window: src.Window, Concurrency: n, Partial: true,
			})
		}
	}
	go r.sweeps.run()
	return r.queues.Start(r.Invoke, sources)
}

// Close kills the processes and removes the world.
func (r *Rig) Close() error {
	r.end()
	if r.SES != nil {
		r.SES.Close()
	}
	var all []error
	if r.queues != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		all = append(all, r.queues.Stop(ctx))
	}
	for _, p := range r.pools {
		p.stop()
	}
	for i := len(r.closers) - 1; i >= 0; i-- {
		all = append(all, r.closers[i]())
	}
	return errors.Join(all...)
}
