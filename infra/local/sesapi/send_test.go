package sesapi_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"mime"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"tidings/infra/local/sesapi"
)

func header(name, value string) types.MessageHeader {
	return types.MessageHeader{Name: &name, Value: &value}
}

func TestSimpleMailArrivesAsSent(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	in := simple("Ana@Example.com")
	in.Content.Simple.Subject.Data = aws.String("Grüße: “bitte bestätigen” " + strings.Repeat("und noch einmal ", 20))
	in.Content.Simple.Headers = []types.MessageHeader{header("Auto-Submitted", "auto-generated"), header("X-Long", strings.Repeat("x", 990))}
	in.EmailTags = []types.MessageTag{{Name: aws.String("kind"), Value: aws.String("confirm")}}
	in.ReplyToAddresses = []string{"desk@juniper.example"}
	out, err := l.client.SendEmail(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	total, list := l.Find(sesapi.Query{To: "ana@example.com", Limit: -1})
	if total != 1 || len(list) != 1 || list[0].ID != *out.MessageId {
		t.Fatalf("found %d: %v", total, list)
	}
	m := list[0]
	equal(t, "to", m.To, []string{"Ana@Example.com"})
	equal(t, "tags", m.Tags(), []sesapi.Tag{{Name: "kind", Value: "confirm"}})
	if m.Subject() != *in.Content.Simple.Subject.Data || m.HTML() != "<p>Plain {{words}}.</p>" || m.Text() != "Plain {{words}}.\n" || !m.AcceptedAt.Equal(start) {
		t.Errorf("mail %q %q %q %v", m.Subject(), m.HTML(), m.Text(), m.AcceptedAt)
	}
	var names []string
	for _, h := range m.Headers() {
		names = append(names, h.Name)
		if h.Name == "Subject" && h.Value != m.Subject() {
			t.Errorf("decoded subject %q", h.Value)
		}
	}
	equal(t, "headers", names, []string{"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Long"})
	checkRaw(t, m)
}

// checkRaw parses a mail's bytes with other people's code, and compares.
func checkRaw(t *testing.T, m *sesapi.Mail) {
	t.Helper()
	raw := m.Raw()
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d bytes: %.80q", len(line), line)
		}
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); s != m.Subject() {
		t.Errorf("subject %q, want %q", s, m.Subject())
	}
	if d, err := msg.Header.Date(); err != nil || !d.Equal(m.AcceptedAt.Truncate(time.Second)) {
		t.Errorf("date %v %v", d, err)
	}
	if id := msg.Header.Get("Message-ID"); id != "<"+m.ID+"@email.amazonses.com>" {
		t.Errorf("message ID %s", id)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %s %v", kind, err)
	}
	r := multipart.NewReader(msg.Body, params["boundary"])
	for _, want := range []struct{ kind, body string }{{"text/plain", m.Text()}, {"text/html", m.HTML()}} {
		p, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(p)
		if kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind != want.kind || err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != want.body {
			t.Errorf("part %s %v: %q, want %q", kind, err, got, want.body)
		}
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Errorf("after the last part: %v", err)
	}
}

