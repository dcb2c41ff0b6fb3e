package sesapi_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"tidings/infra/local/sesapi"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault string
		want  []string // answers of three calls for three people
		mails int      // accepted by them
	}{
		"none":            {``, []string{"SUCCESS 3", "SUCCESS 3", "SUCCESS 3"}, 9},
		"error once":      {`{"kind":"error","count":1}`, []string{"InternalServiceErrorException", "SUCCESS 3", "SUCCESS 3"}, 6},
		"error, coded":    {`{"kind":"error","code":"SendingPausedException"}`, slices.Repeat([]string{"SendingPausedException"}, 3), 0},
		"other operation": {`{"kind":"error","op":"SendEmail"}`, slices.Repeat([]string{"SUCCESS 3"}, 3), 9},
		"this operation":  {`{"kind":"error","op":"SendBulkEmail","code":"TooManyRequestsException","count":2}`, []string{"TooManyRequestsException", "TooManyRequestsException", "SUCCESS 3"}, 3},
		"reset":           {`{"kind":"reset","count":1}`, []string{"no answer", "SUCCESS 3", "SUCCESS 3"}, 6},
		"drop, second":    {`{"kind":"drop","after":1,"count":1}`, []string{"SUCCESS 3", "no answer", "SUCCESS 3"}, 9},
		"late":            {`{"kind":"late","delay":"1m","count":1}`, slices.Repeat([]string{"SUCCESS 3"}, 3), 9},
		"entry":           {`{"kind":"entry","indexes":[1],"status":"MESSAGE_REJECTED","count":1}`, []string{"SUCCESS 2, MESSAGE_REJECTED 1", "SUCCESS 3", "SUCCESS 3"}, 8},
		"entry, accepted": {`{"kind":"entry","indexes":[0,2],"accept":true,"count":1}`, []string{"FAILED 2, SUCCESS 1", "SUCCESS 3", "SUCCESS 3"}, 9},
		"all entries":     {`{"kind":"entry","status":"TRANSIENT_FAILURE"}`, slices.Repeat([]string{"TRANSIENT_FAILURE 3"}, 3), 0},
		"one recipient":   {`{"kind":"error","code":"BadRequestException","to":"READER2@example.com"}`, slices.Repeat([]string{"BadRequestException"}, 3), 0},
		"nobody here":     {`{"kind":"error","to":"eve@example.com"}`, slices.Repeat([]string{"SUCCESS 3"}, 3), 9},
		"no events":       {`{"kind":"no-events","count":3}`, slices.Repeat([]string{"SUCCESS 3"}, 3), 9},
		"two faults":      {`{"kind":"reset","count":1},{"kind":"drop","count":1}`, []string{"no answer", "no answer", "SUCCESS 3"}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.change(`{"faults":[` + c.fault + `]}`)
			var got []string
			for range 3 {
				got = append(got, l.send(bulk(people(3)...)))
			}
			equal(t, "answers", got, c.want)
			if total, _ := l.Find(sesapi.Query{Limit: -1}); total != c.mails {
				t.Errorf("%d mails, want %d", total, c.mails)
			}
			if n := len(l.published()); (n == 2*c.mails) == (name == "no events") {
				t.Errorf("%d events of %d mails", n, c.mails)
			}
		})
	}
}

