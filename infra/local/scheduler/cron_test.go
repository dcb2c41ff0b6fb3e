package scheduler

import (
	"strings"
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression, zone, after, want string
	}{
		{"cron(0 9 1 * ? *)", "", "2026-11-24T22:00:00Z", "2026-12-01T09:00:00Z 2027-01-01T09:00:00Z"},
		{"cron(0 9 1 * ? *)", "America/Denver", "2026-10-20T00:00:00Z", "2026-11-01T16:00:00Z 2026-12-01T16:00:00Z"},
		{"cron(0 9 1 * ? *)", "America/Denver", "2026-03-01T15:59:59Z", "2026-03-01T16:00:00Z 2026-04-01T15:00:00Z"},
		{"cron(0 9 1 * ? *)", "Pacific/Kiritimati", "2026-11-24T22:00:00Z", "2026-11-30T19:00:00Z"},
		// The spring gap of 8 March 2026 in Denver, 2:00 to 3:00, is skipped; others of the day are not.
		{"cron(30 2 * * ? *)", "America/Denver", "2026-03-07T09:30:00Z", "2026-03-09T08:30:00Z"},
		{"cron(0/30 1-3 8 3 ? 2026)", "America/Denver", "2026-03-08T00:00:00Z", "2026-03-08T08:00:00Z 2026-03-08T08:30:00Z 2026-03-08T09:00:00Z 2026-03-08T09:30:00Z "},
		// 1:30 comes twice on 1 November 2026 and fires the first time.
		{"cron(30 1 * * ? *)", "America/Denver", "2026-11-01T00:00:00Z", "2026-11-01T07:30:00Z 2026-11-02T08:30:00Z"},
		{"cron(30 1 * * ? *)", "America/Denver", "2026-11-01T08:00:00Z", "2026-11-02T08:30:00Z"},
		{"cron(0 12 ? * MON-FRI *)", "", "2026-11-27T13:00:00Z", "2026-11-30T12:00:00Z"},
		{"cron(0 12 ? * 1,SAT *)", "", "2026-11-27T13:00:00Z", "2026-11-28T12:00:00Z 2026-11-29T12:00:00Z 2026-12-05T12:00:00Z"},
		{"cron(15 10 29 FEB ? *)", "", "2026-11-27T13:00:00Z", "2028-02-29T10:15:00Z"},
		{"cron(5/20 8 ? jan-mar/2 * 2027-2028)", "", "2027-01-31T08:25:00Z", "2027-01-31T08:45:00Z 2027-03-01T08:05:00Z"},
		{"cron(* * * * ? *)", "", "2026-12-31T23:58:59Z", "2026-12-31T23:59:00Z 2027-01-01T00:00:00Z"},
		{"cron(0 0 1 1 ? 2020)", "", "2026-12-31T23:58:59Z", ""},
		{"cron(0 0 31 2 ? *)", "", "2026-12-31T23:58:59Z", ""},
		{"rate(1 minute)", "", "2026-12-31T23:59:30Z", "2027-01-01T00:00:30Z"},
		{"rate(36 hours)", "", "2026-12-31T00:00:00Z", "2027-01-01T12:00:00Z"},
		{"rate(2 days)", "", "2026-12-31T00:00:00Z", "2027-01-02T00:00:00Z"},
	} {
		r, err := parse(c.expression, c.zone)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		for want := range strings.SplitSeq(c.want, " ") {
			got := ""
			if at = r.next(at); !at.IsZero() {
				got = at.UTC().Format(time.RFC3339)
			}
			if got != want {
				t.Errorf("%s in %q: %q, want %q", c.expression, c.zone, got, want)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", "cron", "cron(", "0 9 1 * ? *", "cron(0 9 1 * ?)", "cron(0 9 1 * * *)", "cron(0 9 ? * ? *)", "cron(60 9 1 * ? *)", "cron(0 24 1 * ? *)",
		"cron(0 9 0 * ? *)", "cron(0 9 32 * ? *)", "cron(0 9 1 13 ? *)", "cron(0 9 ? * 0 *)", "cron(0 9 ? * 8 *)", "cron(0 9 1 * ? 1969)", "cron(0 9 1 * ? 2200)",
		"cron(0 9 L * ? *)", "cron(0 9 15W * ? *)", "cron(0 9 ? * 6#3 *)", "cron(? 9 1 * ? *)", "cron(5-1 9 1 * ? *)", "cron(*/0 9 1 * ? *)", "cron(1/ 9 1 * ? *)",
		"cron(, 9 1 * ? *)", "cron(-1 9 1 * ? *)", "cron(0 9 1 XYZ ? *)", "rate(0 minutes)", "rate(-1 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(5 weeks)",
		"rate(5)", "rate(9999999999999999999 minutes)", "at(2026-01-01T00:00:00)",
	} {
		if r, err := parse(expression, ""); err == nil {
			t.Errorf("%s is taken as %+v", expression, r)
		}
	}
	for _, zone := range []string{"Local", "Denver", "../etc/passwd", "America/Denver "} {
		if _, err := parse("cron(0 9 1 * ? *)", zone); err == nil {
			t.Errorf("zone %q is taken", zone)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("cron(0 9 1 * ? *)", "America/Denver", int64(1_800_000_000))
	f.Add("cron(0/5 1-3,5 ? JAN-MAR MON 2026)", "UTC", int64(1_790_000_000))
	f.Add("rate(5 minutes)", "", int64(0))
	f.Fuzz(func(t *testing.T, expression, zone string, seconds int64) {
		r, err := parse(expression, zone)
		if err != nil || seconds < 0 || seconds > 5_000_000_000 {
			return
		}
		after := time.Unix(seconds, 0)
		if next := r.next(after); !next.IsZero() && !next.After(after) {
			t.Errorf("%q in %q after %v is %v", expression, zone, after, next)
		}
	})
}
