package digest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/fault"
)

// later is a time at which a digest of these tests goes out.
var later = digest.When{SendAt: "2026-12-01T09:00:00", Timezone: "America/Denver"}

func TestScheduleFreezes(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	got, err := k.Schedule(t.Context(), d.ID, []int64{1}, later)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != digest.Scheduled || got.Version != 1 || got.Armed != 1 || got.Rev != 2 || got.Timezone != "America/Denver" ||
		!got.SendAt.Equal(time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC)) || len(got.ContentHash) != 64 {
		t.Errorf("%+v", got)
	}
	a, ok := k.alarms.set[digest.AlarmName(d.ID, 1)]
	if !ok || !a.at.Equal(got.SendAt) {
		t.Fatalf("alarms %v", k.alarms.set)
	}
	var start struct {
		Kind, Digest string
		Version      int64
	}
	if err := json.Unmarshal([]byte(a.payload), &start); err != nil || start.Kind != "start" || start.Digest != d.ID || start.Version != 1 {
		t.Errorf("alarm says %s", a.payload)
	}
	before, err := k.Preview(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	// What happens to the articles now changes nothing about what goes out.
	if _, err := k.articles.Update(t.Context(), "sleep", nil, article.Change{Title: ptr("Sleepless")}); err != nil {
		t.Fatal(err)
	}
	if after, err := k.Preview(t.Context(), d.ID); err != nil || after.Text != before.Text {
		t.Errorf("preview changed: %v", err)
	}
	if err := k.articles.Delete(t.Context(), "sleep", nil); err != nil {
		t.Fatal(err)
	}
	if after, err := k.Preview(t.Context(), d.ID); err != nil || after.Text != before.Text {
		t.Errorf("preview changed: %v", err)
	}
	f, err := k.digests.Frozen(t.Context(), d.ID)
	if err != nil || f.Hash != got.ContentHash || f.Sum() != got.ContentHash || strings.Join(f.Topics, " ") != "sleep" || strings.Join(f.Articles, " ") != "sleep" {
		t.Errorf("frozen %+v, %v", f, err)
	}
	for name, change := range map[string]func(*digest.Frozen){
		"subject": func(f *digest.Frozen) { f.Subject += "!" }, "html": func(f *digest.Frozen) { f.HTML += "!" },
		"text": func(f *digest.Frozen) { f.Text += "!" }, "preheader": func(f *digest.Frozen) { f.Preheader += "!" },
		"topics": func(f *digest.Frozen) { f.Topics = nil },
	} {
		other := f
		if change(&other); other.Sum() == f.Sum() {
			t.Errorf("the hash does not cover the %s", name)
		}
	}
}

func TestTopicsOfADigest(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	a, b, all := k.publish("A", article.StatusPublished, "sleep", "pain"), k.publish("B", article.StatusPublished, "pain"), k.publish("C", article.StatusPublished)
	for _, c := range []struct {
		slugs []string
		want  string
	}{{[]string{a, b}, "pain sleep"}, {[]string{b}, "pain"}, {[]string{a, all}, ""}} {
		d, err := k.Create(t.Context(), digest.Change{Title: ptr("News"), Articles: &c.slugs})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Schedule(t.Context(), d.ID, nil, later); err != nil {
			t.Fatal(err)
		}
		if f, err := k.digests.Frozen(t.Context(), d.ID); err != nil || strings.Join(f.Topics, " ") != c.want {
			t.Errorf("%v is about %v, want %q (%v)", c.slugs, f.Topics, c.want, err)
		}
	}
}