func TestRawMail(t *testing.T) {
	t.Parallel()
	const raw = "Bcc: hidden@example.com\nFrom: =?utf-8?q?J=C3=BCn?= <a@juniper.example>\nTo: Ana <ana@example.com>\nMessage-ID: <mine@x>\nSubject: =?utf-8?q?Caf=C3=A9?=\n" +
		"X-Folded: one\n two\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n" +
		"--i\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nQ2Fmw6kK\n--i\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<b>Caf=C3=A9</b>\n--i--\n--o--\n"
	l := newLab(t)
	send := func(data string, change func(*sesv2.SendEmailInput)) (*sesapi.Mail, error) {
		l.Clear()
		in := &sesv2.SendEmailInput{Content: &types.EmailContent{Raw: &types.RawMessage{Data: []byte(data)}}}
		if change != nil {
			change(in)
		}
		if _, err := l.client.SendEmail(t.Context(), in); err != nil {
			return nil, err
		}
		_, list := l.Find(sesapi.Query{Limit: 1})
		return list[0], nil
	}
	m, err := send(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "to", m.To, []string{"ana@example.com", "hidden@example.com"})
	if m.From() != "Jün <a@juniper.example>" || m.Subject() != "Café" || m.Text() != "Café\n" || m.HTML() != "<b>Café</b>" {
		t.Errorf("mail %q %q %q %q", m.From(), m.Subject(), m.Text(), m.HTML())
	}
	msg, err := mail.ReadMessage(bytes.NewReader(m.Raw()))
	if err != nil || msg.Header.Get("Bcc") != "" || len(msg.Header["Message-Id"]) != 1 || msg.Header.Get("X-Folded") != "one two" {
		t.Errorf("header %v %v", msg, err)
	}
	if m, err = send(raw, func(in *sesv2.SendEmailInput) {
		in.Destination = &types.Destination{ToAddresses: []string{"other@example.com"}}
	}); err != nil || m.To[0] != "other@example.com" || len(m.To) != 1 {
		t.Errorf("destination: %v %v", m, err)
	}
	for _, bad := range []string{"no header at all", "From: a@b.example\nSubject: x\n\nnobody\n", "To: a@b.example\n\nfrom nobody\n", "From: a@b.example\nTo: <bad\n\nx\n", "From: ü@b.example\nTo: a@b.example\n\nx"} {
		if _, err := send(bad, nil); code(err) != "BadRequestException" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(c *sesapi.Config) { c.ConfigurationSets = map[string][]string{"tidings": {"SEND"}} })
	long := strings.Repeat("a", 65)
	type in = sesv2.SendEmailInput
	headers := func(h ...types.MessageHeader) func(*in) {
		return func(i *in) { i.Content.Simple.Headers = h }
	}
	tag := func(name, value string) func(*in) {
		return func(i *in) { i.EmailTags = []types.MessageTag{{Name: &name, Value: &value}} }
	}
	to := func(list ...string) func(*in) {
		return func(i *in) { i.Destination = &types.Destination{ToAddresses: list} }
	}
	for name, c := range map[string]struct {
		change func(*in)
		want   string
	}{
		"as it is":              {func(*in) {}, "ok"},
		"no sender":             {func(i *in) { i.FromEmailAddress = nil }, "BadRequestException"},
		"unencoded sender":      {func(i *in) { i.FromEmailAddress = aws.String("Jün <a@b.example>") }, "BadRequestException"},
		"bad reply-to":          {func(i *in) { i.ReplyToAddresses = []string{"x"} }, "BadRequestException"},
		"nobody":                {to(), "BadRequestException"},
		"non-ASCII local":       {to("jün@example.com"), "BadRequestException"},
		"non-ASCII domain":      {to("a@bücher.example"), "BadRequestException"},
		"no domain":             {to("ana"), "BadRequestException"},
		"line end":              {to("ana@example.com\r\nBcc: b@example.com"), "BadRequestException"},
		"blank":                 {to(`"a b"@example.com`), "BadRequestException"},
		"long local":            {to(long + "@example.com"), "BadRequestException"},
		"bad domain":            {to("a@-x.example"), "BadRequestException"},
		"domain literal":        {to("a@[127.0.0.1]"), "BadRequestException"},
		"plus and name":         {to("Ana <a+b.c@xn--bcher-kva.example>"), "ok"},
		"51 recipients":         {to(people(51)...), "BadRequestException"},
		"unknown set":           {func(i *in) { i.ConfigurationSetName = aws.String("other") }, "NotFoundException"},
		"no set":                {func(i *in) { i.ConfigurationSetName = nil }, "ok"},
		"reserved header":       {headers(header("reply-TO", "x")), "BadRequestException"},
		"header name":           {headers(header("X:Y", "x")), "BadRequestException"},
		"long header name":      {headers(header(strings.Repeat("X", 127), "x")), "BadRequestException"},
		"header injection":      {headers(header("X-A", "x\r\nBcc: y")), "BadRequestException"},
		"non-ASCII header":      {headers(header("X-A", "ü")), "BadRequestException"},
		"long header":           {headers(header("X-A", strings.Repeat("x", 996))), "BadRequestException"},
		"long header line":      {headers(header("X-A", strings.Repeat("x", 994))), "BadRequestException"},
		"longest header":        {headers(header("X-A", strings.Repeat("x", 993))), "ok"},
		"16 headers":            {headers(make16()...), "BadRequestException"},
		"tag value":             {tag("a", "b c"), "BadRequestException"},
		"tag name":              {tag("ses:a", "b"), "BadRequestException"},
		"long tag":              {tag("a", strings.Repeat("b", 257)), "BadRequestException"},
		"longest tag":           {tag("a", strings.Repeat("b", 256)), "ok"},
		"subject with line end": {func(i *in) { i.Content.Simple.Subject.Data = aws.String("a\nb") }, "BadRequestException"},
		"no body":               {func(i *in) { i.Content.Simple.Body = &types.Body{} }, "BadRequestException"},
		"other character set":   {func(i *in) { i.Content.Simple.Subject.Charset = aws.String("Shift_JIS") }, "BadRequestException"},
		"template":              {func(i *in) { i.Content = &types.EmailContent{Template: &types.Template{TemplateName: aws.String("t")}} }, "BadRequestException"},
		"both simple and raw":   {func(i *in) { i.Content.Raw = &types.RawMessage{Data: []byte("x")} }, "BadRequestException"},
		"contact list":          {func(i *in) { i.ListManagementOptions = &types.ListManagementOptions{ContactListName: aws.String("l")} }, "BadRequestException"},
		"attachment": {func(i *in) {
			i.Content.Simple.Attachments = []types.Attachment{{FileName: aws.String("f"), RawContent: []byte("x")}}
		}, "BadRequestException"},
		"single part, only text": {func(i *in) { i.Content.Simple.Body.Html = nil }, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			in := simple("ana@example.com")
			c.change(in)
			if _, err := l.client.SendEmail(t.Context(), in); code(err) != c.want {
				t.Errorf("got %s (%v), want %s", code(err), err, c.want)
			}
		})
	}
	_, err := l.client.SendEmail(t.Context(), simple("x"))
	if bad, ok := errors.AsType[*types.BadRequestException](err); !ok || bad.ErrorMessage() == "" {
		t.Errorf("error is not SES's own: %v", err)
	}
}

