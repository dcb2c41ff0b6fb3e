package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidings/internal/digest"
)

// A recurrence says when a schedule fires again.
type recurrence interface {
	// next returns the first time after the one given at which the schedule fires; the zero time when there is none.
	next(after time.Time) time.Time
}

// A rate fires at equal distances.
type rate time.Duration

func (r rate) next(after time.Time) time.Time { return after.Add(time.Duration(r)) }

// A cron fires at local times. One that the zone's clocks skip is skipped; one that they show twice fires the first time. (EventBridge
// Scheduler user guide, "Daylight savings time".)
type cron struct {
	minutes, hours, days, months, weekdays, years field
	zone                                          string
	location                                      *time.Location
}

// parse reads an expression: rate(value unit), or cron(minutes hours day-of-month month day-of-week year) with lists, ranges, steps,
// names, * and ?. L, W and # are not understood here, and refused.
func parse(expression, zone string) (recurrence, error) {
	kind, rest, _ := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	fields := strings.Fields(inner)
	switch {
	case !closed:
	case kind == "rate" && len(fields) == 2:
		return parseRate(fields[0], fields[1])
	case kind == "cron" && len(fields) == 6:
		return parseCron(fields, zone)
	}
	return nil, fmt.Errorf("schedule expression %q is not rate(value unit) or cron(six fields)", expression)
}

func parseRate(value, unit string) (recurrence, error) {
	n, err := strconv.Atoi(value)
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	d, ok := units[strings.TrimSuffix(unit, "s")]
	if err != nil || !ok || n < 1 || n > 1_000_000 && d > time.Minute || n > 100_000_000 || (n == 1) == strings.HasSuffix(unit, "s") {
		return nil, fmt.Errorf("rate(%s %s) is not a number and minute(s), hour(s) or day(s)", value, unit)
	}
	// A day is 24 hours, whatever clocks do.
	return rate(time.Duration(min(n, 100*366*24*60)) * d), nil
}

var (
	monthNames   = []string{"", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	weekdayNames = []string{"", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

const firstYear, lastYear = 1970, 2199

func parseCron(fields []string, zone string) (recurrence, error) {
	if zone == "" {
		zone = "UTC"
	}
	location, err := digest.Zone(zone)
	if err != nil {
		return nil, fmt.Errorf("schedule's zone %q is not an IANA time zone", zone)
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, fmt.Errorf("cron(%s): one of day-of-month and day-of-week is ?, the other is not", strings.Join(fields, " "))
	}
	c := &cron{zone: zone, location: location}
	for i, f := range []struct {
		to       *field
		min, max int
		names    []string
	}{
		{&c.minutes, 0, 59, nil}, {&c.hours, 0, 23, nil}, {&c.days, 1, 31, nil}, {&c.months, 1, 12, monthNames},
		{&c.weekdays, 1, 7, weekdayNames}, {&c.years, firstYear, lastYear, nil},
	} {
		text := fields[i]
		if text == "?" && (i == 2 || i == 4) {
			text = "*"
		}
		if *f.to, err = parseField(text, f.min, f.max, f.names); err != nil {
			return nil, fmt.Errorf("cron(%s): %w", strings.Join(fields, " "), err)
		}
	}
	return c, nil
}

// A field is the set of values that a field of a cron expression allows.
type field []bool

// parseField reads a list of values, ranges and steps.
func parseField(text string, lowest, highest int, names []string) (field, error) {
	f := make(field, highest+1)
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > highest {
				return nil, fmt.Errorf("step of %q", part)
			}
		}
		from, to := lowest, highest
		if span != "*" {
			low, high, ranged := strings.Cut(span, "-")
			var ok bool
			if from, ok = value(low, lowest, highest, names); !ok {
				return nil, fmt.Errorf("%q is not understood", part)
			}
			switch {
			case ranged:
				if to, ok = value(high, lowest, highest, names); !ok || to < from {
					return nil, fmt.Errorf("range %q", part)
				}
			case !stepped:
				to = from
			}
		}
		for v := from; v <= to; v += step {
			f[v] = true
		}
	}
	return f, nil
}

// value reads a number within bounds or a name.
func value(text string, lowest, highest int, names []string) (int, bool) {
	for i, name := range names {
		if name != "" && strings.EqualFold(name, text) {
			return i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= lowest && n <= highest
}

func (c *cron) next(after time.Time) time.Time {
	local := after.In(c.location)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC) // a date only
	earliest := local.Hour()*60 + local.Minute() + 1                                 // minute of the first day
	for ; day.Year() <= lastYear; day = day.AddDate(0, 0, 1) {
		if day.Year() >= firstYear && c.years[day.Year()] && c.months[day.Month()] && c.days[day.Day()] && c.weekdays[day.Weekday()+1] {
			if t := c.within(day, earliest, after); !t.IsZero() {
				return t
			}
		}
		earliest = 0
	}
	return time.Time{}
}

// within returns the first time of a day after one, and not before a minute of the day.
func (c *cron) within(day time.Time, earliest int, after time.Time) time.Time {
	for minute := earliest; minute < 24*60; minute++ {
		switch {
		case !c.hours[minute/60]:
			minute += 59 - minute%60
			continue
		case !c.minutes[minute%60]:
			continue
		}
		wall := day.Add(time.Duration(minute) * time.Minute).Format("2006-01-02T15:04")
		// Which local times exist, and which of two is meant, is the same question as for a digest's hour.
		if t, err := digest.LocalInstant(wall, c.zone, after); err == nil {
			return t
		}
	}
	return time.Time{}
}