func TestScheduleRefuses(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	good := k.draft()
	draft, huge := k.publish("Plan", article.StatusDraft), strings.Repeat("<", 8000)
	with := func(c digest.Change) string {
		c.Title = ptr("News")
		d, err := k.Create(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return d.ID
	}
	for _, c := range []struct {
		name, id string
		when     digest.When
		code     fault.Code
	}{
		{"neither", good.ID, digest.When{}, fault.Invalid},
		{"a zone alone", good.ID, digest.When{Timezone: "America/Denver"}, fault.Invalid},
		{"both", good.ID, digest.When{Now: true, SendAt: later.SendAt}, fault.Invalid},
		{"not a time", good.ID, digest.When{SendAt: "soon", Timezone: "UTC"}, fault.Invalid},
		{"with an offset", good.ID, digest.When{SendAt: "2026-12-01T09:00:00Z", Timezone: "UTC"}, fault.Invalid},
		{"no zone", good.ID, digest.When{SendAt: later.SendAt}, fault.Unprocessable},
		{"past", good.ID, digest.When{SendAt: "2026-11-24T04:59:00", Timezone: "America/Denver"}, fault.Unprocessable},
		{"DST gap", good.ID, digest.When{SendAt: "2027-03-14T02:30:00", Timezone: "America/Denver"}, fault.Unprocessable},
		{"unknown zone", good.ID, digest.When{SendAt: later.SendAt, Timezone: "Mars/Base"}, fault.Unprocessable},
		{"now in an unknown zone", good.ID, digest.When{Now: true, Timezone: "Mars/Base"}, fault.Unprocessable},
		{"unknown digest", "none", later, fault.NotFound},
		{"no articles", with(digest.Change{}), later, fault.Unprocessable},
		{"a draft in it", with(digest.Change{Articles: &[]string{"sleep", draft}}), later, fault.Unprocessable},
		{"the linter's error", with(digest.Change{Articles: &[]string{"sleep"}, Intro: ptr("A miracle")}), later, fault.Unprocessable},
		{"a warning only", with(digest.Change{Articles: &[]string{"sleep"}, Intro: ptr("A breakthrough")}), later, ""},
		{"much to escape", with(digest.Change{Articles: &[]string{"sleep"}, Intro: &huge}), later, ""},
	} {
		d, err := k.Schedule(t.Context(), c.id, nil, c.when)
		wants(t, c.name, err, c.code)
		if b, ok := errors.AsType[*digest.BlockedError](err); ok != (c.name == "the linter's error") || ok && (len(b.Findings) != 1 || b.Findings[0].Rule != "med-claims") {
			t.Errorf("%s: blocked by %+v", c.name, b)
		}
		if _, set := k.alarms.set[digest.AlarmName(d.ID, 1)]; set != (c.code == "") {
			t.Errorf("%s: alarm set: %v", c.name, set)
		}
	}
	if d, err := k.Get(t.Context(), good.ID); err != nil || d.Rev != 1 || d.Status != digest.Draft {
		t.Errorf("refusals changed the digest: %+v, %v", d, err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	for _, c := range []struct {
		name string
		when digest.When
		want string
		zone string
	}{
		{"without seconds", digest.When{SendAt: "2026-12-01T09:00", Timezone: "America/Denver"}, "2026-12-01T16:00:00Z", "America/Denver"},
		{"repeated hour", digest.When{SendAt: "2027-11-07T01:30:00", Timezone: "America/New_York"}, "2027-11-07T05:30:00Z", "America/New_York"},
		{"now, up to the millisecond", digest.When{Now: true}, "2026-11-24T12:00:00.001Z", "America/Denver"},
	} {
		d, err := k.Create(t.Context(), digest.Change{Title: ptr("News"), Articles: &[]string{k.publish(c.name, article.StatusPublished)}})
		if err != nil {
			t.Fatal(err)
		}
		if d, err = k.Schedule(t.Context(), d.ID, nil, c.when); err != nil || d.SendAt.Format(time.RFC3339Nano) != c.want || d.Timezone != c.zone {
			t.Errorf("%s: %s in %s, %v; want %s", c.name, d.SendAt.Format(time.RFC3339Nano), d.Timezone, err, c.want)
		}
		if got, err := k.Get(t.Context(), d.ID); err != nil || !got.SendAt.Equal(d.SendAt) {
			t.Errorf("%s: kept as %s, %v", c.name, got.SendAt, err)
		}
	}
}

func TestEditAndScheduleAgain(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	first, err := k.Schedule(t.Context(), d.ID, nil, later)
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Schedule(t.Context(), d.ID, nil, later)
	wants(t, "schedule twice", err, fault.Conflict)
	back, err := k.Update(t.Context(), d.ID, nil, digest.Change{Intro: ptr("One more thing.")})
	if err != nil || back.Status != digest.Draft || back.ContentHash != "" || !back.SendAt.IsZero() || back.Timezone != "" || back.Version != 1 {
		t.Errorf("%+v, %v", back, err)
	}
	if len(k.alarms.set) > 0 {
		t.Errorf("alarms %v", k.alarms.set)
	}
	second, err := k.Schedule(t.Context(), d.ID, nil, later)
	if err != nil || second.Version != 2 || second.ContentHash == first.ContentHash || len(k.alarms.set) != 1 {
		t.Errorf("%+v, %v, alarms %v", second, err, k.alarms.set)
	}
	if f, err := k.digests.Frozen(t.Context(), d.ID); err != nil || f.Hash != second.ContentHash {
		t.Errorf("frozen %s, %v", f.Hash, err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	_, err := k.Cancel(t.Context(), d.ID, nil)
	wants(t, "a draft", err, fault.Conflict)
	if _, err := k.Schedule(t.Context(), d.ID, nil, later); err != nil {
		t.Fatal(err)
	}
	_, err = k.Cancel(t.Context(), d.ID, []int64{1})
	wants(t, "old revision", err, fault.Stale)
	got, err := k.Cancel(t.Context(), d.ID, []int64{2})
	if err != nil || got.Status != digest.Cancelled || got.Reason == "" || got.EndedAt.IsZero() || len(k.alarms.set) > 0 {
		t.Errorf("%+v, %v, alarms %v", got, err, k.alarms.set)
	}
	_, err = k.Cancel(t.Context(), d.ID, nil)
	wants(t, "again", err, fault.Conflict)
	_, err = k.Update(t.Context(), d.ID, nil, digest.Change{Title: ptr("x")})
	wants(t, "change", err, fault.Conflict)
	_, err = k.Schedule(t.Context(), d.ID, nil, later)
	wants(t, "schedule", err, fault.Conflict)
	_, err = k.Cancel(t.Context(), "none", nil)
	wants(t, "unknown", err, fault.NotFound)
	if p, err := k.Preview(t.Context(), d.ID); err != nil || p.Subject != "News" {
		t.Errorf("preview of a cancelled one: %v", err)
	}
}

// A crash between the table's write and the alarm leaves a scheduled digest without one. Whoever looks sets it.
func TestCrashBeforeTheAlarm(t *testing.T) {
	t.Parallel()
	look := map[string]func(*desk, string) error{
		"get":  func(k *desk, id string) error { _, err := k.Get(k.t.Context(), id); return err },
		"list": func(k *desk, _ string) error { _, err := k.List(k.t.Context(), "", 10); return err },
		"heal": func(k *desk, _ string) error { return k.Heal(k.t.Context()) },
	}
	for name, look := range look {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newDesk(t)
			d := k.draft()
			k.alarms.fail = errors.New("scheduler is down")
			if _, err := k.Schedule(t.Context(), d.ID, nil, later); err == nil {
				t.Fatal("scheduled without an alarm, and no error")
			}
			if err := look(k, d.ID); err != nil || !strings.Contains(k.log.String(), "no alarm") {
				t.Errorf("while the scheduler is down: %v, logged %q", err, k.log)
			}
			k.alarms.fail = nil
			if err := look(k, d.ID); err != nil {
				t.Fatal(err)
			}
			got, err := k.Get(t.Context(), d.ID)
			if a := k.alarms.set[digest.AlarmName(d.ID, 1)]; err != nil || got.Armed != 1 || got.Rev != 2 || !a.at.Equal(got.SendAt) {
				t.Errorf("%+v, %v, alarms %v", got, err, k.alarms.set)
			}
			// It is not touched again while it waits, and is started when its hour has passed without a ring.
			clear(k.alarms.set)
			if k.now = got.SendAt; look(k, d.ID) != nil || len(k.alarms.set) > 0 {
				t.Errorf("alarms %v", k.alarms.set)
			}
			if k.now = got.SendAt.Add(5 * time.Minute); look(k, d.ID) != nil || len(k.alarms.set) != 1 {
				t.Errorf("overdue: alarms %v", k.alarms.set)
			}
		})
	}
}

// An alarm that can't be removed does no harm: it is of another version.
func TestAlarmThatStays(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	d := k.draft()
	if _, err := k.Schedule(t.Context(), d.ID, nil, later); err != nil {
		t.Fatal(err)
	}
	k.alarms.fail = errors.New("scheduler is down")
	if _, err := k.Update(t.Context(), d.ID, nil, digest.Change{Title: ptr("x")}); err != nil || !strings.Contains(k.log.String(), "not removed") {
		t.Errorf("%v, logged %q", err, k.log)
	}
	if err := k.digests.Arm(t.Context(), d.ID, 9); err != nil {
		t.Errorf("arm another version: %v", err)
	}
	if got, err := k.Get(t.Context(), d.ID); err != nil || got.Armed == 9 {
		t.Errorf("armed %d, %v", got.Armed, err)
	}
}
