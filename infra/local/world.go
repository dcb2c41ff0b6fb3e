package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tidings/infra/local/issuer"
	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/delivery"
	"tidings/internal/dynamo"
	"tidings/internal/ses"
	"tidings/internal/table"
)

// parameters are the template's on this machine.
func (s *Stack) parameters(given map[string]string) map[string]string {
	p := map[string]string{
		"BaseUrl": s.Site, "SiteName": siteName, "PostalAddress": postalAddress, "TimeZone": "America/Denver",
		"BulkAddress": "digest@news.cedarlane.example", "TransactAddress": "hello@cedarlane.example", "ReplyTo": "frontdesk@cedarlane.example",
		"OidcIssuer": s.Issuer, "OidcClientId": issuer.ClientID, "OidcGroupsClaim": issuer.GroupsClaim,
		"AllowedOrigins": s.Inbox, // where the demo page is
	}
	maps.Copy(p, given)
	return p
}

// The clinic of the local stack; example domains never leave this machine (RFC 2606).
const (
	siteName      = "Cedar Lane Clinic"
	postalAddress = "12 Cedar Lane, Boulder, CO 80302"
)

// environ is a function's environment: the template's, but for what differs in a world whose index never lags.
func environ(f template.Function) map[string]string {
	e := maps.Clone(f.Environ)
	if _, ok := e["INDEX_LAG"]; ok {
		e["INDEX_LAG"] = "0s" // bolt's indexes are written with the item, DynamoDB Local's too
	}
	return e
}

// runtime is the world around one function, as awsRuntime in internal/app is in Lambda.
func (s *Stack) runtime(f template.Function, keys []byte) *app.Runtime {
	env := environ(f)
	return &app.Runtime{
		Environ: env, Log: s.log.With("function", f.Name), Version: app.Version,
		Now: s.clock.Now, Sleep: s.clock.Sleep, NewID: s.newID,
		Table: func(string) table.Table { return s.table },
		Queue: func(url string) app.Queue { return s.queues.Queue(url) }, Measured: func(url string) delivery.Measured { return s.queues.Queue(url) },
		Scheduler: func(c app.Schedules) app.Scheduler {
			return s.schedules.Group(c.ScheduleGroup, s.functionOf(c.DispatchARN), c.ScheduleDLQARN)
		},
		SES: sync.OnceValue(func() *ses.Client { return ses.New(s.aws(s.SES), s.clock.Now) }),
		Parameter: func(_ context.Context, name string) ([]byte, error) {
			if name != env["KEYS_PARAMETER"] {
				return nil, fmt.Errorf("there is no parameter %s", name)
			}
			return bytes.Clone(keys), nil
		},
	}
}

// functionOf is the name of the function with an ARN; empty when there is none, which fails at the first invocation.
func (s *Stack) functionOf(arn string) string {
	for name, f := range s.template.Functions {
		if f.ARN == arn {
			return name
		}
	}
	return ""
}

// aws is the SDK's configuration for a service on loopback.
func (s *Stack) aws(endpoint string) aws.Config {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64 // the default of 2 would open a connection for nearly each of a digest's calls
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:  &http.Client{Transport: dynamo.BufferedTransport{Base: transport}},
	}
}

// openTable opens Tidings' table: in the folder, or on a DynamoDB. Both kept apart from those of other folders: people's IDs
// are made with the folder's keys.
func (s *Stack) openTable(ctx context.Context, endpoint string) error {
	if endpoint == "" {
		t, err := s.openBolt("table.db")
		s.table = t
		if err == nil {
			s.expiring = append(s.expiring, t)
		}
		return err
	}
	client := dynamodb.NewFromConfig(s.aws(strings.TrimRight(endpoint, "/")))
	name := s.data.get().Table
	if err := dynamo.Create(ctx, client, name); err != nil {
		return fmt.Errorf("-dynamodb %s: %w", endpoint, err)
	}
	s.table = dynamo.New(client, name)
	if s.data.temporary {
		s.closers = append(s.closers, func(ctx context.Context) error {
			_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
			return err
		})
	}
	return nil
}

// openBolt opens a file of the folder, which only one stack can use at a time.
func (s *Stack) openBolt(name string) (*bolt.Store, error) {
	var options []bolt.Option
	if s.data.temporary {
		options = append(options, bolt.NoSync())
	}
	t, err := bolt.Open(s.data.file(name), options...)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w (is another stack using it?)", s.data.path, err)
	}
	s.closers = append(s.closers, func(context.Context) error { return t.Close() })
	return t, nil
}

// routeKeys lists the functions by the keys of their routes.
func (s *Stack) routeKeys() []struct{ key, function string } {
	var all []struct{ key, function string }
	for _, name := range slices.Sorted(maps.Keys(s.template.Functions)) {
		for _, r := range s.template.Functions[name].Routes {
			all = append(all, struct{ key, function string }{r.Method + " " + r.Path, name})
		}
	}
	return all
}