func TestAccountCanFailToo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"faults":[{"kind":"error","op":"GetAccount","code":"ServiceUnavailable","count":1}]}`)
	for _, want := range []string{"ServiceUnavailable", "ok"} {
		if _, err := l.client.GetAccount(t.Context(), &sesv2.GetAccountInput{}); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A call whose client gave up still takes effect, unless its signature expired on the way.
func TestSlowCallsTakeEffectWithoutTheirClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wait  time.Duration
		mails int
	}{{4 * time.Minute, 1}, {6 * time.Minute, 0}} {
		sleeping, wake, done := make(chan time.Duration), make(chan struct{}), make(chan struct{})
		l := newLab(t, func(cfg *sesapi.Config) {
			cfg.Sleep = func(ctx context.Context, d time.Duration) error {
				sleeping <- d
				<-wake
				return ctx.Err() // the client's going is nothing to the call
			}
			cfg.Begin = func(ctx context.Context) (context.Context, func()) { return ctx, func() { close(done) } }
		})
		l.change(`{"latency":"1s","faults":[{"kind":"slow","delay":"30s","count":1}]}`)
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error)
		go func() {
			_, err := l.client.SendBulkEmail(ctx, bulk("ana@example.com"))
			answer <- err
		}()
		if d := <-sleeping; d != 31*time.Second {
			t.Errorf("slept %v", d)
		}
		cancel()
		if err := <-answer; err == nil {
			t.Error("an answer without waiting")
		}
		l.advance(c.wait)
		close(wake)
		<-done
		if total, _ := l.Find(sesapi.Query{Limit: -1}); total != c.mails {
			t.Errorf("after %v: %d mails, want %d", c.wait, total, c.mails)
		}
	}
}

func TestCloseEndsSleepingCalls(t *testing.T) {
	t.Parallel()
	sleeping := make(chan struct{})
	l := newLab(t, func(cfg *sesapi.Config) {
		cfg.Sleep = func(ctx context.Context, _ time.Duration) error { close(sleeping); <-ctx.Done(); return ctx.Err() }
	})
	l.change(`{"latency":"10s"}`)
	answer := make(chan string)
	go func() { answer <- l.send(bulk("ana@example.com")) }()
	<-sleeping
	l.Close()
	if got := <-answer; got != "no answer" {
		t.Error(got)
	}
	if total, _ := l.Find(sesapi.Query{Limit: -1}); total != 0 {
		t.Error("a call that was ended was accepted")
	}
}

func TestSignaturesAreNeededAndExpire(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const form = "AWS4-HMAC-SHA256 Credential=AKID/20261201/us-east-1/ses/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="
	good := form + strings.Repeat("0f", 32)
	for name, c := range map[string]struct{ auth, date, want string }{
		"signed":            {good, "20261201T090000Z", ""},
		"not signed":        {"", "20261201T090000Z", "MissingAuthenticationTokenException"},
		"bearer":            {"Bearer x", "20261201T090000Z", "IncompleteSignatureException"},
		"short signature":   {form + "0f", "20261201T090000Z", "IncompleteSignatureException"},
		"no date":           {good, "", "IncompleteSignatureException"},
		"other form":        {good, "2026-12-01T09:00:00Z", "IncompleteSignatureException"},
		"other service":     {strings.Replace(good, "/ses/", "/s3/", 1), "20261201T090000Z", "SignatureDoesNotMatch"},
		"other day":         {strings.Replace(good, "20261201", "20261130", 1), "20261201T090000Z", "SignatureDoesNotMatch"},
		"host not signed":   {strings.Replace(good, "host;", "", 1), "20261201T090000Z", "SignatureDoesNotMatch"},
		"5 minutes old":     {good, "20261201T085500Z", ""},
		"a second older":    {good, "20261201T085459Z", "InvalidSignatureException"},
		"5 minutes ahead":   {good, "20261201T090500Z", ""},
		"a second more":     {good, "20261201T090501Z", "InvalidSignatureException"},
		"long ago, its day": {strings.Replace(good, "20261201", "20200101", 1), "20200101T000000Z", "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := l.ask(t, "GET", "/v2/email/account", c.auth, c.date, "")
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// ask makes a call by hand and returns SES's error type and the status.
func (l *lab) ask(t *testing.T, method, path, auth, date, body string) (kind string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", auth)
	req.Header.Set("X-Amz-Date", date)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	if kind = resp.Header.Get("x-amzn-ErrorType"); (kind != "") != strings.HasPrefix(string(answer), `{"message":"`) || resp.Header.Get("x-amzn-RequestId") == "" {
		t.Errorf("%s %s: %v %s", method, path, resp.Header, answer)
	}
	return kind, resp.StatusCode
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	auth := "AWS4-HMAC-SHA256 Credential=AKID/20261201/us-east-1/ses/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0", 64)
	for _, c := range []struct {
		method, path, body, want string
		status                   int
	}{
		{"GET", "/", "", "UnknownOperationException", 404},
		{"GET", "/v2/email/outbound-emails", "", "UnknownOperationException", 404},
		{"POST", "/v2/email/templates", "{}", "UnknownOperationException", 404},
		{"POST", "/v2/email/outbound-emails", "{", "SerializationException", 400},
		{"POST", "/v2/email/outbound-emails", `{"Content":1}`, "SerializationException", 400},
		{"POST", "/v2/email/outbound-bulk-emails", `[]`, "SerializationException", 400},
		{"POST", "/v2/email/outbound-bulk-emails", `null`, "BadRequestException", 400},
		{"POST", "/v2/email/outbound-emails", "{}", "BadRequestException", 400},
		{"POST", "/v2/email/outbound-emails", `{"FromEmailAddress":"a@b.example","New":1,"Content":{"Raw":{"Data":"!"}}}`, "SerializationException", 400},
	} {
		if kind, status := l.ask(t, c.method, c.path, auth, "20261201T090000Z", c.body); kind != c.want || status != c.status {
			t.Errorf("%s %s %s: %s %d, want %s", c.method, c.path, c.body, kind, status, c.want)
		}
	}
}
