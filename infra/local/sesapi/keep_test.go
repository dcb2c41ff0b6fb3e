package sesapi_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"tidings/infra/local/sesapi"
)

// keptLab is a lab that keeps its mails in a file. Nobody closes the one before on the same file, as nobody does before a kill.
func keptLab(t testing.TB, path string, change ...func(*sesapi.Config)) *lab {
	t.Helper()
	start := starts.Add(1)
	var ids atomic.Int64
	l := newLab(t, append(change, func(c *sesapi.Config) {
		c.NewID = func() string { return fmt.Sprintf("start%03did%06d", start, ids.Add(1)) }
	})...)
	if err := l.Keep(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.StopKeeping() })
	return l
}

var starts atomic.Int64 // so that no two make the same IDs

func journalPath(t testing.TB) string { return filepath.Join(t.TempDir(), "mails.jsonl") }

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// sentToday is the used part of the quota.
func (l *lab) sentToday() float64 {
	l.t.Helper()
	out, err := l.client.GetAccount(l.t.Context(), &sesv2.GetAccountInput{})
	if err != nil {
		l.t.Fatal(err)
	}
	return out.SendQuota.SentLast24Hours
}

// same compares two inboxes, mail by mail and byte by byte.
func same(t *testing.T, got, want *lab) {
	t.Helper()
	n, after := got.Find(sesapi.Query{Limit: -1})
	m, before := want.Find(sesapi.Query{Limit: -1})
	if n != m {
		t.Fatalf("%d mails, want %d", n, m)
	}
	for i, a := range after {
		b := before[i]
		if a.ID != b.ID || !a.AcceptedAt.Equal(b.AcceptedAt) || string(a.Raw()) != string(b.Raw()) || a.From() != b.From() || a.Subject() != b.Subject() ||
			a.HTML() != b.HTML() || a.Text() != b.Text() {
			t.Errorf("mail %d:\n%s\nwant\n%s", i, a.Raw(), b.Raw())
		}
		equal(t, "to", a.To, b.To)
		equal(t, "tags", a.Tags(), b.Tags())
		equal(t, "headers", a.Headers(), b.Headers())
		if found, ok := got.Mail(a.ID); !ok || found != a {
			t.Errorf("mail %s is not found by its ID", a.ID)
		}
	}
}

// variety sends mails of every kind: bulk with copies, one that cannot be rendered, simple ones, raw ones.
func (l *lab) variety() {
	l.t.Helper()
	in := bulk(people(20)...)
	in.BulkEmailEntries[3].Destination.CcAddresses = []string{"Cleo <cleo@example.com>"}
	in.BulkEmailEntries[3].Destination.BccAddresses = []string{"ben@example.com"}
	in.BulkEmailEntries[4].ReplacementTags = append(in.BulkEmailEntries[4].ReplacementTags, types.MessageTag{Name: aws.String("digest"), Value: aws.String("own")})
	in.ReplyToAddresses = []string{"desk@juniper.example"}
	l.send(in)
	l.send(bulk(people(3)...))
	broken := bulk(people(2)...)
	broken.DefaultContent.Template.TemplateData = nil
	broken.BulkEmailEntries[1].ReplacementEmailContent = nil
	if got := l.send(broken); got != "SUCCESS 2" {
		l.t.Fatal(got)
	}
	one := simple("Ana <ana@example.com>")
	one.Content.Simple.Headers = []types.MessageHeader{header("X-Twice", "1"), header("X-Twice", "<2>")}
	one.EmailTags = []types.MessageTag{{Name: aws.String("kind"), Value: aws.String("confirm")}}
	raw := &sesv2.SendEmailInput{Content: &types.EmailContent{Raw: &types.RawMessage{
		Data: []byte("From: news@juniper.example\r\nTo: Ana <ana@example.com>\r\nBcc: ben@example.com\r\nSubject: Raw\r\n\r\nbytes \xff\r\n"),
	}}}
	for _, in := range []*sesv2.SendEmailInput{one, raw} {
		if _, err := l.client.SendEmail(l.t.Context(), in); err != nil {
			l.t.Fatal(err)
		}
	}
}

func TestKeptMailsAreTheSame(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	l := keptLab(t, path)
	l.variety()
	if n := l.accepted(); n != 26 {
		t.Fatalf("%d mails", n)
	}
	again := keptLab(t, path)
	same(t, again, l)
	if got := again.published(); got != nil {
		t.Errorf("published a second time: %v", got)
	}
	if used := again.sentToday(); used != 30 || used != l.sentToday() {
		t.Errorf("used of the quota: %v, before %v", used, l.sentToday())
	}
	again.send(bulk("dora@example.com"))
	third := keptLab(t, path)
	same(t, third, again)
	b, err := os.ReadFile(path)
	if n := strings.Count(string(b), "<p>Hello {{name}}</p>"); err != nil || n != 1 {
		t.Errorf("the template of four calls is written %d times, %v", n, err)
	}
}

