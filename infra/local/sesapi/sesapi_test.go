package sesapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"tidings/infra/local/sesapi"
)

var start = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// lab is a local SES on a clock that only moves when told, with a real SDK client in front of it.
type lab struct {
	*sesapi.Server
	t      testing.TB
	url    string
	client *sesv2.Client

	mu     sync.Mutex
	now    time.Time
	events []event
}

// event is what a test reads of an EventBridge envelope.
type event struct {
	DetailType string `json:"detail-type"`
	Source     string
	Time       time.Time
	Detail     struct {
		EventType string
		Mail      struct {
			MessageID   string
			Timestamp   string
			Source      string
			Destination []string
			Tags        map[string][]string
		}
		Bounce struct {
			BounceType, BounceSubType string
			BouncedRecipients         []struct{ EmailAddress, Status string }
		}
		Complaint struct{ ComplaintFeedbackType string }
		Failure   struct{ ErrorMessage string }
	}
}

func newLab(t testing.TB, change ...func(*sesapi.Config)) *lab {
	t.Helper()
	l := &lab{t: t, now: start}
	var ids atomic.Int64
	cfg := sesapi.Config{
		Now: l.Now, Sleep: l.sleep, Publish: l.publish, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		NewID: func() string { return fmt.Sprintf("id%06d", ids.Add(1)) },
	}
	for _, f := range change {
		f(&cfg)
	}
	l.Server = sesapi.New(cfg)
	t.Cleanup(l.Server.Close)
	srv := httptest.NewServer(l.Server)
	t.Cleanup(srv.Close)
	l.url = srv.URL
	l.client = sesv2.NewFromConfig(l.awsConfig(), func(o *sesv2.Options) {
		o.HTTPSignerV4 = &signer{v4.NewSigner(), l.Now}
	})
	return l
}

// awsConfig is what the SDK's default configuration is with AWS_ENDPOINT_URL set.
func (l *lab) awsConfig() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &l.url, Credentials: credentials.NewStaticCredentialsProvider("AKIDLOCAL", "secret", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// signer signs at the lab's time.
type signer struct {
	*v4.Signer
	now func() time.Time
}

func (s *signer) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time, opts ...func(*v4.SignerOptions)) error {
	return s.Signer.SignHTTP(ctx, c, r, hash, service, region, s.now(), opts...)
}

func (l *lab) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *lab) advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

func (l *lab) sleep(ctx context.Context, d time.Duration) error {
	l.advance(d)
	return ctx.Err()
}

func (l *lab) publish(_ context.Context, list ...[]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range list {
		var e event
		if err := json.Unmarshal(b, &e); err != nil {
			l.t.Errorf("event %s: %v", b, err)
		}
		l.events = append(l.events, e)
	}
	return nil
}

// published returns the types of the events so far, and forgets them.
func (l *lab) published() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.events {
		out = append(out, e.Detail.EventType)
	}
	l.events = nil
	return out
}

func (l *lab) change(settings string) {
	l.t.Helper()
	if _, err := l.Change([]byte(settings)); err != nil {
		l.t.Fatal(err)
	}
}

// simple is a valid SendEmail to the recipients.
func simple(to ...string) *sesv2.SendEmailInput {
	return &sesv2.SendEmailInput{
		FromEmailAddress:     aws.String(`"Juniper Clinic" <hello@juniper.example>`),
		ConfigurationSetName: aws.String("tidings"),
		Destination:          &types.Destination{ToAddresses: to},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: &types.Content{Data: aws.String("Please confirm")},
			Body:    &types.Body{Text: &types.Content{Data: aws.String("Plain {{words}}.\n")}, Html: &types.Content{Data: aws.String("<p>Plain {{words}}.</p>")}},
		}},
	}
}

// bulk is a valid SendBulkEmail to the recipients, whose template uses {{name}} and {{link}}.
func bulk(to ...string) *sesv2.SendBulkEmailInput {
	in := &sesv2.SendBulkEmailInput{
		FromEmailAddress:     aws.String("news@juniper.example"),
		ConfigurationSetName: aws.String("tidings"),
		DefaultEmailTags:     []types.MessageTag{{Name: aws.String("digest"), Value: aws.String("d1")}},
		DefaultContent: &types.BulkEmailContent{Template: &types.Template{
			TemplateData: aws.String(`{"name":"reader","link":"https://juniper.example/u/0"}`),
			Headers:      []types.MessageHeader{{Name: aws.String("X-Digest"), Value: aws.String("one")}, {Name: aws.String("List-Id"), Value: aws.String("default")}},
			TemplateContent: &types.EmailTemplateContent{
				Subject: aws.String("December for {{name}}"), Text: aws.String("Hello {{name}}, leave: {{ link }}\n"), Html: aws.String(`<p>Hello {{name}}</p><a href="{{link}}">leave</a>`),
			},
		}},
	}
	for i, a := range to {
		data, _ := json.Marshal(map[string]string{"name": fmt.Sprintf("N%d", i), "link": fmt.Sprintf("https://juniper.example/u/%d", i)})
		in.BulkEmailEntries = append(in.BulkEmailEntries, types.BulkEmailEntry{
			Destination:             &types.Destination{ToAddresses: []string{a}},
			ReplacementTags:         []types.MessageTag{{Name: aws.String("slot"), Value: aws.String(fmt.Sprint(i))}},
			ReplacementHeaders:      []types.MessageHeader{{Name: aws.String("List-Unsubscribe"), Value: aws.String(fmt.Sprintf("<https://juniper.example/u/%d>", i))}, {Name: aws.String("list-id"), Value: aws.String("own")}},
			ReplacementEmailContent: &types.ReplacementEmailContent{ReplacementTemplate: &types.ReplacementTemplate{ReplacementTemplateData: aws.String(string(data))}},
		})
	}
	return in
}

// people returns n addresses.
func people(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("reader%d@example.com", i)
	}
	return out
}

// send sends bulk mail and returns the distinct statuses with their numbers, or the error's code.
func (l *lab) send(in *sesv2.SendBulkEmailInput) string {
	out, err := l.client.SendBulkEmail(l.t.Context(), in)
	if err != nil {
		return code(err)
	}
	n, order := map[string]int{}, []string{}
	for _, r := range out.BulkEmailEntryResults {
		s := string(r.Status)
		if n[s]++; n[s] == 1 {
			order = append(order, s)
		}
		if (s == "SUCCESS") != (r.MessageId != nil) || (s == "SUCCESS") != (r.Error == nil) {
			l.t.Errorf("result %s has ID %v, error %v", s, r.MessageId, r.Error)
		}
	}
	for i, s := range order {
		order[i] = fmt.Sprintf("%s %d", s, n[s])
	}
	return strings.Join(order, ", ")
}

// code returns the code of SES's error, or "no answer".
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if err != nil {
		return "no answer"
	}
	return "ok"
}

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// heap returns the bytes in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // package unique frees a cycle later
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func slogTo(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }
