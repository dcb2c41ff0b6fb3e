package sesapi

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// setRaw takes a message that the client composed. SES sends it to the call's destination or, without one, to those in its header;
// it removes Bcc and sets Message-ID and Date itself ("Sending raw email using the Amazon SES API").
func (m *Mail) setRaw(data []byte) *apiError {
	data = crlf(data)
	msg, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return badRequest("The raw message cannot be parsed.")
	}
	if m.call.from == "" {
		m.call.from = msg.Header.Get("From")
	}
	if m.call.from == "" {
		return badRequest("FromEmailAddress is missing.")
	}
	if _, err := mailbox(m.call.from); err != nil {
		return err
	}
	if len(m.To) == 0 {
		for _, name := range []string{"To", "Cc", "Bcc"} {
			list, err := msg.Header.AddressList(name)
			if err != nil && err != mail.ErrHeaderNotPresent {
				return badRequest("The raw message has an illegal address in %s.", name)
			}
			for _, a := range list {
				m.dest.ToAddresses = append(m.dest.ToAddresses, a.Address)
			}
		}
		var bad *apiError
		if m.To, bad = m.dest.all(); bad != nil {
			return bad
		}
	}
	var out bytes.Buffer
	out.WriteString("Date: " + m.AcceptedAt.UTC().Format(time.RFC1123Z) + "\r\nMessage-ID: <" + m.ID + "@" + mailHost + ">\r\n")
	rewrite(&out, data)
	m.raw = out.Bytes()
	return nil
}

// crlf ends every line with CRLF, as it would travel by SMTP.
func crlf(b []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

// rewrite copies a message without the header fields that SES removes or sets itself.
func rewrite(out *bytes.Buffer, data []byte) {
	dropped := false
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\r\n"))
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			switch strings.ToLower(string(bytes.TrimSpace(name))) {
			case "bcc", "date", "message-id", "return-path":
				dropped = true
			default:
				dropped = false
			}
		}
		if !dropped {
			out.Write(line)
			out.WriteString("\r\n")
		}
		data = rest
	}
	if len(data) == 0 {
		out.WriteString("\r\n")
	}
	out.Write(data)
}

// readHeader returns a message's fields in their order, unfolded (RFC 5322 §2.2.3). package net/mail's map has no order.
func readHeader(data []byte) []Header {
	var list []Header
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\r\n"))
		data = rest
		if len(line) == 0 {
			break
		}
		if (line[0] == ' ' || line[0] == '\t') && len(list) > 0 {
			list[len(list)-1].Value += " " + string(bytes.TrimSpace(line))
			continue
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			list = append(list, Header{string(bytes.TrimSpace(name)), string(bytes.TrimSpace(value))})
		}
	}
	return list
}

// maxDepth bounds how deep multiparts are looked into.
const maxDepth = 10

// parts returns the first HTML and the first plain-text part of a message, decoded.
func parts(raw []byte) (html, text string) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", ""
	}
	walk(msg.Header.Get, msg.Body, maxDepth, &html, &text)
	return html, text
}

func walk(get func(string) string, r io.Reader, depth int, html, text *string) {
	kind, params, err := mime.ParseMediaType(get("Content-Type"))
	if err != nil {
		kind = "text/plain" // RFC 2045 §5.2
	}
	if strings.HasPrefix(kind, "multipart/") && depth > 0 {
		m := multipart.NewReader(r, params["boundary"])
		for {
			p, err := m.NextRawPart()
			if err != nil {
				return
			}
			walk(p.Header.Get, p, depth-1, html, text)
		}
	}
	into := map[string]*string{"text/html": html, "text/plain": text}[kind]
	if into == nil || *into != "" || strings.HasPrefix(strings.ToLower(get("Content-Disposition")), "attachment") {
		return
	}
	switch strings.ToLower(get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, _ := io.ReadAll(r) // as much as can be decoded
	*into = strings.ToValidUTF8(string(b), "\uFFFD")
}
