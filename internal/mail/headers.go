package mail

import (
	"mime"
	"net"
	"net/url"
	"strings"
)

// A Header is a field of a message's header; values are printable ASCII, as SES demands.
type Header struct{ Name, Value string }

// ListHeaders returns the headers of one copy of a digest: one-click unsubscribe (RFC 8058 §3.1, the URI before the
// Post field, as SES wants them) and a List-Id that people can read (RFC 2919).
func ListHeaders(site Site, unsubscribeURL string) []Header {
	return []Header{
		{"List-Unsubscribe", "<" + unsubscribeURL + ">"},
		{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
		{"List-Id", listID(site)},
	}
}

// ConfirmHeaders returns the headers of mails that answer a sign-up: RFC 3834 §5 keeps autoresponders from answering.
func ConfirmHeaders() []Header { return []Header{{"Auto-Submitted", "auto-generated"}} }

// listID is `"Clinic newsletter" <newsletter.host>`. A host that is an address gets the label that RFC 2919 §3 keeps for
// lists without a domain.
func listID(site Site) string {
	host := "localhost"
	if u, err := url.Parse(site.BaseURL); err == nil && u.Hostname() != "" && net.ParseIP(u.Hostname()) == nil {
		host = u.Hostname()
	}
	phrase := oneLine(site.Name + " newsletter")
	if encoded := mime.QEncoding.Encode("utf-8", phrase); encoded != phrase {
		phrase = encoded
	} else {
		phrase = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(phrase) + `"`
	}
	return phrase + " <newsletter." + host + ">"
}
