package delivery

import (
	"fmt"
	"time"

	"tidings/internal/audience"
	"tidings/internal/mail"
)

// Copies is the Personal in use: package mail's substitutions and list headers, with the subscriber's own links.
type Copies struct {
	Site mail.Site
	// Links returns the addresses of a subscriber's pages to leave, which serves the one-click POST of RFC 8058 too, and of
	// preferences.
	Links func(subscriberID string) (mail.Links, error)
	// DigestLinks makes those of a digest that started at a time; nil: Links does.
	DigestLinks func(subscriberID string, start time.Time) (mail.Links, error)
}

// Entry implements Personal.
func (c Copies) Entry(s audience.Subscriber, start time.Time) (data map[string]string, headers []Header, err error) {
	var links mail.Links
	if c.DigestLinks != nil {
		links, err = c.DigestLinks(s.ID, start)
	} else {
		links, err = c.Links(s.ID)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make links of %s: %w", s.ID, err)
	}
	for _, h := range mail.ListHeaders(c.Site, links.Unsubscribe) {
		headers = append(headers, Header(h))
	}
	return mail.Substitutions(s.Name, links), headers, nil
}
