package doors

import (
	"testing"
	"time"
)

func TestParseAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, zone, want string }{
		{"at(2026-12-01T16:00:00)", "UTC", "2026-12-01T16:00:00Z"},
		{"at(2026-12-01T16:00:00)", "", "2026-12-01T16:00:00Z"},
		{"at(2026-12-01T09:00:00)", "America/Denver", "2026-12-01T16:00:00Z"},
		{"at(2026-12-01T09:00:00)", "Mars/Olympus", ""},
		{"at(2026-12-01T09:00:00)", "Local", ""},
		{"at(2026-12-01T09:00:00Z)", "", ""},
		{"at(2026-12-01T09:00:00.5)", "", ""},
		{"at(2026-12-01 09:00:00)", "", ""},
		{"at(2026-12-01T09:00:00", "", ""},
		{"2026-12-01T09:00:00", "", ""},
		{"cron(0 9 1 * ? *)", "", ""},
		{"", "", ""},
	} {
		at, ok := parseAt(c.expression, c.zone)
		if got := at.UTC().Format(time.RFC3339); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s in %s: %s, %v; want %s", c.expression, c.zone, got, ok, c.want)
		}
	}
}

// FuzzParseAt checks that what is understood is what was written.
func FuzzParseAt(f *testing.F) {
	f.Add("at(2026-12-01T16:00:00)", "UTC")
	f.Add("at(2026-03-08T02:30:00)", "America/Denver")
	f.Add("rate(1 minute)", "")
	f.Fuzz(func(t *testing.T, expression, zone string) {
		at, ok := parseAt(expression, zone)
		if ok && (at.IsZero() || "at("+at.Format("2006-01-02T15:04:05")+")" != expression) {
			t.Errorf("%q in %q is %s", expression, zone, at)
		}
	})
}
