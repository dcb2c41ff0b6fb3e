package digest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/fault"
)

// MaxTestAddresses is how many addresses one request for test mails may name.
const MaxTestAddresses = 10

// testLife is how long a test mail waits to be sent.
const testLife = 24 * time.Hour

// A TestMail is a digest for a few addresses of the editors', with links that do nothing. It is kept in the table until it
// is sent, so that the queue holds its ID only.
type TestMail struct {
	ID      string
	Digest  string
	To      []string
	Content Content // sample values filled in
	Expires time.Time
}

// Test sends a digest as it is now to at most MaxTestAddresses addresses, each a mail of its own.
func (s *Service) Test(ctx context.Context, id string, to []string) error {
	d, err := s.Digests.Get(ctx, id)
	if err != nil {
		return err
	}
	addresses, err := s.addresses(to)
	if err != nil {
		return err
	}
	content, _, err := s.content(ctx, d)
	if err != nil {
		return err
	}
	if content, err = s.Composer.Sample(content); err != nil {
		return fmt.Errorf("test digest %s: %w", id, err)
	}
	m := TestMail{ID: s.NewID(), Digest: id, To: addresses, Content: content, Expires: s.Now().Add(testLife)}
	if err := checkSize(content); err != nil {
		return err
	}
	if err := s.Tests.SaveTest(ctx, m); err != nil {
		return fmt.Errorf("keep test mail %s: %w", m.ID, err)
	}
	body := encode(struct {
		Kind string `json:"kind"`
		Test string `json:"test"`
	}{"test", m.ID})
	if err := s.Queue.Send(ctx, body, 0); err != nil {
		return fmt.Errorf("enqueue test mail %s: %w", m.ID, err)
	}
	return nil
}

// addresses checks the addresses of a test and drops repeats. Faults name the place, never the address.
func (s *Service) addresses(to []string) ([]string, error) {
	if len(to) == 0 || len(to) > MaxTestAddresses {
		return nil, fault.Field(fault.Invalid, "to", "Name 1 to %d addresses.", MaxTestAddresses)
	}
	var all []string
	for i, a := range to {
		address, err := s.Address(a)
		if err != nil {
			return nil, fault.Field(fault.Invalid, "to", "Address %d is not one that mail can be sent to.", i+1)
		}
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all, nil
}
