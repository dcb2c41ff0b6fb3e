package digest

import (
	"context"
	"fmt"
)

// A Course is a digest that is on its way. Its methods return fault.Conflict for one in another status; what they ask is true
// when they return.
type Course interface {
	// Pause stops a digest that is being sent or waits, until it is resumed.
	Pause(ctx context.Context, id string) error
	// Resume lets a paused one go on.
	Resume(ctx context.Context, id string) error
	// Cancel ends one that is being sent, waits or is paused. Who was not sent a copy gets none.
	Cancel(ctx context.Context, id string) error
}

// Pause stops a digest that is on its way until it is resumed.
func (s *Service) Pause(ctx context.Context, id string, revs []int64) (Digest, error) {
	return s.steer(ctx, id, revs, "pause", s.Course.Pause)
}

// Resume lets a paused digest go on.
func (s *Service) Resume(ctx context.Context, id string, revs []int64) (Digest, error) {
	return s.steer(ctx, id, revs, "resume", s.Course.Resume)
}

// Cancel ends a scheduled digest before it starts, or one that is on its way where it is.
func (s *Service) Cancel(ctx context.Context, id string, revs []int64) (Digest, error) {
	old, err := s.at(ctx, id, revs)
	if err != nil {
		return Digest{}, err
	}
	switch old.Status {
	case Scheduled:
		return s.cancelScheduled(ctx, old, revs)
	case Sending, Waiting, Paused:
		return s.steer(ctx, id, revs, "cancel", s.Course.Cancel)
	}
	return Digest{}, wrongState(old, "cancelled")
}

// steer does something to a digest on its way, and returns it as it is then.
func (s *Service) steer(ctx context.Context, id string, revs []int64, op string, do func(context.Context, string) error) (Digest, error) {
	if _, err := s.at(ctx, id, revs); err != nil {
		return Digest{}, err
	}
	if err := do(ctx, id); err != nil {
		return Digest{}, fmt.Errorf("%s digest %s: %w", op, id, err)
	}
	return s.Digests.Get(ctx, id)
}

func (s *Service) cancelScheduled(ctx context.Context, old Digest, revs []int64) (Digest, error) {
	d := old
	now := seconds(s.Now())
	d.Status, d.Reason, d.UpdatedAt, d.EndedAt = Cancelled, "Cancelled by an editor before its hour.", now, now
	d.Slug = ""
	d.Rev++
	if err := s.Digests.Save(ctx, d, old); err != nil {
		return Digest{}, s.moved(err, "cancel", d.ID, revs)
	}
	s.disarm(ctx, old)
	return d, nil
}
