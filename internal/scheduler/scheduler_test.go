package scheduler_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	eventbridge "tidings/internal/scheduler"
)

// A service speaks the part of EventBridge Scheduler's REST API that the adapter uses, and keeps what it was asked.
type service struct {
	mu        sync.Mutex
	schedules map[string]map[string]any // by name
	tokens    map[string]string         // client token of a Create → its body
	calls     []string                  // "POST name", …
	refuse    func(call string) string  // error type to answer with; empty: none
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ok := strings.CutPrefix(r.URL.Path, "/schedules/")
	if !ok || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		fail(w, 400, "ValidationException")
		return
	}
	s.calls = append(s.calls, r.Method+" "+name)
	if s.refuse != nil {
		if kind := s.refuse(r.Method); kind != "" {
			fail(w, map[string]int{"ConflictException": 409, "ResourceNotFoundException": 404, "InternalServerException": 500}[kind], kind)
			return
		}
	}
	if r.Method == http.MethodDelete {
		if s.schedules[name] == nil || r.URL.Query().Get("groupName") != "tidings" {
			fail(w, 404, "ResourceNotFoundException")
			return
		}
		delete(s.schedules, name)
		w.Write([]byte("{}"))
		return
	}
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	if json.Unmarshal(raw, &body) != nil || body["GroupName"] != "tidings" {
		fail(w, 400, "ValidationException")
		return
	}
	token, _ := body["ClientToken"].(string)
	switch exists := s.schedules[name] != nil; {
	case r.Method == http.MethodPost && s.tokens[token] == string(raw): // a repetition
	case r.Method == http.MethodPost && exists:
		fail(w, 409, "ConflictException")
		return
	case r.Method == http.MethodPut && !exists:
		fail(w, 404, "ResourceNotFoundException")
		return
	default:
		s.schedules[name] = body
		s.tokens[token] = string(raw)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"ScheduleArn":"arn:aws:scheduler:us-west-2:1:schedule/tidings/` + name + `"}`))
}

func fail(w http.ResponseWriter, status int, kind string) {
	w.Header().Set("X-Amzn-ErrorType", kind)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write([]byte(`{"Message":"no"}`))
}

var now = time.Date(2026, 11, 24, 12, 0, 30, 500e6, time.UTC)

func newSchedules(t *testing.T) (*eventbridge.Schedules, *service) {
	t.Helper()
	svc := &service{schedules: map[string]map[string]any{}, tokens: map[string]string{}}
	server := httptest.NewServer(svc)
	t.Cleanup(server.Close)
	return &eventbridge.Schedules{
		Client: scheduler.New(scheduler.Options{
			Region: "us-west-2", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		}),
		Group: "tidings", RoleARN: "arn:role", TargetARN: "arn:dispatch", DLQARN: "arn:dlq",
		Now: func() time.Time { return now },
	}, svc
}

func TestOnce(t *testing.T) {
	t.Parallel()
	denver := time.FixedZone("MST", -7*3600)
	for _, c := range []struct {
		name string
		at   time.Time
		want string
	}{
		{"later", time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC), "at(2026-12-01T16:00:00)"},
		{"in another zone", time.Date(2026, 12, 1, 9, 0, 0, 0, denver), "at(2026-12-01T16:00:00)"},
		{"a part of a second", time.Date(2026, 12, 1, 16, 0, 0, 1, time.UTC), "at(2026-12-01T16:00:01)"},
		{"now", now, "at(2026-11-24T12:00:41)"},
		{"past", now.Add(-time.Hour), "at(2026-11-24T12:00:41)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, svc := newSchedules(t)
			if err := s.Once(t.Context(), "digest-x-1", c.at, []byte(`{"kind":"start"}`)); err != nil {
				t.Fatal(err)
			}
			got := svc.schedules["digest-x-1"]
			if got["ScheduleExpression"] != c.want || got["ScheduleExpressionTimezone"] != "UTC" {
				t.Errorf("set for %v %v, want %s", got["ScheduleExpression"], got["ScheduleExpressionTimezone"], c.want)
			}
		})
	}
}

func TestFieldsOfASchedule(t *testing.T) {
	t.Parallel()
	s, svc := newSchedules(t)
	at := now.AddDate(0, 0, 7)
	if err := s.Once(t.Context(), "a", at, []byte(`{"v":1}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Once(t.Context(), "a", at.Add(time.Hour), []byte(`{"v":2}`)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(svc.calls, ", "); got != "POST a, POST a, PUT a" {
		t.Errorf("calls %s", got)
	}
	got := svc.schedules["a"] // replaced by the update, which resets what it is not given
	target := got["Target"].(map[string]any)
	retry := target["RetryPolicy"].(map[string]any)
	for name, pair := range map[string][2]any{
		"when":    {got["ScheduleExpression"], "at(2026-12-01T13:00:31)"},
		"after":   {got["ActionAfterCompletion"], "DELETE"},
		"state":   {got["State"], "ENABLED"},
		"window":  {got["FlexibleTimeWindow"].(map[string]any)["Mode"], "OFF"},
		"payload": {target["Input"], `{"v":2}`},
		"target":  {target["Arn"], "arn:dispatch"},
		"role":    {target["RoleArn"], "arn:role"},
		"dlq":     {target["DeadLetterConfig"].(map[string]any)["Arn"], "arn:dlq"},
		"age":     {retry["MaximumEventAgeInSeconds"], 21600.0},
		"retries": {retry["MaximumRetryAttempts"], 185.0},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestEveryMinuteAndDelete(t *testing.T) {
	t.Parallel()
	s, svc := newSchedules(t)
	for range 2 {
		if err := s.EveryMinute(t.Context(), "sweep-x", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(svc.calls, ", "); got != "POST sweep-x, POST sweep-x" {
		t.Errorf("calls %s: the same client token makes the second a repetition", got)
	}
	got := svc.schedules["sweep-x"]
	if got["ScheduleExpression"] != "rate(1 minute)" || got["ActionAfterCompletion"] != "NONE" {
		t.Errorf("sweeper %v", got)
	}
	for range 2 {
		if err := s.Delete(t.Context(), "sweep-x"); err != nil {
			t.Fatal(err)
		}
	}
	if len(svc.schedules) != 0 {
		t.Error("not deleted")
	}
	// Made again later it is a request of its own: a service that remembers tokens must not take it for the first.
	s.Now = func() time.Time { return now.Add(time.Minute) }
	if err := s.EveryMinute(t.Context(), "sweep-x", []byte(`{}`)); err != nil || len(svc.schedules) != 1 {
		t.Errorf("made again: %v, %d schedules", err, len(svc.schedules))
	}
}

func TestRaces(t *testing.T) {
	t.Parallel()
	t.Run("rang between create and update", func(t *testing.T) {
		t.Parallel()
		s, svc := newSchedules(t)
		n := 0
		svc.refuse = func(method string) string {
			if n++; n == 1 {
				return "ConflictException" // it exists …
			}
			return "" // … and is gone at the update
		}
		if err := s.Once(t.Context(), "a", now, nil); err != nil || svc.schedules["a"] == nil {
			t.Fatal(err)
		}
		if got := strings.Join(svc.calls, ", "); got != "POST a, PUT a, POST a" {
			t.Errorf("calls %s", got)
		}
	})
	t.Run("never settles", func(t *testing.T) {
		t.Parallel()
		s, svc := newSchedules(t)
		svc.refuse = func(string) string { return "ConflictException" }
		if err := s.Once(t.Context(), "a", now, nil); err == nil || len(svc.calls) != 6 {
			t.Errorf("%v after %d calls", err, len(svc.calls))
		}
		if err := s.Delete(t.Context(), "a"); err == nil {
			t.Error("a refused deletion was no error")
		}
	})
	t.Run("service down", func(t *testing.T) {
		t.Parallel()
		s, svc := newSchedules(t)
		svc.refuse = func(string) string { return "InternalServerException" }
		if err := s.EveryMinute(t.Context(), "a", nil); err == nil || len(svc.calls) != 1 {
			t.Errorf("%v after %d calls", err, len(svc.calls))
		}
	})
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	s, svc := newSchedules(t)
	for _, name := range []string{"", "a b", "a/b", "ä", "a\n", strings.Repeat("a", 65)} {
		for what, err := range map[string]error{
			"once":   s.Once(context.Background(), name, now, nil),
			"minute": s.EveryMinute(context.Background(), name, nil),
			"delete": s.Delete(context.Background(), name),
		} {
			if err == nil {
				t.Errorf("%s took the name %q", what, name)
			}
		}
	}
	if len(svc.calls) > 0 {
		t.Errorf("asked %v", svc.calls)
	}
}
