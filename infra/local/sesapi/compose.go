package sesapi

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
)

// mailHost is the right side of the Message-IDs that SES makes in us-east-1.
const mailHost = "email.amazonses.com"

// Raw returns the message as RFC 5322 bytes, without the DKIM signature that SES would add.
func (m *Mail) Raw() []byte {
	if m.raw != nil {
		return m.raw
	}
	b := m.call.body.Value()
	html, text := m.part(b.html), m.part(b.text)
	boundary := "----=_Part_" + m.ID
	var out bytes.Buffer
	switch {
	case html != "" && text != "":
		out.Write(m.header(fmt.Sprintf("multipart/alternative; boundary=%q", boundary)))
		out.WriteString("\r\n")
		for _, part := range []struct{ kind, body string }{{"plain", text}, {"html", html}} {
			fmt.Fprintf(&out, "--%s\r\nContent-Type: text/%s; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", boundary, part.kind)
			writeQuoted(&out, part.body)
			out.WriteString("\r\n")
		}
		fmt.Fprintf(&out, "--%s--\r\n", boundary)
	case html != "":
		out.Write(m.header("text/html; charset=UTF-8"))
		out.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
		writeQuoted(&out, html)
	default:
		out.Write(m.header("text/plain; charset=UTF-8"))
		out.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
		writeQuoted(&out, text)
	}
	return out.Bytes()
}

func writeQuoted(out *bytes.Buffer, s string) {
	w := quotedprintable.NewWriter(out) // which makes every line end a CRLF
	w.Write([]byte(s))
	w.Close()
}

// header writes the header in the order in which SES does, own headers as given. Nothing needs folding but subject and addresses: a
// header of one's own fits the 998 characters of a line (RFC 5322 §2.1.1). Without a content type the fields about MIME are left out.
func (m *Mail) header(contentType string) []byte {
	var out bytes.Buffer
	line := func(name, value string) { out.WriteString(name + ": " + value + "\r\n") }
	line("From", m.call.from)
	for _, f := range []struct {
		name string
		list []string
	}{{"To", m.dest.ToAddresses}, {"Cc", m.dest.CcAddresses}, {"Reply-To", m.call.replyTo}} {
		if len(f.list) > 0 {
			line(f.name, strings.Join(f.list, ",\r\n "))
		}
	}
	line("Subject", encodeSubject(m.Subject()))
	line("Date", m.AcceptedAt.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000"))
	line("Message-ID", "<"+m.ID+"@"+mailHost+">")
	for _, h := range merge(m.call.headers, m.headers, strings.EqualFold) {
		line(h.Name, h.Value)
	}
	if contentType != "" {
		line("MIME-Version", "1.0")
		line("Content-Type", contentType)
	}
	return out.Bytes()
}

// encodeSubject writes a subject as encoded words (RFC 2047) when it is not printable ASCII, too long for a line, or would itself be read as
// encoded words. A line end that a substituted value brought is encoded like anything else, and so ends no line.
func encodeSubject(s string) string {
	const long = 900
	out := mime.QEncoding.Encode("UTF-8", s)
	if out == s && (len(s) > long || strings.Contains(s, "=?")) {
		var words []string
		for len(s) > 0 {
			n := min(len(s), 60)
			words = append(words, "=?UTF-8?q?"+strings.NewReplacer(" ", "_", "?", "=3F", "=", "=3D", "_", "=5F").Replace(s[:n])+"?=")
			s = s[n:]
		}
		out = strings.Join(words, " ")
	}
	return strings.ReplaceAll(out, "?= =?", "?=\r\n =?")
}
