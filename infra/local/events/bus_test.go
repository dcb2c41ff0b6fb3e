package events

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"tidings/infra/local/clock"
)

// A mailbox is a queue that remembers, and fails as told.
type mailbox struct {
	t      *testing.T
	clock  *clock.Clock
	bodies []string
	err    error
}

func (m *mailbox) SendAll(ctx context.Context, bodies [][]byte) error {
	if m.clock.Busy() != 1 || ctx.Err() != nil {
		m.t.Errorf("an event on its way to a queue is not in flight: busy %d", m.clock.Busy())
	}
	for _, b := range bodies {
		m.bodies = append(m.bodies, string(b))
	}
	return m.err
}

// rules are like the template's: the types of SES's configuration set, without anything personal.
var rules = []Rule{{
	Name: "EventsRule", Target: "events",
	Pattern: map[string]any{
		"source": []any{"aws.ses"},
		"detail": map[string]any{"mail": map[string]any{"tags": map[string]any{"ses:configuration-set": []any{"tidings"}}}},
	},
	Paths: map[string]string{
		"type": "$.detail.eventType", "messageId": "$.detail.mail.messageId", "digest": "$.detail.mail.tags.digest[0]",
		"slot": "$.detail.mail.tags.slot[0]", "status": "$.detail.bounce.bouncedRecipients[0].status",
	},
	Template: `{"type":"<type>","messageId":"<messageId>","digest":"<digest>","slot":"<slot>","status":"<status>"}`,
}}

