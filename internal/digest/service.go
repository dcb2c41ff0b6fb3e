package digest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tidings/internal/fault"
)

// ErrMoved says that a digest is not at the revision a write was meant for.
var ErrMoved = errors.New("digest is at another revision")

// A Service is what editors do with digests. Methods that take revs demand, when there are any, that the digest be at one
// of them, else they return fault.Stale. Of two who change the same revision one wins; the other gets fault.Conflict, or
// fault.Stale when it gave revs. All return fault.NotFound for an unknown digest.
type Service struct {
	Digests   Digests
	Contents  Contents
	Tests     Tests
	Articles  Articles
	Composer  Composer
	Linter    Linter // nil: nothing is found
	Scheduler Scheduler
	Course    Course
	Queue     Queue
	Log       *slog.Logger
	Now       func() time.Time
	NewID     func() string
	// Address checks an address of a test mail and returns it in the form to send to; its errors are faults.
	Address func(string) (string, error)
	// Zone is the list's own time zone: of the monthly draft, and of what is sent at once.
	Zone string
}

// Create makes a draft. Its articles must exist.
func (s *Service) Create(ctx context.Context, c Change) (Digest, error) {
	return s.create(ctx, s.NewID(), c)
}

// create makes a draft under an ID, or returns ErrMoved when there is one already.
func (s *Service) create(ctx context.Context, id string, c Change) (Digest, error) {
	d, err := New(id, c, s.Now())
	if err != nil {
		return Digest{}, err
	}
	if _, err := s.articles(ctx, d.Articles); err != nil {
		return Digest{}, err
	}
	if err := s.Digests.Create(ctx, d); err != nil {
		return Digest{}, fmt.Errorf("create digest %s: %w", d.ID, err)
	}
	return d, nil
}

// Get returns a digest. When it is scheduled and its alarm is not, as after a crash, the alarm is set.
func (s *Service) Get(ctx context.Context, id string) (Digest, error) {
	d, err := s.Digests.Get(ctx, id)
	if err != nil {
		return Digest{}, err
	}
	s.heal(ctx, d)
	return d, nil
}

// List returns digests, newest first, and heals those that need it.
func (s *Service) List(ctx context.Context, cursor string, limit int) (List, error) {
	l, err := s.Digests.List(ctx, cursor, limit)
	if err != nil {
		return List{}, err
	}
	for _, d := range l.Items {
		s.heal(ctx, d)
	}
	return l, nil
}

// Update changes a draft, or a scheduled digest, which is a draft again then.
func (s *Service) Update(ctx context.Context, id string, revs []int64, c Change) (Digest, error) {
	old, err := s.at(ctx, id, revs)
	if err != nil {
		return Digest{}, err
	}
	if old.Status != Draft && old.Status != Scheduled {
		return Digest{}, wrongState(old, "changed")
	}
	d, err := old.apply(c, s.Now())
	if err != nil {
		return Digest{}, err
	}
	if c.Articles != nil {
		if _, err := s.articles(ctx, d.Articles); err != nil {
			return Digest{}, err
		}
	}
	if err := s.Digests.Save(ctx, d, old); err != nil {
		return Digest{}, s.moved(err, "update", id, revs)
	}
	s.disarm(ctx, old)
	return d, nil
}

// Duplicate makes a draft of any digest's words and articles.
func (s *Service) Duplicate(ctx context.Context, id string) (Digest, error) {
	old, err := s.Digests.Get(ctx, id)
	if err != nil {
		return Digest{}, err
	}
	d, err := New(s.NewID(), Change{&old.Title, &old.Subject, &old.Preheader, &old.Intro, &old.Articles}, s.Now())
	if err != nil {
		return Digest{}, err
	}
	if err := s.Digests.Create(ctx, d); err != nil {
		return Digest{}, fmt.Errorf("duplicate digest %s: %w", id, err)
	}
	return d, nil
}

// Delete removes a draft.
func (s *Service) Delete(ctx context.Context, id string, revs []int64) error {
	d, err := s.at(ctx, id, revs)
	if err != nil {
		return err
	}
	if d.Status != Draft {
		return wrongState(d, "deleted")
	}
	return s.moved(s.Contents.Delete(ctx, id, d.Rev), "delete", id, revs)
}

// at returns a digest that is at one of the revisions.
func (s *Service) at(ctx context.Context, id string, revs []int64) (Digest, error) {
	d, err := s.Digests.Get(ctx, id)
	if err != nil {
		return Digest{}, err
	}
	if len(revs) > 0 && !slices.Contains(revs, d.Rev) {
		return Digest{}, stale()
	}
	return d, nil
}

func stale() error {
	return fault.New(fault.Stale, "The digest has been changed since you read it. Look at it again.")
}

// wrongState says that a digest can't be done something to in its status.
func wrongState(d Digest, done string) error {
	return fault.New(fault.Conflict, "The digest is %s and can't be %s.", d.Status, done)
}

// moved turns ErrMoved into the fault that the client should see, and wraps any other error.
func (s *Service) moved(err error, op, id string, revs []int64) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrMoved) && len(revs) > 0:
		return stale()
	case errors.Is(err, ErrMoved):
		return fault.New(fault.Conflict, "Someone else has just changed this digest. Look at it again.")
	}
	return fmt.Errorf("%s digest %s: %w", op, id, err)
}
