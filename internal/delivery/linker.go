package delivery

import (
	"strings"
	"time"

	"tidings/internal/mail"
	"tidings/internal/token"
)

// A Linker makes the links of mails.
type Linker struct {
	Tokens  *token.Keyring
	BaseURL string // public origin
	Now     func() time.Time
}

// Links returns the links that are one subscriber's own. It fails on what is no subscriber's ID.
func (l Linker) Links(id string) (mail.Links, error) { return l.DigestLinks(id, l.Now()) }

// DigestLinks returns those of a digest's mail. The link to leave is issued at the digest's start, by which it is known who left
// because of it; it never expires. That of preferences is issued now, since some of what it does needs a fresh one.
func (l Linker) DigestLinks(id string, start time.Time) (mail.Links, error) {
	leave, err := l.link("/unsubscribe/", token.Claims{Purpose: token.Unsubscribe, Subscriber: id, Issued: start})
	if err != nil {
		return mail.Links{}, err
	}
	manage, err := l.link("/preferences/", token.Claims{Purpose: token.Manage, Subscriber: id, Issued: l.Now()})
	return mail.Links{Unsubscribe: leave, Preferences: manage}, err
}

func (l Linker) link(path string, c token.Claims) (string, error) {
	text, err := l.Tokens.Sign(c)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(l.BaseURL, "/") + path + text, nil
}
