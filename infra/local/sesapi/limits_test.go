package sesapi_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"tidings/internal/fault"
)

func TestRateCountsRecipients(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"maxSendRate":50}`)
	for _, c := range []struct {
		wait time.Duration
		n    int
		want string
	}{
		{0, 50, "SUCCESS 50"}, // one second's worth at once
		{0, 1, "TooManyRequestsException"},
		{500 * time.Millisecond, 26, "TooManyRequestsException"}, // refused whole, and nothing is used
		{0, 25, "SUCCESS 25"},
		{time.Hour, 50, "SUCCESS 50"}, // no more than one second is saved up
		{0, 1, "TooManyRequestsException"},
		{20 * time.Millisecond, 1, "SUCCESS 1"},
	} {
		l.advance(c.wait)
		if got := l.send(bulk(people(c.n)...)); got != c.want {
			t.Errorf("%d after %v: got %s, want %s", c.n, c.wait, got, c.want)
		}
	}
	l.change(`{"maxSendRate":10}`)
	l.advance(time.Minute)
	if got := l.send(bulk(people(11)...)); got != "TooManyRequestsException" {
		t.Errorf("more than a second's worth: %s", got)
	}
	for i := range 12 {
		_, err := l.client.SendEmail(t.Context(), simple("ana@example.com"))
		if want := map[bool]string{true: "ok", false: "TooManyRequestsException"}[i < 10]; code(err) != want {
			t.Errorf("mail %d: %v", i, err)
		}
		if err != nil && !strings.Contains(err.Error(), "Maximum sending rate exceeded.") {
			t.Errorf("message %v", err)
		}
	}
}

// Whoever sends at exactly the rate is never refused, whatever the rounding.
func TestExactPaceIsNotThrottled(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{1, 7, 14, 33.3, 200} {
		l := newLab(t)
		l.change(fmt.Sprintf(`{"maxSendRate":%v}`, rate))
		n := max(1, int(rate))
		for i := range 40 {
			if got := l.send(bulk(people(min(n, 50))...)); !strings.HasPrefix(got, "SUCCESS") {
				t.Fatalf("rate %v, call %d: %s", rate, i, got)
			}
			l.advance(time.Duration(float64(min(n, 50))/rate*1e9) + 1)
		}
	}
}

func TestDailyQuotaRolls(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"max24HourSend":60}`)
	check := func(what string, n int, want string) {
		t.Helper()
		if got := l.send(bulk(people(n)...)); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	check("first", 40, "SUCCESS 40")
	l.advance(12 * time.Hour)
	check("ends in between", 30, "SUCCESS 20, ACCOUNT_DAILY_QUOTA_EXCEEDED 10")
	check("used up", 3, "ACCOUNT_DAILY_QUOTA_EXCEEDED 3")
	_, err := l.client.SendEmail(t.Context(), simple("ana@example.com"))
	if code(err) != "LimitExceededException" || !strings.Contains(err.Error(), "Daily message quota exceeded") {
		t.Errorf("single mail: %v", err)
	}
	l.advance(12*time.Hour - time.Second)
	check("a second early", 1, "ACCOUNT_DAILY_QUOTA_EXCEEDED 1")
	l.advance(time.Second)
	check("the first day is over", 41, "SUCCESS 40, ACCOUNT_DAILY_QUOTA_EXCEEDED 1")
	account, err := l.client.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	if err != nil || account.SendQuota.SentLast24Hours != 60 || account.SendQuota.Max24HourSend != 60 || account.SendQuota.MaxSendRate != 200 ||
		!account.ProductionAccessEnabled || !account.SendingEnabled {
		t.Errorf("account %+v %+v %v", account, account.SendQuota, err)
	}
	l.change(`{"max24HourSend":-1}`)
	l.advance(time.Second)
	check("unlimited", 50, "SUCCESS 50")
	l.change(`{"max24HourSend":0}`)
	check("none", 1, "ACCOUNT_DAILY_QUOTA_EXCEEDED 1")
}

func TestBulkCallsAreLimited(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"bulkCallsPerSecond":2}`)
	var got []string
	for range 3 {
		got = append(got, l.send(bulk("ana@example.com")))
	}
	l.advance(500 * time.Millisecond)
	got = append(got, l.send(bulk("ana@example.com")))
	equal(t, "calls", got, []string{"SUCCESS 1", "SUCCESS 1", "TooManyRequestsException", "SUCCESS 1"})
	for range 5 { // single mails are not bulk calls
		if _, err := l.client.SendEmail(t.Context(), simple("ana@example.com")); err != nil {
			t.Error(err)
		}
	}
}

// However many send at the same time, no recipient more than the quota is accepted.
func TestQuotaHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"maxSendRate":1e6,"max24HourSend":333}`)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				out, err := l.client.SendBulkEmail(t.Context(), bulk(people(10)...))
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range out.BulkEmailEntryResults {
					if r.Status == "SUCCESS" {
						accepted.Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	if accepted.Load() != 333 {
		t.Errorf("accepted %d", accepted.Load())
	}
}

func TestSettingsMerge(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.change(`{"maxSendRate":14,"latency":"250ms","faults":[{"kind":"reset","count":2}]}`)
	l.change(`{"max24HourSend":-1}`)
	s := l.Settings()
	if s.MaxSendRate != 14 || s.Max24HourSend != -1 || s.BulkCallsPerSecond != 0 || time.Duration(s.Latency) != 250*time.Millisecond || len(s.Faults) != 1 || s.Faults[0].Count != 2 {
		t.Errorf("settings %+v", s)
	}
	l.change(`{"faults":[]}`)
	if s = l.Settings(); len(s.Faults) != 0 || s.Faults == nil || s.MaxSendRate != 14 {
		t.Errorf("settings %+v", s)
	}
	for _, bad := range []string{
		``, `null`, `[]`, `{`, `{} {}`, `{"rate":1}`, `{"maxSendRate":0}`, `{"maxSendRate":-1}`, `{"maxSendRate":"1"}`, `{"maxSendRate":1e10}`, `{"max24HourSend":-2}`,
		`{"bulkCallsPerSecond":-1}`, `{"latency":5}`, `{"latency":"-1s"}`, `{"latency":"2h"}`, `{"latency":"soon"}`, `{"faults":{}}`, `{"faults":[{}]}`,
		`{"faults":[{"kind":"explode"}]}`, `{"faults":[{"kind":"reset","colour":1}]}`, `{"faults":[{"kind":"reset","op":"SendSMS"}]}`, `{"faults":[{"kind":"reset","count":-1}]}`,
		`{"faults":[{"kind":"error","code":"Nope"}]}`, `{"faults":[{"kind":"reset","code":"MessageRejected"}]}`, `{"faults":[{"kind":"entry","status":"OK"}]}`,
		`{"faults":[{"kind":"drop","status":"FAILED"}]}`, `{"faults":[{"kind":"entry","op":"SendEmail"}]}`, `{"faults":[{"kind":"entry","indexes":[50]}]}`,
		`{"faults":[{"kind":"late"}]}`, `{"faults":[{"kind":"drop","delay":"1s"}]}`, `{"maxSendRate":99,"faults":[{"kind":"x"}]}`,
	} {
		if _, err := l.Change([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if s := l.Settings(); s.MaxSendRate != 14 || s.Max24HourSend != -1 {
		t.Errorf("a refused change changed %+v", s)
	}
}