func open(t *testing.T, rules ...Rule) (*Bus, map[string]*mailbox) {
	t.Helper()
	clk := clock.New(time.Now, 0)
	boxes := map[string]*mailbox{}
	b, err := New(clk, rules, func(ref string) Queue {
		if boxes[ref] == nil {
			boxes[ref] = &mailbox{t: t, clock: clk}
		}
		return boxes[ref]
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, boxes
}

const bounce = `{"version":"0","id":"1","detail-type":"Email Bounced","source":"aws.ses","account":"000000000000","time":"2026-11-24T22:00:00Z",
"region":"us-east-1","resources":[],"detail":{"eventType":"Bounce","mail":{"messageId":"0100-a\"b","source":"news@clinic.example",
"destination":["ann@example.org"],"tags":{"ses:configuration-set":["tidings"],"digest":["01k"],"slot":["7"]}},
"bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"ann@example.org","status":"5.1.1"}]}}}`

func TestPublish(t *testing.T) {
	t.Parallel()
	b, boxes := open(t, rules...)
	other := strings.Replace(bounce, `["tidings"]`, `["else"]`, 1)
	send := `{"source":"aws.ses","detail":{"eventType":"Send","mail":{"messageId":"0100-c","tags":{"ses:configuration-set":["x","tidings"]}}}}`
	if err := b.Publish(t.Context(), []byte(bounce), []byte(other), []byte(send)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"type":"Bounce","messageId":"0100-a\"b","digest":"01k","slot":"7","status":"5.1.1"}`,
		`{"type":"Send","messageId":"0100-c","digest":"","slot":"","status":""}`,
	}
	if got := strings.Join(boxes["events"].bodies, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("queue got\n%s", got)
	}
	if b.clock.Busy() != 0 {
		t.Errorf("busy is %d afterwards", b.clock.Busy())
	}
}

func TestPublishFailures(t *testing.T) {
	t.Parallel()
	all := Rule{Name: "all", Target: "archive", Pattern: map[string]any{"source": []any{"aws.ses"}}}
	b, boxes := open(t, append([]Rule{all}, rules...)...)
	boxes["events"].err = errors.New("disk full")
	err := b.Publish(t.Context(), []byte("ann@example.org"), []byte("null"), []byte(`{}{}`), []byte(bounce))
	if err == nil || !errors.Is(err, boxes["events"].err) || strings.Contains(err.Error(), "ann@") {
		t.Errorf("error is %v", err)
	}
	if got := boxes["archive"].bodies; len(got) != 1 || got[0] != bounce {
		t.Errorf("a rule without transformer got %q", got)
	}
	if err := b.Publish(t.Context()); err != nil {
		t.Errorf("nothing to publish: %v", err)
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, event string
		want           bool
	}{
		{`{"a":["x"]}`, `{"a":"x"}`, true},
		{`{"a":["x"]}`, `{"a":"X"}`, false},
		{`{"a":["x"]}`, `{"b":"x"}`, false},
		{`{"a":["x","y"]}`, `{"a":["z","y"]}`, true},
		{`{"a":["x"]}`, `{"a":[]}`, false},
		{`{"a":["x"]}`, `{"a":{"x":"x"}}`, false},
		{`{"a":[1]}`, `{"a":1.0}`, true},
		{`{"a":[1]}`, `{"a":"1"}`, false},
		{`{"a":["1"]}`, `{"a":1}`, false},
		{`{"a":[null]}`, `{"a":null}`, true},
		{`{"a":[null]}`, `{}`, false},
		{`{"a":["null"]}`, `{"a":null}`, false},
		{`{"a":[true]}`, `{"a":true}`, true},
		{`{"a":["true"]}`, `{"a":true}`, false},
		{`{"a":{"b":["x"]},"c":["y"]}`, `{"a":{"b":"x","d":1},"c":"y"}`, true},
		{`{"a":{"b":["x"]},"c":["y"]}`, `{"a":{"b":"x"},"c":"z"}`, false},
		{`{"a":{"b":["x"]}}`, `{"a":[{"b":"z"},{"b":"x"}]}`, true},
		{`{"a":{"b":["x"]}}`, `{"a":"x"}`, false},
	} {
		var raw map[string]any
		if err := json.Unmarshal([]byte(c.pattern), &raw); err != nil {
			t.Fatal(err)
		}
		p, err := compilePattern(raw)
		if err != nil {
			t.Fatal(err)
		}
		event, err := decode([]byte(c.event))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.matches(event); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.event, got)
		}
	}
}

func TestTransforms(t *testing.T) {
	t.Parallel()
	paths := map[string]string{"s": "$.s", "n": "$.n", "o": "$.o", "l": "$.l[1].x", "gone": "$.l[7].x", "deep": "$.s.t", "all": "$"}
	event, err := decode([]byte(`{"s":"a \"quoted\" \\ <b>&\n\u2028é","n":12345678901234567890.5,"o":{"k":[true,null]},"l":[0,{"x":"y"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]string{
		`{"v":"<s>"}`:               `{"v":"a \"quoted\" \\ <b>&\n\u2028é"}`,
		`{"v":<s>}`:                 `{"v":"a \"quoted\" \\ <b>&\n\u2028é"}`,
		`{"v":<n>,"w":"<n>"}`:       `{"v":12345678901234567890.5,"w":"12345678901234567890.5"}`,
		`{"v":<o>,"w":"<o>"}`:       `{"v":{"k":[true,null]},"w":"{\"k\":[true,null]}"}`,
		`{"v":"<l>/<l>","w":[<l>]}`: `{"v":"y/y","w":["y"]}`,
		`{"v":"<gone><deep>"}`:      `{"v":""}`,
		`{"v":<gone>}`:              `{"v":""}`,
		`"<l> is \"<l>\" <"`:        `"y is \"y\" <"`,
		`{"a < b":"<l>", "c" : 1}`:  `{"a < b":"y", "c" : 1}`,
	} {
		tmpl, err := compileTemplate(template, paths)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got := string(tmpl.fill(event)); got != want {
			t.Errorf("%s becomes %s, want %s", template, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := map[string]any{"source": []any{"aws.ses"}}
	for name, r := range map[string]Rule{
		"no pattern":         {},
		"empty object":       {Pattern: map[string]any{"detail": map[string]any{}}},
		"empty list":         {Pattern: map[string]any{"source": []any{}}},
		"no list":            {Pattern: map[string]any{"source": "aws.ses"}},
		"content filter":     {Pattern: map[string]any{"source": []any{map[string]any{"prefix": "aws."}}}},
		"$or":                {Pattern: map[string]any{"$or": []any{"x"}}},
		"unknown variable":   {Pattern: good, Template: `{"a":"<x>"}`},
		"EventBridge's own":  {Pattern: good, Template: `{"a":"<aws.events.rule-name>"}`},
		"reserved name":      {Pattern: good, Template: `{}`, Paths: map[string]string{"aws.x": "$.a"}},
		"not JSON":           {Pattern: good, Template: `<x> is here`, Paths: map[string]string{"x": "$.a"}},
		"variable in a key":  {Pattern: good, Template: `{"<x>" : 1}`, Paths: map[string]string{"x": "$.a"}},
		"relative path":      {Pattern: good, Template: `{}`, Paths: map[string]string{"x": "a"}},
		"wildcard":           {Pattern: good, Template: `{}`, Paths: map[string]string{"x": "$.a[*]"}},
		"recursive descent":  {Pattern: good, Template: `{}`, Paths: map[string]string{"x": "$..a"}},
		"path without a dot": {Pattern: good, Template: `{}`, Paths: map[string]string{"x": "$a"}},
	} {
		if _, err := New(clock.New(time.Now, 0), []Rule{r}, func(string) Queue { return nil }); err == nil {
			t.Errorf("taken: %s", name)
		}
	}
}

func FuzzTransform(f *testing.F) {
	f.Add(`{"v":"<s>","w":<s>}`, "$.a.b[0]", bounce)
	f.Add(`"<s> \"<s>"`, "$", `{"a":[{"b":"c"}]}`)
	f.Fuzz(func(t *testing.T, text, path, event string) {
		tmpl, err := compileTemplate(text, map[string]string{"s": path})
		if err != nil {
			return
		}
		envelope, err := decode([]byte(event))
		if err != nil {
			return
		}
		if out := tmpl.fill(envelope); !json.Valid(out) {
			t.Errorf("%q with %q of %q is %q, which is not JSON", text, path, event, out)
		}
	})
}
