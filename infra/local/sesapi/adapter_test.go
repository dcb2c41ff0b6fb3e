package sesapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"tidings/infra/local/sesapi"
	"tidings/internal/delivery"
	"tidings/internal/mail"
	"tidings/internal/ses"
)

// The suite of the adapter internal/ses: what the delivery's worker relies on, on the local SES. It runs with the SDK's default
// retries, which the adapter has to turn off.

var from = ses.From{Address: `"Juniper Clinic" <news@juniper.example>`, ReplyTo: "desk@juniper.example", ConfigurationSet: "tidings"}

func (l *lab) adapter() *ses.Bulk {
	cfg := l.awsConfig()
	cfg.Retryer = nil
	return &ses.Bulk{Client: ses.New(cfg, l.Now), From: from}
}

// batch is a bulk for n readers, signed now.
func (l *lab) batch(n int) delivery.Bulk {
	b := delivery.Bulk{
		SignedAt: l.Now(), Tags: map[string]string{"digest": "d1", "attempt": "1"},
		Content: delivery.Content{Subject: "December", HTML: "<p>{{greeting_html}}</p>", Text: "{{greeting}} {{unsubscribe_url}} {{lbrace}}"},
	}
	for i := range n {
		url := fmt.Sprintf("https://juniper.example/unsubscribe/u%d", i)
		b.Entries = append(b.Entries, delivery.Entry{
			To: fmt.Sprintf("reader%d@example.com", i), Data: mail.Substitutions(fmt.Sprintf("<N%d>", i), mail.Links{Unsubscribe: url, Preferences: url}),
			Headers: []delivery.Header{{Name: "List-Unsubscribe", Value: "<" + url + ">"}, {Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"}},
			Tags:    map[string]string{"slot": fmt.Sprint(i)},
		})
	}
	return b
}

func (l *lab) accepted() int {
	total, _ := l.Find(sesapi.Query{Limit: 0})
	return total
}

func TestAdapterSendsBulk(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	results, err := l.adapter().SendBulk(t.Context(), l.batch(50))
	if err != nil || len(results) != 50 {
		t.Fatal(len(results), err)
	}
	for i, r := range results {
		m, ok := l.Mail(r.MessageID)
		if r.Status != "SUCCESS" || !ok || m.To[0] != fmt.Sprintf("reader%d@example.com", i) {
			t.Fatalf("result %d: %+v", i, r)
		}
	}
	m, _ := l.Mail(results[7].MessageID)
	if m.Text() != "Hello <N7>, https://juniper.example/unsubscribe/u7 {{" || m.HTML() != "<p>Hello &lt;N7&gt;,</p>" {
		t.Errorf("text %q, html %q", m.Text(), m.HTML())
	}
	equal(t, "tags", m.Tags(), []sesapi.Tag{{Name: "attempt", Value: "1"}, {Name: "digest", Value: "d1"}, {Name: "slot", Value: "7"}})
	checkRaw(t, m)
	if e := l.events[0].Detail; e.EventType != "Send" || e.Mail.Tags["slot"][0] != "0" || e.Mail.Tags["ses:configuration-set"][0] != "tidings" {
		t.Errorf("event %+v", e)
	}
}

// Every refusal is certain, every lost answer is not, and no call is made twice.
func TestAdapterVerdicts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		verdict  delivery.Verdict
		code     string
		accepted int
	}{
		"throttled":        {`{"maxSendRate":2}`, delivery.Throttled, "TooManyRequestsException", 0},
		"throttled, older": {`{"faults":[{"kind":"error","code":"ThrottlingException"}]}`, delivery.Throttled, "ThrottlingException", 0},
		"quota":            {`{"faults":[{"kind":"error","code":"LimitExceededException"}]}`, delivery.Quota, "LimitExceededException", 0},
		"paused":           {`{"faults":[{"kind":"error","code":"SendingPausedException"}]}`, delivery.Halt, "SendingPausedException", 0},
		"suspended":        {`{"faults":[{"kind":"error","code":"AccountSuspendedException"}]}`, delivery.Halt, "AccountSuspendedException", 0},
		"MAIL FROM":        {`{"faults":[{"kind":"error","code":"MailFromDomainNotVerifiedException"}]}`, delivery.Halt, "MailFromDomainNotVerifiedException", 0},
		"not found":        {`{"faults":[{"kind":"error","code":"NotFoundException"}]}`, delivery.Halt, "NotFoundException", 0},
		"rejected":         {`{"faults":[{"kind":"error","code":"MessageRejected"}]}`, delivery.Refused, "MessageRejected", 0},
		"one is to blame":  {`{"faults":[{"kind":"error","code":"BadRequestException","to":"reader1@example.com"}]}`, delivery.Refused, "BadRequestException", 0},
		"500":              {`{"faults":[{"kind":"error"}]}`, delivery.Ambiguous, "UnexpectedAnswer", 0},
		"503":              {`{"faults":[{"kind":"error","code":"ServiceUnavailable"}]}`, delivery.Ambiguous, "UnexpectedAnswer", 0},
		"reset":            {`{"faults":[{"kind":"reset","count":1}]}`, delivery.Ambiguous, "NoAnswer", 0},
		"answer lost":      {`{"faults":[{"kind":"drop","count":1}]}`, delivery.Ambiguous, "NoAnswer", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.change(c.settings)
			_, err := l.adapter().SendBulk(t.Context(), l.batch(3))
			checkVerdict(t, err, c.verdict, c.code)
			if l.accepted() != c.accepted {
				t.Errorf("%d accepted, want %d", l.accepted(), c.accepted)
			}
			if err != nil && strings.Contains(err.Error(), "@") {
				t.Errorf("the error names somebody: %v", err)
			}
		})
	}
}

