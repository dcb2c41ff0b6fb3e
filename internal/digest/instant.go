package digest

import (
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // Lambda's provided.al2023 need not have the zones

	"tidings/internal/fault"
)

// localForm is a local time as editors send it; seconds may be left out, as browsers' datetime-local fields do.
var localForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$`)

// Zone loads an IANA time zone. Unlike time.LoadLocation it takes neither "" nor "Local", which would mean whatever the
// machine thinks. The zone database is embedded, so that no machine lacks it.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" || strings.TrimSpace(name) != name {
		return nil, unknownZone()
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknownZone()
	}
	return loc, nil
}

func unknownZone() error {
	return fault.Field(fault.Unprocessable, "timezone", "This is not a known IANA time zone. Use one such as America/Denver.")
}

// LocalInstant returns the instant, in UTC, of a local time such as 2026-12-01T09:00:00 in an IANA zone. A time that the
// zone's clocks show twice means the first. A time that they skip, that is not after now or that no calendar has, and an
// unknown zone are fault.Unprocessable; anything that is not of the form is fault.Invalid.
func LocalInstant(sendAt, zone string, now time.Time) (time.Time, error) {
	if !localForm.MatchString(sendAt) {
		return time.Time{}, fault.Field(fault.Invalid, "sendAt",
			"Give the local time as 2026-12-01T09:00:00, without an offset; the zone stands in timezone.")
	}
	loc, err := Zone(zone)
	if err != nil {
		return time.Time{}, err
	}
	if len(sendAt) == len("2006-01-02T15:04") {
		sendAt += ":00"
	}
	wall, err := time.Parse("2006-01-02T15:04:05", sendAt)
	if err != nil {
		return time.Time{}, fault.Field(fault.Unprocessable, "sendAt", "There is no such date or time.")
	}
	t, ok := first(wall, loc)
	if !ok {
		return time.Time{}, fault.Field(fault.Unprocessable, "sendAt",
			"Clocks in %s skip this time because of a clock change. Choose an earlier or a later one.", zone)
	}
	if !t.After(now) {
		return time.Time{}, fault.Field(fault.Unprocessable, "sendAt", "This time has passed. Choose a later one.")
	}
	return t, nil
}

// first returns the earliest instant at which clocks in loc show the wall time, and false when they never do. time.Date
// does not promise which of two it takes, so the offsets before, in and after the time's zone period are all tried.
func first(wall time.Time, loc *time.Location) (time.Time, bool) {
	near := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, loc)
	probes := []time.Time{near}
	start, end := near.ZoneBounds()
	if !start.IsZero() {
		probes = append(probes, start.Add(-time.Second))
	}
	if !end.IsZero() {
		probes = append(probes, end)
	}
	var best time.Time
	for _, p := range probes {
		_, offset := p.Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		local := t.In(loc)
		shows := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
		if shows.Equal(wall) && (best.IsZero() || t.Before(best)) {
			best = t
		}
	}
	return best, !best.IsZero()
}
