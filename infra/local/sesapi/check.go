package sesapi

import (
	"net/mail"
	"regexp"
	"strings"
)

// Limits of SES ("Service quotas in Amazon SES", sesv2/types).
const (
	maxEntries     = 50 // destinations of a call, and recipients of a message
	maxHeaders     = 15
	maxHeaderName  = 126
	maxHeaderValue = 995
	maxHeaderLine  = 996 // name and value together
	maxTags        = 50
	maxTemplate    = 1 << 20 // inline content
	maxData        = 262144  // TemplateData
	maxAddress     = 900     // with its name: it must fit a line of 998
	maxLocal       = 64      // RFC 5321 §4.5.3.1
	maxDomain      = 255
)

// reserved headers are set by SES, or through members of their own ("Amazon SES header fields").
var reserved = map[string]bool{
	"bcc": true, "cc": true, "content-disposition": true, "content-type": true, "date": true, "from": true, "message-id": true,
	"mime-version": true, "reply-to": true, "return-path": true, "subject": true, "to": true,
}

var (
	tagChars  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	ldhDomain = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9_-]*[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?))*$`)
)

// mailbox returns the bare address of `Name <address>` or of an address. SES has no SMTPUTF8: local parts and domains are ASCII, names
// are encoded words.
func mailbox(s string) (string, *apiError) {
	if len(s) > maxAddress {
		return "", badRequest("An address is longer than %d characters.", maxAddress)
	}
	if !printable(s) {
		return "", badRequest("An address contains non-ASCII or control characters. Encode names (RFC 2047) and domains (Punycode).")
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return "", badRequest("Illegal address.")
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	switch {
	case local == "" || len(local) > maxLocal || strings.ContainsAny(local, ` "<>()[]\,;:@`):
		return "", badRequest("Local address contains control or whitespace, or is longer than %d characters.", maxLocal)
	case !printable(a.Address): // what a quoted part unquoted
		return "", badRequest("Illegal address.")
	case len(domain) > maxDomain || !ldhDomain.MatchString(domain):
		return "", badRequest("Domain contains illegal character.")
	}
	return a.Address, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// check refuses a sender without an address; a raw message has its own.
func (s sender) check(raw bool) *apiError {
	if s.FromEmailAddress == "" && !raw {
		return badRequest("FromEmailAddress is missing.")
	}
	if s.FromEmailAddress != "" {
		if _, err := mailbox(s.FromEmailAddress); err != nil {
			return err
		}
	}
	for _, a := range s.ReplyToAddresses {
		if _, err := mailbox(a); err != nil {
			return err
		}
	}
	return nil
}

func checkHeaders(list []Header) *apiError {
	if len(list) > maxHeaders {
		return badRequest("A message can have at most %d headers of its own.", maxHeaders)
	}
	for _, h := range list {
		switch {
		case h.Name == "" || len(h.Name) > maxHeaderName || !printable(h.Name) || strings.ContainsAny(h.Name, " :"):
			return badRequest("A header's name is 1 to %d printable ASCII characters without blanks and colons.", maxHeaderName)
		case reserved[strings.ToLower(h.Name)]:
			return badRequest("Header name %s is not allowed.", h.Name)
		case h.Value == "" || len(h.Value) > maxHeaderValue || !printable(h.Value):
			return badRequest("Header %s has a value that is not 1 to %d printable ASCII characters.", h.Name, maxHeaderValue)
		case len(h.Name)+len(h.Value) > maxHeaderLine:
			return badRequest("Header %s is longer than %d characters.", h.Name, maxHeaderLine)
		}
	}
	return nil
}

func checkTags(list []Tag) *apiError {
	if len(list) > maxTags {
		return badRequest("A message can have at most %d tags.", maxTags)
	}
	for _, t := range list {
		if !tagChars.MatchString(t.Name) || !tagChars.MatchString(t.Value) {
			return badRequest("A tag's name and value are 1 to 256 of A-Z, a-z, 0-9, - and _.")
		}
	}
	return nil
}

// checkBody refuses a message without a subject or a body, and subjects that would break the header.
func checkBody(b body) *apiError {
	switch {
	case b.html == "" && b.text == "":
		return badRequest("The message has neither HTML nor text.")
	case strings.ContainsAny(b.subject, "\r\n\x00"):
		return badRequest("The subject contains control characters.")
	}
	return nil
}
