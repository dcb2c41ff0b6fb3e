package sesapi

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tidings "tidings/internal/mail"
)

// The substitution agrees with package mail's, which renders test mails by the same rules: what it can render, so can SES, to the
// same text.
func FuzzSubstitution(f *testing.F) {
	for _, s := range []string{"", "a", "{{a}}", "{{ a }}x{{b}}", "{{{a}}}", "{{a", "}}{{", "{{}}", "{{#if a}}x{{/if}}", "{{a}}{{a}}{{lbrace}}"} {
		f.Add(s, "{{b}}", "<&>")
	}
	f.Fuzz(func(t *testing.T, template, a, b string) {
		subs := map[string]string{"a": a, "b": b, "lbrace": "{{", "": "empty"}
		want, err := tidings.Render(tidings.Content{Text: template}, subs)
		if why := needs(body{text: template}).failure(subs); (why == "") != (err == nil) {
			t.Fatalf("%q: %q, but package mail says %v", template, why, err)
		} else if why != "" {
			return
		}
		if got := substitute(template, subs); got != want.Text {
			t.Errorf("%q: %q, but package mail says %q", template, got, want.Text)
		}
	})
}

// Whatever a request holds is refused, or becomes a message that other people's parsers read, with no header that nobody asked for.
func FuzzRequest(f *testing.F) {
	f.Add(SendEmail, `{"FromEmailAddress":"a@b.example","Destination":{"ToAddresses":["c@d.example"]},"Content":{"Simple":{"Subject":{"Data":"ü\u2028"},"Body":{"Text":{"Data":"x"}},"Headers":[{"Name":"X-A","Value":"b"}]}}}`)
	f.Add(SendEmail, `{"Content":{"Raw":{"Data":"RnJvbTogYUBiLmV4YW1wbGUKVG86IGNAZC5leGFtcGxlCgp4Cg=="}}}`)
	f.Add(SendBulkEmail, `{"FromEmailAddress":"a@b.example","DefaultContent":{"Template":{"TemplateContent":{"Subject":"{{s}}","Text":"x"},"TemplateData":"{\"s\":\"a\\nBcc: x\"}"}},"BulkEmailEntries":[{"Destination":{"ToAddresses":["c@d.example"]}}]}`)
	f.Add(SendBulkEmail, `{"BulkEmailEntries":null,"DefaultContent":{"Template":{}}}`)
	f.Fuzz(func(t *testing.T, op, request string) {
		s := New(Config{Now: func() time.Time { return time.Unix(1.8e9, 0) }, NewID: func() string { return "id" }})
		c := parseCall(op, []byte(request))
		c.recipients()
		if _, err := c.do(t.Context(), s, Fault{}); err != nil {
			if err.status < 400 || err.message == "" {
				t.Errorf("error %+v", err)
			}
			return
		}
		_, list := s.Find(Query{Limit: -1})
		for _, m := range list {
			msg, err := mail.ReadMessage(bytes.NewReader(m.Raw()))
			if err != nil {
				t.Fatalf("%v in %q", err, m.Raw())
			}
			if msg.Header.Get("Bcc") != "" || msg.Header.Get("From") == "" && m.raw == nil {
				t.Errorf("header %v", msg.Header)
			}
			_, _, _ = m.HTML(), m.Text(), m.Headers()
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add(`{"maxSendRate":14,"latency":"1.5s","faults":[{"kind":"entry","indexes":[0],"status":"FAILED"}]}`)
	f.Add(`{"faults":[{"kind":"late","delay":"3s","count":2,"after":1,"to":"a@b.example"}]}`)
	f.Fuzz(func(t *testing.T, change string) {
		s := New(Config{})
		got, err := s.Change([]byte(change))
		if err != nil {
			return
		}
		out, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Change(out); err != nil {
			t.Errorf("%s is not accepted again: %v", out, err)
		}
		if again, _ := json.Marshal(s.Settings()); string(again) != string(out) {
			t.Errorf("%s became %s", out, again)
		}
	})
}

func FuzzMailbox(f *testing.F) {
	for _, s := range []string{"a@b.example", "A B <a+c@b.example>", `"a b"@c.example`, "a@[::1]", "(c)a@b", "=?utf-8?q?=C3=BC?= <a@b.example>", "a@b.example\r\nBcc: c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := mailbox(s)
		if err != nil {
			return
		}
		if strings.Count(got, "@") != 1 || strings.ContainsAny(got, " \r\n,;<>") || !printable(got) {
			t.Errorf("%q became %q", s, got)
		}
		if again, err := mailbox(got); err != nil || again != got {
			t.Errorf("%q is not accepted again: %q %v", got, again, err)
		}
	})
}

// quiet is a server for which only its journal matters.
func quiet() *Server {
	return New(Config{
		Now: func() time.Time { return time.Unix(1.8e9, 0) }, NewID: func() string { return "id" }, Log: slog.New(slog.DiscardHandler),
	})
}

// memoryPath is a path of one's own in memory where there is such a thing: a disk would be what is measured by fuzzing.
func memoryPath(f *testing.F) string {
	dir, err := os.MkdirTemp("/dev/shm", "journal")
	if err != nil {
		dir = f.TempDir()
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "mails")
}

// Whatever a journal holds is refused whole and left as it is, or read up to a torn end, after which it can be added to.
func FuzzJournal(f *testing.F) {
	path := memoryPath(f)
	s := quiet()
	if err := s.Keep(f.Context(), path); err != nil {
		f.Fatal(err)
	}
	for _, request := range []string{seedBulk, seedBulk} {
		if _, err := parseCall(SendBulkEmail, []byte(request)).do(f.Context(), s, Fault{}); err != nil {
			f.Fatal(err)
		}
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)-30])
	f.Add([]byte(`{"call":{"n":1,"at":"2026-12-01T09:00:00Z","mails":[{"id":"a","to":{"ToAddresses":["a@b.example"]},"raw":"eA=="}]}}` + "\n"))
	f.Add([]byte(`{"call":{"n":1,"body":{"subject":"{{a"},"mails":[{"id":"a","to":{"ToAddresses":["a@b.example"]},"failure":"x"}]}}` + "\n"))
	f.Add([]byte(`{"used":[{"at":"2026-12-01T09:00:00Z","n":-5}]}` + "\n" + `{"settings":{"maxSendRate":5}}` + "\n{\"done\":1}\n"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		os.Remove(path)
		if err := os.WriteFile(path, journal, 0o600); err != nil {
			t.Fatal(err)
		}
		s := quiet()
		err := s.Keep(t.Context(), path)
		after, _ := os.ReadFile(path)
		if err != nil && !bytes.Equal(after, journal) {
			t.Fatalf("refused (%v), and changed", err)
		}
		if err != nil {
			return
		}
		total, list := s.Find(Query{Limit: -1})
		for _, m := range list {
			_, _, _, _, _ = m.Raw(), m.HTML(), m.Text(), m.Headers(), m.Tags()
		}
		if err := s.accept(t.Context(), []*Mail{mailOf(t, s)}, false); err != nil {
			t.Fatal(err)
		}
		again := quiet()
		if err := again.Keep(t.Context(), path); err != nil {
			t.Fatalf("after %q: %v", after, err)
		}
		if n, _ := again.Find(Query{}); n != total+1 {
			t.Errorf("%d mails became %d", total+1, n)
		}
		if used, want := again.limits.sent.sum, s.journal.used.sum; used != want {
			t.Errorf("%d used, want %d", used, want)
		}
		for _, s := range []*Server{s, again} {
			if err := s.StopKeeping(); err != nil {
				t.Error(err)
			}
		}
	})
}