func TestKeptQuotaRolls(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	l := keptLab(t, path)
	l.change(`{"max24HourSend":60}`)
	l.send(bulk(people(40)...))
	l.advance(12 * time.Hour)
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	l.send(bulk(people(15)...))
	again := keptLab(t, path)
	again.advance(12 * time.Hour)
	if got := again.send(bulk(people(9)...)); again.accepted() != 20 || got != "SUCCESS 5, ACCOUNT_DAILY_QUOTA_EXCEEDED 4" {
		t.Errorf("%s, %d mails: mails that were cleared count on", got, again.accepted())
	}
	third := keptLab(t, path)
	third.advance(24 * time.Hour)
	if used := third.sentToday(); used != 20 {
		t.Errorf("a day after the first call %v are used", used)
	}
}

// A kill in the middle of a write leaves a part of the record, however long: that call was not answered, and did not happen.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	l := keptLab(t, path)
	l.send(bulk(people(2)...))
	before := size(t, path)
	if err := l.StopKeeping(); err != nil {
		t.Fatal(err)
	}
	next := keptLab(t, path, func(c *sesapi.Config) {
		c.Publish = func(context.Context, ...[]byte) error { return errors.New("killed before") }
	})
	next.send(bulk("ana@example.com"))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(t.TempDir(), "torn")
	for end := before; end <= int64(len(whole)); end += 37 {
		if err := os.WriteFile(torn, whole[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		again := keptLab(t, torn)
		if again.accepted() != 2 || size(t, torn) != before {
			t.Fatalf("cut at %d of %d: %d mails, %d bytes, want 2 and %d", end, len(whole), again.accepted(), size(t, torn), before)
		}
		again.send(bulk("ben@example.com"))
		same(t, keptLab(t, torn), again)
	}
	zeros := append(whole[:before:before], "\x00\x00\x00\n"...)
	if err := os.WriteFile(torn, zeros, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := keptLab(t, torn).accepted(); n != 2 {
		t.Errorf("%d mails before a last line of zeros", n)
	}
}

// What is broken elsewhere than at its end was not broken by a kill: nothing is cut off, and whoever starts is told.
func TestBrokenJournal(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	keptLab(t, path).variety()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for name, line := range map[string]string{
		"no JSON": "ana@example.com\n", "nothing": "\n", "null": "null\n", "no member": "{}\n", "other member": `{"ana@example.com":1}` + "\n",
		"unknown template": `{"call":{"n":9,"template":7,"mails":[{"id":"a","to":{"ToAddresses":["a@b.example"]}}]}}` + "\n",
		"no mails":         `{"call":{"n":9,"template":1}}` + "\n", "nobody": `{"call":{"n":9,"template":1,"mails":[{"id":"a","to":{}}]}}` + "\n",
		"no body": `{"call":{"n":9,"mails":[{"id":"a","to":{"ToAddresses":["a@b.example"]}}]}}` + "\n",
		"number":  `{"body":{"n":5,"subject":"ana@example.com"}}` + "\n", "settings": `{"settings":{"maxSendRate":-1}}` + "\n", "time": `{"used":[{"at":"ana"}]}` + "\n",
	} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, []byte(lines[0]+line+strings.Join(lines[1:], "")), 0o600); err != nil {
			t.Fatal(err)
		}
		before := size(t, bad)
		err := newLab(t).Keep(t.Context(), bad)
		if err == nil || !strings.Contains(err.Error(), bad+", line 2: ") || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v", name, err)
		}
		if size(t, bad) != before {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if err := newLab(t).Keep(t.Context(), t.TempDir()); err == nil {
		t.Error("a folder was taken for a journal")
	}
}

func TestClearedMailsStayAway(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	l := keptLab(t, path)
	l.variety()
	if err := l.Clear(); err != nil || l.accepted() != 0 {
		t.Fatal(l.accepted(), err)
	}
	if n := size(t, path); n > 500 {
		t.Errorf("%d bytes without mails", n)
	}
	again := keptLab(t, path)
	if again.accepted() != 0 || again.sentToday() != 30 {
		t.Errorf("%d mails, %v used", again.accepted(), again.sentToday())
	}
	l.send(bulk("ana@example.com")) // the template once more
	same(t, keptLab(t, path), l)
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := l.Clear(); err == nil || l.accepted() != 1 {
		t.Errorf("could not begin anew: %d mails, %v", l.accepted(), err)
	}
}

// Events that had not reached the bus when the process was killed are published at the next start, and then no more.
func TestUnpublishedEventsComeAfterARestart(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	down := true
	l := keptLab(t, path, func(c *sesapi.Config) {
		c.Publish = func(context.Context, ...[]byte) error {
			if down {
				return errors.New("killed")
			}
			return nil
		}
	})
	in := bulk("ana@example.com", "bounce@simulator.amazonses.com", "ben@example.com")
	in.DefaultContent.Template.TemplateData = nil
	in.BulkEmailEntries[2].ReplacementEmailContent = nil
	l.send(in)
	down = false
	l.send(bulk("cleo@example.com"))
	l.change(`{"faults":[{"kind":"no-events"}]}`)
	l.send(bulk("dora@example.com"))
	again := keptLab(t, path)
	if slot := again.events[2].Detail.Mail; slot.Tags["slot"][0] != "1" || slot.Tags["digest"][0] != "d1" || slot.MessageID == "" {
		t.Errorf("event %+v", slot)
	}
	equal(t, "events", again.published(), []string{"Send", "Delivery", "Send", "Bounce", "Rendering Failure"})
	equal(t, "events of the next start", keptLab(t, path).published(), nil)
}

func TestKeptSettings(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	l := keptLab(t, path)
	l.change(`{"maxSendRate":77,"latency":"1s","faults":[{"kind":"reset","after":1,"count":2},{"kind":"error","op":"SendEmail"}]}`)
	l.change(`{"max24HourSend":-1}`)
	var got []string
	for range 2 {
		got = append(got, l.send(bulk("ana@example.com")))
	}
	equal(t, "before", got, []string{"SUCCESS 1", "no answer"})
	check := func(l *lab) {
		t.Helper()
		if s := l.Settings(); s.MaxSendRate != 77 || s.Max24HourSend != -1 || time.Duration(s.Latency) != time.Second || len(s.Faults) != 2 || s.Faults[0].Count != 1 {
			t.Errorf("settings %+v", s)
		}
	}
	again := keptLab(t, path)
	check(again)
	if err := again.Clear(); err != nil {
		t.Fatal(err)
	}
	third := keptLab(t, path)
	check(third)
	equal(t, "after", []string{third.send(bulk("ana@example.com")), third.send(bulk("ana@example.com"))}, []string{"no answer", "SUCCESS 1"})
	if s := keptLab(t, path).Settings(); len(s.Faults) != 1 || s.Faults[0].Kind != sesapi.FaultError {
		t.Errorf("a fault that is used up is there again: %+v", s)
	}
}

// What cannot be written is not accepted.
func TestNothingIsAcceptedThatIsNotKept(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	l := keptLab(t, journalPath(t), func(c *sesapi.Config) { c.Log = slogTo(&log) })
	if err := l.StopKeeping(); err != nil {
		t.Fatal(err)
	}
	if got := l.send(bulk("ana@example.com")); got != "InternalServiceErrorException" {
		t.Error(got)
	}
	if _, err := l.client.SendEmail(t.Context(), simple("ana@example.com")); code(err) != "InternalServiceErrorException" {
		t.Error(err)
	}
	if _, err := l.Change([]byte(`{"maxSendRate":5}`)); err == nil || l.Settings().MaxSendRate != 200 {
		t.Errorf("settings changed: %v", err)
	}
	if l.accepted() != 0 || len(l.events) > 0 || !strings.Contains(log.String(), "mails not accepted") || strings.Contains(log.String(), "ana@") {
		t.Errorf("%d mails, %d events, log %s", l.accepted(), len(l.events), log.String())
	}
}

// However many send while others clear the inbox, the file holds what the inbox holds.
func TestJournalUnderConcurrency(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	l := keptLab(t, path)
	l.change(`{"maxSendRate":1e6}`)
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			for i := range 15 {
				in := bulk(people(5)...)
				in.DefaultContent.Template.TemplateContent.Text = aws.String(fmt.Sprint("text of ", n%3))
				if got := l.send(in); got != "SUCCESS 5" {
					t.Error(got)
				}
				if n == 0 && i%5 == 4 && i < 14 {
					if err := l.Clear(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	again := keptLab(t, path)
	same(t, again, l)
	if l.accepted() == 0 || again.sentToday() != 450 {
		t.Errorf("%d mails, %v used", l.accepted(), again.sentToday())
	}
}

// BenchmarkKeep is what a journal adds to a call for 50 readers of a digest of 40 kB: BenchmarkBulk, with one.
func BenchmarkKeep(b *testing.B) {
	path := journalPath(b)
	l := keptLab(b, path, func(c *sesapi.Config) { c.Publish = nil })
	l.change(`{"maxSendRate":1e9,"max24HourSend":-1}`)
	in := bulk(people(50)...)
	in.DefaultContent.Template.TemplateContent.Html = aws.String("<p>{{name}}</p>" + strings.Repeat("<p>lorem</p>\n", 3000))
	for b.Loop() {
		if _, err := l.client.SendBulkEmail(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(50*float64(b.N)/b.Elapsed().Seconds(), "mails/s")
	b.ReportMetric(float64(size(b, path))/float64(50*b.N), "bytes/mail")
}
