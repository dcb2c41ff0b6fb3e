package digest

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/fault"
)

// A When says when to send. Exactly one of Now and SendAt is set.
type When struct {
	Now      bool
	SendAt   string // local time in Timezone, see LocalInstant
	Timezone string // IANA; with Now it may be empty, which means the list's own
}

// overdue is how long after its hour a digest that has not started is started by whoever looks at it. EventBridge Scheduler
// rings within a minute and tries again for longer.
const overdue = 5 * time.Minute

// Schedule freezes a draft's content and sets its hour. Errors that the linter finds are a *BlockedError.
func (s *Service) Schedule(ctx context.Context, id string, revs []int64, w When) (Digest, error) {
	if w.Now == (w.SendAt != "") {
		return Digest{}, fault.New(fault.Invalid, "Give either sendAt, with its timezone, or now: true.")
	}
	now := s.Now().UTC()
	old, err := s.at(ctx, id, revs)
	if err != nil {
		return Digest{}, err
	}
	if old.Status != Draft {
		return Digest{}, wrongState(old, "scheduled")
	}
	d, err := s.timed(old, w, now)
	if err != nil {
		return Digest{}, err
	}
	if d.Slug, err = s.Contents.FreeSlug(ctx, issueSlug(d)); err != nil {
		return Digest{}, fmt.Errorf("name digest %s: %w", id, err)
	}
	frozen, err := s.freeze(ctx, d)
	if err != nil {
		return Digest{}, err
	}
	d.Status, d.Reason, d.ContentHash, d.UpdatedAt = Scheduled, "", frozen.Hash, seconds(now)
	d.Version, d.Rev = old.Version+1, old.Rev+1
	if err := s.Contents.Schedule(ctx, d, old.Rev, frozen); err != nil {
		return Digest{}, s.moved(err, "schedule", id, revs)
	}
	if err := s.arm(ctx, d); err != nil {
		return Digest{}, err
	}
	d.Armed = d.Version
	return d, nil
}

// timed returns the digest with its hour.
func (s *Service) timed(d Digest, w When, now time.Time) (Digest, error) {
	zone := w.Timezone
	if zone == "" && w.Now {
		zone = s.Zone
	}
	d.Timezone = zone
	if w.Now {
		if _, err := Zone(zone); err != nil {
			return d, err
		}
		// To the millisecond, up, since whoever confirmed before this request is in the audience.
		d.SendAt = now.Add(time.Millisecond - 1).Truncate(time.Millisecond)
		return d, nil
	}
	var err error
	d.SendAt, err = LocalInstant(w.SendAt, zone, now)
	return d, err
}

// freeze renders a draft and refuses what must not go out.
func (s *Service) freeze(ctx context.Context, d Digest) (Frozen, error) {
	content, articles, err := s.content(ctx, d)
	if err != nil {
		return Frozen{}, err
	}
	if err := publishable(articles); err != nil {
		return Frozen{}, err
	}
	if err := blocked(s.lint(content, articles)); err != nil {
		return Frozen{}, err
	}
	f := freeze(d, content, articles)
	return f, checkSize(f)
}

// AlarmName is the name of the alarm of one scheduling.
func AlarmName(id string, version int64) string { return fmt.Sprintf("digest-%s-%d", id, version) }

// StartMessage is what an alarm tells dispatch.
func StartMessage(id string, version int64) []byte {
	return encode(struct {
		Kind    string `json:"kind"`
		Digest  string `json:"digest"`
		Version int64  `json:"version"`
	}{"start", id, version})
}

// arm sets the alarm of a scheduled digest and notes that it is set. It can be repeated.
func (s *Service) arm(ctx context.Context, d Digest) error {
	err := s.Scheduler.Once(ctx, AlarmName(d.ID, d.Version), d.SendAt, StartMessage(d.ID, d.Version))
	if err != nil {
		return fmt.Errorf("set alarm of digest %s, version %d: %w", d.ID, d.Version, err)
	}
	if err := s.Contents.Arm(ctx, d.ID, d.Version); err != nil {
		return fmt.Errorf("note alarm of digest %s, version %d: %w", d.ID, d.Version, err)
	}
	return nil
}

// disarm removes the alarm that a digest had. A failure is only logged: dispatch ignores an alarm of another version.
func (s *Service) disarm(ctx context.Context, old Digest) {
	if old.Status != Scheduled {
		return
	}
	if err := s.Scheduler.Delete(ctx, AlarmName(old.ID, old.Version)); err != nil {
		s.Log.WarnContext(ctx, "alarm of a changed digest not removed; it will be ignored", "digest", old.ID, "error", err)
	}
}

// heal sets the alarm of a scheduled digest that has none, and starts one whose hour has passed without it. A failure is
// logged, and the next look tries again.
func (s *Service) heal(ctx context.Context, d Digest) {
	if d.Status != Scheduled || d.Armed == d.Version && d.SendAt.Add(overdue).After(s.Now()) {
		return
	}
	if err := s.arm(ctx, d); err != nil {
		s.Log.ErrorContext(ctx, "digest has no alarm", "digest", d.ID, "error", err)
		return
	}
	s.Log.InfoContext(ctx, "alarm of a digest set again", "digest", d.ID, "version", d.Version)
}

// Heal looks at the newest digests and heals those that need it: for a function that runs by the clock, in case no editor
// looks.
func (s *Service) Heal(ctx context.Context) error {
	_, err := s.List(ctx, "", 100)
	return err
}