func TestSubjectsOfAnyLength(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, subject := range []string{"x", strings.Repeat("a?b=c_d ", 300), strings.Repeat("ü", 2000), strings.Repeat("x", 5000), "=?utf-8?q?not_encoded?="} {
		in := simple("ana@example.com")
		in.Content.Simple.Subject.Data = &subject
		if _, err := l.client.SendEmail(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		_, list := l.Find(sesapi.Query{Limit: 1})
		checkRaw(t, list[0])
	}
}

func make16() []types.MessageHeader {
	out := make([]types.MessageHeader, 16)
	for i := range out {
		out[i] = header("X-A", "x")
	}
	return out
}

func TestSinglePartMails(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, c := range []struct {
		kind   string
		change func(*types.Body)
	}{{"text/plain", func(b *types.Body) { b.Html = nil }}, {"text/html", func(b *types.Body) { b.Text = nil }}} {
		in := simple("ana@example.com")
		c.change(in.Content.Simple.Body)
		if _, err := l.client.SendEmail(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		_, list := l.Find(sesapi.Query{Limit: 1})
		msg, err := mail.ReadMessage(bytes.NewReader(list[0].Raw()))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(msg.Body)
		if kind, _, _ := mime.ParseMediaType(msg.Header.Get("Content-Type")); kind != c.kind || !strings.Contains(string(body), "Plain {{words}}.") {
			t.Errorf("%s: %q", kind, body)
		}
	}
}
