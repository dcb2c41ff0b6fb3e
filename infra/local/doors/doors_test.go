package doors_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsscheduler "github.com/aws/aws-sdk-go-v2/service/scheduler"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"tidings/infra/local/clock"
	"tidings/infra/local/doors"
	"tidings/infra/local/queue"
	"tidings/infra/local/scheduler"
	"tidings/internal/bolt"
	eventbridge "tidings/internal/scheduler"
	"tidings/internal/sqs"
)

const (
	mailURL = "https://sqs.us-east-1.amazonaws.com/000000000000/tidings-MailQueue"
	target  = "arn:aws:lambda:us-east-1:000000000000:function:tidings-dispatch"
	keys    = `{"id":"ünïcode \" and all"}`
)

// A world is the doors of real queues and schedules, and the SDK's clients outside.
type world struct {
	*testing.T
	clock     *clock.Clock
	queues    *queue.Service
	schedules *scheduler.Service
	config    aws.Config
	log       bytes.Buffer

	mu    sync.Mutex
	fired []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := bolt.Open(t.TempDir()+"/stack.db", bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, clock: clock.New(time.Now, 0)}
	log := slog.New(slog.NewJSONHandler(&w.log, nil))
	w.queues, err = queue.Open(t.Context(), queue.Config{
		Clock: w.clock, Table: store, Log: log, NewID: rand.Text, Queues: []queue.Spec{{Name: "MailQueue", URL: mailURL}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.schedules, err = scheduler.Open(t.Context(), scheduler.Config{
		Clock: w.clock, Table: store, Log: log, NewID: rand.Text,
		DeadLetters: func(ref string) scheduler.Queue { return w.queues.Queue(ref) },
	})
	if err == nil {
		err = w.schedules.Start(t.Context(), w.fire, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(doors.New(doors.Config{
		NewID: rand.Text, Now: w.clock.Now, Log: log,
		Queues:     map[string]doors.Queue{mailURL: w.queues.Queue(mailURL)},
		Parameters: map[string][]byte{"/tidings/keys": []byte(keys)},
		Schedules: func(group, arn, dlq string) doors.Schedules {
			if arn != target && arn != "" {
				return nil
			}
			return w.schedules.Group(group, "dispatch", dlq)
		},
	}))
	t.Cleanup(func() {
		server.Close()
		w.schedules.Stop(context.Background())
		store.Close()
	})
	w.config = aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	return w
}

func (w *world) fire(_ context.Context, function string, payload []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fired = append(w.fired, function+" "+string(payload))
	return nil, nil
}

// wantFired moves the clock on and checks what has fired since the last time.
func (w *world) wantFired(advance time.Duration, want ...string) {
	w.Helper()
	if busy, err := w.clock.Advance(w.Context(), advance); err != nil || busy > 0 {
		w.Fatalf("advance: %d busy, %v", busy, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.fired, ", "); got != strings.Join(want, ", ") {
		w.Errorf("fired %q, want %q", got, want)
	}
	w.fired = nil
}

func TestQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mail := &sqs.Queue{Client: awssqs.NewFromConfig(w.config), URL: mailURL} // its SDK checks the digest of what was taken
	body := "{\"kind\":\"signup\",\"text\":\"a\tü\u2028<&>\U0001F33F\"}"
	for _, delay := range []time.Duration{0, time.Minute} {
		if err := mail.Send(t.Context(), []byte(body), delay); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.queues.Queue(mailURL).Stats(); got.Visible != 1 || got.Delayed != 1 {
		t.Errorf("the queue holds %+v", got)
	}
	if got := w.queues.Queue(mailURL).Letters(1); len(got) != 1 || string(got[0].Body) != body {
		t.Errorf("the message became %+v", got)
	}
	if d, err := mail.Depth(t.Context()); err != nil || d.Messages != 2 || d.Visibility != w.queues.Queue(mailURL).Visibility {
		t.Errorf("depth %+v, %v", d, err)
	}
	mail.URL += "-other"
	if _, err := mail.Depth(t.Context()); err == nil {
		t.Error("a queue that does not exist has a depth")
	}
	if err := mail.Send(t.Context(), []byte(body), 0); err == nil {
		t.Error("a queue that does not exist took a message")
	} else if _, ok := errors.AsType[*sqstypes.QueueDoesNotExist](err); !ok {
		t.Errorf("a queue that does not exist: %v", err)
	}
}

func TestParameter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := ssm.NewFromConfig(w.config)
	out, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/tidings/keys"), WithDecryption: aws.Bool(true)})
	if err != nil || aws.ToString(out.Parameter.Value) != keys || out.Parameter.Type != ssmtypes.ParameterTypeSecureString {
		t.Errorf("got %+v, %v", out, err)
	}
	_, err = client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/tidings/other"), WithDecryption: aws.Bool(true)})
	if _, ok := errors.AsType[*ssmtypes.ParameterNotFound](err); !ok {
		t.Errorf("a parameter that does not exist: %v", err)
	}
	_, err = client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/tidings/keys")})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "ValidationException" || strings.Contains(err.Error(), "keys") {
		t.Errorf("without decryption: %v", err)
	}
}

func (w *world) adapter(group string) *eventbridge.Schedules {
	return &eventbridge.Schedules{
		Client: awsscheduler.NewFromConfig(w.config), Group: group, RoleARN: "arn:aws:iam::000000000000:role/ScheduleRole",
		TargetARN: target, DLQARN: "arn:aws:sqs:us-east-1:000000000000:MailQueue", Now: w.clock.Now,
	}
}

// TestSchedules drives the schedules through the adapter, by the clock: set, moved, repeated, deleted.
func TestSchedules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, other := w.adapter("tidings"), w.adapter("other")
	set := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set(s.Once(t.Context(), "digest-1", w.clock.Now().Add(time.Hour), []byte(`{"v":1}`)))
	set(other.Once(t.Context(), "digest-1", w.clock.Now().Add(95*time.Minute), []byte(`{"v":"other"}`)))
	w.wantFired(30 * time.Minute)
	set(s.Once(t.Context(), "digest-1", w.clock.Now().Add(time.Hour), []byte(`{"v":2}`))) // moved: Create conflicts, Update moves
	w.wantFired(59 * time.Minute)
	w.wantFired(2*time.Minute, `dispatch {"v":2}`)
	w.wantFired(5*time.Minute, `dispatch {"v":"other"}`)
	set(s.Once(t.Context(), "digest-1", w.clock.Now().Add(-time.Hour), []byte(`{"v":3}`))) // past: as soon as can be
	w.wantFired(20*time.Second, `dispatch {"v":3}`)
	set(s.EveryMinute(t.Context(), "sweep-1", []byte(`{"k":"sweep"}`)))
	set(s.EveryMinute(t.Context(), "sweep-1", []byte(`{"k":"sweep"}`)))
	w.wantFired(2*time.Minute+time.Second, `dispatch {"k":"sweep"}`, `dispatch {"k":"sweep"}`)
	for range 2 {
		set(s.Delete(t.Context(), "sweep-1"))
	}
	w.wantFired(5 * time.Minute)
}

// TestRefusals sends what AWS refuses, and what the stack can't do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const (
		good    = `{"GroupName":"g","State":"ENABLED","ActionAfterCompletion":"DELETE","ScheduleExpression":"at(2030-01-01T09:00:00)","FlexibleTimeWindow":{"Mode":"OFF"},"Target":{"Arn":"` + target + `","RoleArn":"r","Input":"{}"}}`
		message = `{"QueueUrl":"` + mailURL + `","MessageBody":"x"}`
	)
	change := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	for name, c := range map[string]struct{ method, path, service, op, body, want string }{
		"unsigned":            {"POST", "/", "", "AmazonSQS.SendMessage", message, "403 SignatureDoesNotMatch"},
		"another service":     {"POST", "/", "ssm", "AmazonSQS.SendMessage", message, "403 SignatureDoesNotMatch"},
		"another operation":   {"POST", "/", "sqs", "AmazonSQS.ReceiveMessage", message, "404 UnknownOperationException"},
		"another path":        {"POST", "/tags/x", "scheduler", "", "{}", "404 UnknownOperationException"},
		"get":                 {"GET", "/schedules/a", "scheduler", "", "", "404 UnknownOperationException"},
		"another attribute":   {"POST", "/", "sqs", "AmazonSQS.GetQueueAttributes", `{"QueueUrl":"` + mailURL + `","AttributeNames":["Policy"]}`, "400 InvalidAttributeName"},
		"no JSON":             {"POST", "/", "sqs", "AmazonSQS.SendMessage", "{", "400 ValidationException"},
		"two documents":       {"POST", "/", "sqs", "AmazonSQS.SendMessage", message + message, "400 ValidationException"},
		"attributes":          {"POST", "/", "sqs", "AmazonSQS.SendMessage", `{"MessageAttributes":{}}`, "400 ValidationException"},
		"empty message":       {"POST", "/", "sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"` + mailURL + `"}`, "400 com.amazonaws.sqs#InvalidMessageContents"},
		"control characters":  {"POST", "/", "sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"` + mailURL + `","MessageBody":"\u0001"}`, "500 InternalServerException"},
		"long message":        {"POST", "/", "sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"` + mailURL + `","MessageBody":"` + strings.Repeat("x", 1<<20+1) + `"}`, "400 com.amazonaws.sqs#InvalidMessageContents"},
		"huge":                {"POST", "/", "sqs", "AmazonSQS.SendMessage", strings.Repeat(" ", 8<<20+1), "413 RequestEntityTooLarge"},
		"long delay":          {"POST", "/", "sqs", "AmazonSQS.SendMessage", strings.Replace(message, "{", `{"DelaySeconds":901,`, 1), "400 InvalidParameterValue"},
		"made":                {"POST", "/schedules/made", "scheduler", "", good, "200 "},
		"update of none":      {"PUT", "/schedules/none", "scheduler", "", good, "404 ResourceNotFoundException"},
		"delete of none":      {"DELETE", "/schedules/none?groupName=g", "scheduler", "", "", "404 ResourceNotFoundException"},
		"name":                {"POST", "/schedules/a%20b", "scheduler", "", good, "400 ValidationException"},
		"name of a delete":    {"DELETE", "/schedules/a%20b?groupName=g", "scheduler", "", "", "400 ValidationException"},
		"group":               {"POST", "/schedules/a", "scheduler", "", change(`"g"`, `""`), "400 ValidationException"},
		"target":              {"POST", "/schedules/a", "scheduler", "", change(target, "arn:x"), "400 ValidationException"},
		"window":              {"POST", "/schedules/a", "scheduler", "", change(`"OFF"`, `"FLEXIBLE"`), "400 ValidationException"},
		"disabled":            {"POST", "/schedules/a", "scheduler", "", change("ENABLED", "DISABLED"), "400 ValidationException"},
		"kept":                {"POST", "/schedules/a", "scheduler", "", change("DELETE", "NONE"), "400 ValidationException"},
		"another rate":        {"POST", "/schedules/a", "scheduler", "", change("at(2030-01-01T09:00:00)", "rate(2 minutes)"), "400 ValidationException"},
		"no such day":         {"POST", "/schedules/a", "scheduler", "", change("2030-01-01", "2030-02-30"), "400 ValidationException"},
		"no input":            {"POST", "/schedules/a", "scheduler", "", change(`"{}"`, `""`), "400 ValidationException"},
		"end date":            {"POST", "/schedules/a", "scheduler", "", change(`"State"`, `"EndDate":1,"State"`), "400 ValidationException"},
		"rate that goes away": {"POST", "/schedules/a", "scheduler", "", change("at(2030-01-01T09:00:00)", "rate(1 minute)"), "400 ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), c.method, *w.config.BaseEndpoint+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Amz-Target", c.op)
			if c.service != "" {
				req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20261124/us-east-1/"+c.service+"/aws4_request, SignedHeaders=host, Signature=0")
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if got := res.Status[:4] + res.Header.Get("X-Amzn-Errortype"); got != c.want || err != nil {
				t.Errorf("%s %s, %v; want %s", got, body, err, c.want)
			}
		})
	}
}
