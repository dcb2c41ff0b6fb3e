package audience_test

import (
	"bytes"
	"context"
	"testing"
	"testing/fstest"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/internal/token"
	"tidings/templates"
)

// A desk keeps one subscriber, and what was changed of it.
type desk struct {
	audience.Subscriber
	change audience.Change
	event  audience.Event
}

func (d *desk) Profile(context.Context, string) (audience.Subscriber, error) {
	return d.Subscriber, nil
}

func (d *desk) Change(_ context.Context, _ string, c audience.Change, e audience.Event, _ int) error {
	d.change, d.event = c, e
	return nil
}

func TestPausesAreMonths(t *testing.T) {
	t.Parallel()
	ring, err := token.NewKeyring(token.Key{ID: 1, Secret: bytes.Repeat([]byte("k"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		now    string
		months int
		want   string
	}{
		{"2026-11-24", 1, "2026-12-24"}, {"2026-11-24", 6, "2027-05-24"}, {"2026-08-31", 6, "2027-02-28"}, {"2027-08-31", 6, "2028-02-29"},
		{"2026-10-31", 1, "2026-11-30"}, {"2026-12-31", 2, "2027-02-28"}, {"2026-11-30", 3, "2027-02-28"},
	} {
		now, err := time.Parse(time.DateOnly, c.now)
		if err != nil {
			t.Fatal(err)
		}
		d := &desk{Subscriber: audience.Subscriber{ID: "0123456789abcdefghijklmnop", Status: audience.Confirmed}}
		p := audience.Preferences{Tokens: ring, Profiles: d, Now: func() time.Time { return now }}
		text, err := ring.Sign(token.Claims{Purpose: token.Manage, Subscriber: d.ID, Issued: now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Save(t.Context(), text, audience.Edit{Pause: &c.months}, audience.Visit{}); err != nil {
			t.Fatal(err)
		}
		if d.change.PausedUntil == nil || d.change.PausedUntil.Format(time.DateOnly) != c.want || !d.event.PausedUntil.Equal(*d.change.PausedUntil) {
			t.Errorf("%s and %d months: %v, want %s", c.now, c.months, d.change.PausedUntil, c.want)
		}
		for _, bad := range []int{-1, 7} {
			if _, err := p.Save(t.Context(), text, audience.Edit{Pause: &bad}, audience.Visit{}); !fault.Is(err, fault.Invalid) {
				t.Errorf("a pause of %d months: %v", bad, err)
			}
		}
	}
}

func TestEveryConsentTextIsThere(t *testing.T) {
	t.Parallel()
	all, err := audience.LoadConsents(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	newest, err := audience.LoadConsent(templates.FS)
	if err != nil || newest.Version != len(all) || all[newest.Version] != newest {
		t.Errorf("newest %d of %d, %v", newest.Version, len(all), err)
	}
	for n := range len(all) {
		if all[n+1].Text == "" || all[n+1].Version != n+1 {
			t.Errorf("version %d is not there", n+1)
		}
	}
	if _, err := audience.LoadConsents(fstest.MapFS{"consent/v1.txt": {}, "consent/vx.txt": {}}); err == nil {
		t.Error("a text without a version was taken")
	}
}
