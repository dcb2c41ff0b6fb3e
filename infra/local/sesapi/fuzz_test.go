package sesapi

import (
	"bytes"
	"encoding/json"
	"net/mail"
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
