package delivery

import (
	"fmt"

	"tidings/internal/audience"
	"tidings/internal/mail"
)

// Copies is the Personal in use: package mail's substitutions and list headers, with the subscriber's own link to leave.
type Copies struct {
	Site mail.Site
	// Link returns the address of a subscriber's unsubscribe page, which serves the one-click POST of RFC 8058 too.
	Link func(subscriberID string) string
}

// Entry implements Personal.
func (c Copies) Entry(s audience.Subscriber) (data map[string]string, headers []Header, err error) {
	link := c.Link(s.ID)
	if link == "" {
		return nil, nil, fmt.Errorf("no unsubscribe link")
	}
	for _, h := range mail.ListHeaders(c.Site, link) {
		headers = append(headers, Header(h))
	}
	return mail.Substitutions(s.Name, link), headers, nil
}