func checkVerdict(t *testing.T, err error, verdict delivery.Verdict, code string) {
	t.Helper()
	e, ok := errors.AsType[*delivery.SendError](err)
	if !ok || e.Verdict != verdict || e.Code != code {
		t.Errorf("error %v, want verdict %d, code %s", err, verdict, code)
	}
}

func TestAdapterPassesStatusesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"max24HourSend":3,"faults":[{"kind":"entry","indexes":[1],"status":"MESSAGE_REJECTED","count":1}]}`)
	results, err := l.adapter().SendBulk(t.Context(), l.batch(5))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, r.Status)
	}
	equal(t, "statuses", got, []string{"SUCCESS", "MESSAGE_REJECTED", "SUCCESS", "SUCCESS", "ACCOUNT_DAILY_QUOTA_EXCEEDED"})
}

// The fence: a call is signed at the time that the ledger knows, and takes no effect after five minutes.
func TestAdapterSignsAtTheTimeOfTheAttempt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		age  time.Duration
		sent bool
	}{{0, true}, {5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {-5*time.Minute - time.Second, false}, {72 * time.Hour, false}} {
		l := newLab(t)
		b := l.batch(1)
		b.SignedAt = l.Now().Add(-c.age)
		_, err := l.adapter().SendBulk(t.Context(), b)
		if c.sent {
			if err != nil || l.accepted() != 1 {
				t.Errorf("age %v: %v", c.age, err)
			}
			continue
		}
		checkVerdict(t, err, delivery.Throttled, "InvalidSignatureException")
		if l.accepted() != 0 {
			t.Errorf("age %v: accepted", c.age)
		}
	}
}

func TestAdapterGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	sleeping, wake, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	l := newLab(t, func(c *sesapi.Config) {
		c.Sleep = func(context.Context, time.Duration) error { close(sleeping); <-wake; return nil }
		c.Begin = func(ctx context.Context) (context.Context, func()) { return ctx, func() { close(done) } }
	})
	l.change(`{"faults":[{"kind":"slow","delay":"1m"}]}`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-sleeping; cancel() }()
	_, err := l.adapter().SendBulk(ctx, l.batch(2))
	checkVerdict(t, err, delivery.Ambiguous, "NoAnswer")
	close(wake)
	<-done
	if l.accepted() != 2 {
		t.Errorf("the effect that landed later: %d accepted", l.accepted())
	}
}

func TestAdapterKnowsThatNobodyListened(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	closed := httptest.NewServer(nil)
	l.url = closed.URL
	closed.Close()
	_, err := l.adapter().SendBulk(t.Context(), l.batch(1))
	checkVerdict(t, err, delivery.Throttled, "ConnectionRefused")
}

// An answer that is cut off says nothing, even with status 200.
func TestAdapterDistrustsHalfAnAnswer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var calls atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Length", "1000")
		w.Write([]byte(`{"BulkEmailEntryResults":[{"Status":"SUCCESS","MessageId":"m1"}`))
	}))
	defer srv.Close()
	l.url = srv.URL
	_, err := l.adapter().SendBulk(t.Context(), l.batch(1))
	checkVerdict(t, err, delivery.Ambiguous, "NoAnswer")
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestAdapterSendsSingleMails(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.adapter()
	letter := ses.Mail{
		From: from, To: "ana@example.com", Subject: "Bitte bestätigen", HTML: "<p>{{x}}</p>", Text: "{{x}}",
		Headers: []delivery.Header{{Name: "Auto-Submitted", Value: "auto-generated"}}, Tags: map[string]string{"kind": "confirm"},
	}
	id, err := a.Send(t.Context(), letter)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := l.Mail(id)
	if !ok || m.Subject() != "Bitte bestätigen" || m.Text() != "{{x}}" || m.To[0] != "ana@example.com" {
		t.Errorf("mail %+v", m)
	}
	checkRaw(t, m)
	l.change(`{"faults":[{"kind":"drop","op":"SendEmail","count":1},{"kind":"error","op":"SendEmail","code":"TooManyRequestsException","count":1}]}`)
	_, err = a.Send(t.Context(), letter)
	checkVerdict(t, err, delivery.Ambiguous, "NoAnswer")
	_, err = a.Send(t.Context(), letter)
	checkVerdict(t, err, delivery.Throttled, "TooManyRequestsException")
	if l.accepted() != 2 {
		t.Errorf("%d accepted", l.accepted())
	}
}

func TestAdapterReadsTheAccount(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"maxSendRate":14,"max24HourSend":1000}`)
	a := l.adapter()
	check := func(want delivery.Account) {
		t.Helper()
		if got, err := a.Account(t.Context()); err != nil || got != want {
			t.Errorf("account %+v %v, want %+v", got, err, want)
		}
	}
	first := delivery.Account{Rate: 14, Quota: 1000, Enabled: true, ReadTime: start}
	check(first)
	if _, err := a.SendBulk(t.Context(), l.batch(10)); err != nil {
		t.Fatal(err)
	}
	l.advance(59 * time.Second)
	check(first)
	l.advance(time.Second)
	check(delivery.Account{Rate: 14, Quota: 1000, Sent: 10, Enabled: true, ReadTime: start.Add(time.Minute)})
}

// BenchmarkBulk is one call for 50 readers of a digest of 40 kB, client and server together.
func BenchmarkBulk(b *testing.B) {
	l := newLab(b, func(c *sesapi.Config) { c.Publish = nil })
	l.change(`{"maxSendRate":1e9,"max24HourSend":-1}`)
	in := bulk(people(50)...)
	in.DefaultContent.Template.TemplateContent.Html = aws.String("<p>{{name}}</p>" + strings.Repeat("<p>lorem</p>\n", 3000))
	for b.Loop() {
		if _, err := l.client.SendBulkEmail(b.Context(), in, func(*sesv2.Options) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(50*float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