// seedBulk is a call with a template.
const seedBulk = `{"FromEmailAddress":"a@b.example","ConfigurationSetName":"set","DefaultContent":{"Template":{"TemplateContent":{"Subject":"{{s}}","Text":"x","Html":"<p>"},` +
	`"TemplateData":"{\"s\":\"1\"}"}},"BulkEmailEntries":[{"Destination":{"ToAddresses":["c@d.example"]},"ReplacementTags":[{"Name":"slot","Value":"1"}]}]}`

func mailOf(t *testing.T, s *Server) *Mail {
	in := sendInput{sender: sender{FromEmailAddress: "a@b.example"}}
	in.Destination.ToAddresses = []string{"c@d.example"}
	in.Content.Simple = &message{Subject: &content{Data: "s"}}
	in.Content.Simple.Body.Text = &content{Data: "text"}
	m, err := in.mail(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a request became is the same mail when it comes back from the journal.
func FuzzKept(f *testing.F) {
	f.Add(SendEmail, `{"FromEmailAddress":"a@b.example","Destination":{"ToAddresses":["c@d.example"]},"Content":{"Simple":{"Subject":{"Data":"ü\u2028\ud800"},"Body":{"Html":{"Data":"<p>&"}},"Headers":[{"Name":"X-A","Value":"b"}]}}}`)
	f.Add(SendEmail, `{"Content":{"Raw":{"Data":"RnJvbTogYUBiLmV4YW1wbGUKVG86IGNAZC5leGFtcGxlCgp4Cg=="}}}`)
	f.Add(SendBulkEmail, seedBulk)
	path := memoryPath(f)
	f.Fuzz(func(t *testing.T, op, request string) {
		os.Remove(path)
		s, again := quiet(), quiet()
		if err := s.Keep(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		parseCall(op, []byte(request)).do(t.Context(), s, Fault{})
		if err := again.Keep(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		_, before := s.Find(Query{Limit: -1})
		_, after := again.Find(Query{Limit: -1})
		if len(after) != len(before) || s.limits.sent.sum != again.limits.sent.sum {
			t.Fatalf("%d mails became %d", len(before), len(after))
		}
		for i, m := range after {
			if string(m.Raw()) != string(before[i].Raw()) || !slices.Equal(m.Tags(), before[i].Tags()) || !slices.Equal(m.To, before[i].To) {
				t.Errorf("%q became %q", before[i].Raw(), m.Raw())
			}
		}
		for _, s := range []*Server{s, again} {
			if err := s.StopKeeping(); err != nil {
				t.Error(err)
			}
		}
	})
}
