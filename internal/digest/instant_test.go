package digest_test

import (
	"testing"
	"time"

	"tidings/internal/digest"
	"tidings/internal/fault"
)

var testNow = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func TestLocalInstant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sendAt, zone, want string }{
		{"winter", "2026-12-01T09:00:00", "America/Denver", "2026-12-01T16:00:00Z"},
		{"summer", "2026-07-01T09:00:00", "America/Denver", "2026-07-01T15:00:00Z"},
		{"without seconds", "2026-12-01T09:00", "America/Denver", "2026-12-01T16:00:00Z"},
		{"UTC", "2026-12-01T09:00:00", "UTC", "2026-12-01T09:00:00Z"},
		{"last second before the gap", "2027-03-14T01:59:59", "America/Denver", "2027-03-14T08:59:59Z"},
		{"first second after the gap", "2027-03-14T03:00:00", "America/Denver", "2027-03-14T09:00:00Z"},
		{"repeated means the first", "2026-11-01T01:30:00", "America/Denver", "2026-11-01T07:30:00Z"},
		{"first repeated second", "2026-11-01T01:00:00", "America/Denver", "2026-11-01T07:00:00Z"},
		{"after the repeat", "2026-11-01T02:00:00", "America/Denver", "2026-11-01T09:00:00Z"},
		{"before the repeat", "2026-11-01T00:59:59", "America/Denver", "2026-11-01T06:59:59Z"},
		{"repeat in Europe", "2026-10-25T02:15:00", "Europe/Berlin", "2026-10-25T00:15:00Z"},
		{"negative DST of Ireland", "2026-10-25T01:30:00", "Europe/Dublin", "2026-10-25T00:30:00Z"},
		{"half an hour repeats", "2026-04-05T01:45:00", "Australia/Lord_Howe", "2026-04-04T14:45:00Z"},
		{"repeat in the south", "2026-04-05T02:30:00", "Australia/Sydney", "2026-04-04T15:30:00Z"},
		{"offset of 5:45", "2026-06-01T00:00:00", "Asia/Kathmandu", "2026-05-31T18:15:00Z"},
		{"a second from now", "2026-01-15T05:00:01", "America/Denver", "2026-01-15T12:00:01Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := digest.LocalInstant(c.sendAt, c.zone, testNow)
			if err != nil {
				t.Fatal(err)
			}
			if s := got.Format(time.RFC3339); s != c.want {
				t.Errorf("%s in %s = %s, want %s", c.sendAt, c.zone, s, c.want)
			}
		})
	}
}

func TestLocalInstantRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sendAt, zone string
		code               fault.Code
	}{
		{"gap in Denver", "2027-03-14T02:30:00", "America/Denver", fault.Unprocessable},
		{"first second of the gap", "2027-03-14T02:00:00", "America/Denver", fault.Unprocessable},
		{"last second of the gap", "2027-03-14T02:59:59", "America/Denver", fault.Unprocessable},
		{"gap of half an hour", "2026-10-04T02:15:00", "Australia/Lord_Howe", fault.Unprocessable},
		{"gap at midnight", "2026-04-24T00:30:00", "Africa/Cairo", fault.Unprocessable},
		{"unknown zone", "2026-12-01T09:00:00", "America/Atlantis", fault.Unprocessable},
		{"no zone", "2026-12-01T09:00:00", "", fault.Unprocessable},
		{"the machine's zone", "2026-12-01T09:00:00", "Local", fault.Unprocessable},
		{"zone with a path", "2026-12-01T09:00:00", "../../etc/passwd", fault.Unprocessable},
		{"past", "2025-12-01T09:00:00", "America/Denver", fault.Unprocessable},
		{"this very second", "2026-01-15T05:00:00", "America/Denver", fault.Unprocessable},
		{"no such day", "2026-02-30T09:00:00", "America/Denver", fault.Unprocessable},
		{"no such hour", "2026-12-01T24:00:00", "America/Denver", fault.Unprocessable},
		{"with an offset", "2026-12-01T09:00:00Z", "America/Denver", fault.Invalid},
		{"a word", "tomorrow", "America/Denver", fault.Invalid},
		{"empty", "", "America/Denver", fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := digest.LocalInstant(c.sendAt, c.zone, testNow)
			if fault.CodeOf(err) != c.code {
				t.Errorf("%s in %s = %s, %v; want %s", c.sendAt, c.zone, got, err, c.code)
			}
		})
	}
}

// Every wall time that some instant shows must come back as the first instant that shows it.
func TestLocalInstantInvertsClocks(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"America/Denver", "Europe/Dublin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"} {
		loc, err := digest.Zone(zone)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]time.Time{}
		step := 15 * time.Minute
		for at := testNow.Add(time.Hour); at.Before(testNow.AddDate(1, 3, 0)); at = at.Add(step) {
			step = 15 * time.Minute
			if start, end := at.In(loc).ZoneBounds(); at.Sub(start) > 24*time.Hour && end.Sub(at) > 30*time.Hour {
				step = 5 * time.Hour // far from any change of the clocks
			}
			wall := at.In(loc).Format("2006-01-02T15:04:05")
			if _, ok := seen[wall]; !ok {
				seen[wall] = at
			}
			got, err := digest.LocalInstant(wall, zone, testNow)
			if err != nil || !got.Equal(seen[wall]) {
				t.Fatalf("%s in %s = %s, %v; want %s", wall, zone, got, err, seen[wall])
			}
		}
	}
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to digest.Status
		want     bool
	}{
		{digest.Draft, digest.Scheduled, true},
		{digest.Draft, digest.Sending, false},
		{digest.Scheduled, digest.Draft, true},
		{digest.Scheduled, digest.Sending, true},
		{digest.Scheduled, digest.Sent, false},
		{digest.Sending, digest.Scheduled, false},
		{digest.Sending, digest.Draft, false},
		{digest.Sending, digest.Waiting, true},
		{digest.Paused, digest.Sending, true},
		{digest.Cancelled, digest.Sending, false},
		{digest.Sent, digest.Draft, false},
		{digest.Failed, digest.Sending, false},
	} {
		if got := c.from.Can(c.to); got != c.want {
			t.Errorf("%s to %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
	for _, s := range []digest.Status{digest.Sent, digest.Cancelled, digest.Failed} {
		if !s.Ended() || s.Can(digest.Sending) || s.Can(digest.Draft) {
			t.Errorf("%s is not an end", s)
		}
	}
}

// Whatever an editor sends as a time is a fault, or an instant after now that the zone's clocks show as it was written.
func FuzzLocalInstant(f *testing.F) {
	f.Add("2026-12-01T09:00:00", "America/Denver")
	f.Add("2027-03-14T02:30", "America/Denver")
	f.Add("0000-00-00T00:00:00", "UTC")
	f.Add("9999-12-31T23:59:59", "../etc/passwd")
	f.Fuzz(func(t *testing.T, sendAt, zone string) {
		got, err := digest.LocalInstant(sendAt, zone, testNow)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Invalid && code != fault.Unprocessable {
				t.Errorf("%q in %q: %v", sendAt, zone, err)
			}
			return
		}
		loc, err := digest.Zone(zone)
		if err != nil || !got.After(testNow) || got.In(loc).Format("2006-01-02T15:04:05")[:len(sendAt)] != sendAt {
			t.Errorf("%q in %q = %s, %v", sendAt, zone, got, err)
		}
	})
}
