package delivery_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/store"
)

// report reads all pages of a report.
func (w *world) report(outcome string, limit int) (items []digest.Recipient, totals digest.Progress) {
	w.t.Helper()
	ledger := store.Ledger{Table: w.db, Now: func() time.Time { return w.now }}
	r := &delivery.Reporter{Shards: ledger, Pages: ledger, Progress: w.counter}
	for cursor := ""; ; {
		page, err := r.Report(w.t.Context(), testDigest, outcome, cursor, limit)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page.Items) > limit || page.Items == nil {
			w.t.Fatalf("a page of %d for a limit of %d", len(page.Items), limit)
		}
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items, page.Totals
		}
	}
}

// TestEveryoneHasOneOutcome sends to people of every fate and reconciles: each recipient once, and as many as the figures say.
func TestEveryoneHasOneOutcome(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{200, 1000} { // one shard, and four
		w := newWorld(t, 1000)
		w.ses.rate = rate
		p := w.people.all
		want := map[string]string{}
		fate := func(i int, outcome string) { want[p[i].ID] = outcome }
		for i, ev := range map[int]map[string]string{
			250: {"type": "Bounce", "bounceType": "Permanent"}, 251: {"type": "Bounce", "bounceType": "Transient"},
			252: {"type": "Complaint"}, 253: {"type": "Reject"}, 254: {"type": "Rendering Failure"}, 255: {"type": "Delivery"},
		} {
			w.ses.later[p[i].Email] = ev
		}
		fate(250, "accepted bounced")
		fate(251, "accepted soft")
		fate(252, "accepted complained")
		fate(253, "failed rejected")
		fate(254, "failed unrendered")
		fate(255, "accepted delivered")
		p[10].PausedUntil = epoch.Add(24 * time.Hour)
		fate(10, "skipped paused")
		p[11].Topics = []string{"mood"}
		fate(11, "skipped topics")
		p[12].ConfirmedAt = epoch.Add(time.Minute) // not in the audience
		w.people.onRead = func() { p[13].Status = audience.Erased }
		fate(13, "skipped left")
		bad := p[300].Email
		fate(300, "failed dropped")
		w.ses.onCall = func(_ int, b delivery.Bulk) ([]delivery.Result, error, bool) {
			for _, e := range b.Entries {
				if e.To == bad {
					return nil, refuse(delivery.Refused, "MessageRejected"), true
				}
			}
			return nil, nil, false
		}
		w.schedule()
		w.run(time.Hour)
		w.wantStatus(digest.Sent)
		for _, limit := range []int{1000, 7} {
			items, totals := w.report("", limit)
			seen := map[string]bool{}
			sums := map[string]int64{}
			for _, i := range items {
				if seen[i.Subscriber] {
					t.Fatalf("%s is in the report twice", i.Subscriber)
				}
				seen[i.Subscriber] = true
				sums[i.Outcome]++
				if fate, ok := want[i.Subscriber]; ok && fate != i.Outcome+" "+i.Reason || !ok && i.Outcome != "accepted" {
					t.Errorf("%s: %s %s, want %q", i.Subscriber, i.Outcome, i.Reason, fate)
				}
			}
			if seen[p[12].ID] || len(items) != 999 || totals != w.progress() || totals.Audience != 999 || totals.Unresolved != 0 ||
				sums["accepted"] != totals.Accepted || sums["failed"] != totals.Failed || sums["skipped"] != totals.Skipped {
				t.Errorf("%d items, sums %v, totals %+v", len(items), sums, totals)
			}
		}
		if failed, _ := w.report("failed", 2); len(failed) != 3 {
			t.Errorf("failed: %v", failed)
		}
		if none, _ := w.report("unresolved", 100); len(none) != 0 {
			t.Errorf("unresolved: %v", none)
		}
	}
}

// TestReportWhileSending lists who waits for what, and later whose mail's fate can't be known.
func TestReportWhileSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.ses.silent = true
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		return nil, refuse(delivery.Ambiguous, "NoAnswer"), n == 1
	}
	if items, totals := w.report("", 10); len(items) != 0 || totals != (digest.Progress{}) {
		t.Errorf("before the start: %v, %+v", items, totals)
	}
	w.schedule()
	w.run(time.Hour)
	open, totals := w.report("unresolved", 100)
	if len(open) != 50 || totals.Unresolved != 50 || open[0].Reason != "attempted" {
		t.Errorf("%d unresolved, totals %+v", len(open), totals)
	}
	w.run(25 * time.Hour)
	w.wantStatus(digest.Sent)
	failed, totals := w.report("failed", 100)
	if len(failed) != 50 || failed[7].Reason != "unknown" || totals.Failed != 50 || totals.Accepted != 10 {
		t.Errorf("%d failed, totals %+v", len(failed), totals)
	}
}

// TestDuplicatesAreAlarmed has evidence of two attempts at the same people come in: one error for each, and a word to the editors.
func TestDuplicatesAreAlarmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.ses.onCall = func(n int, b delivery.Bulk) ([]delivery.Result, error, bool) {
		if n != 1 {
			return nil, nil, false
		}
		w.ses.silent = true // the events of these are lost, so that they are sent again
		for _, e := range b.Entries[:2] {
			w.ses.accept(b, e)
		}
		w.ses.silent = false
		return nil, refuse(delivery.Ambiguous, "NoAnswer"), true
	}
	w.schedule()
	w.run(9*time.Minute + 30*time.Second)
	for range 2 { // the events of the first attempt come late, twice
		for slot := range 2 {
			w.agenda = append(w.agenda, appointment{at: w.now, kind: "event", body: event(slot, nil)})
		}
	}
	w.run(time.Hour)
	w.wantStatus(digest.Sent)
	if p := w.progress(); p.Duplicates != 2 || p.Accepted != 60 {
		t.Errorf("progress %+v, want 2 duplicates", p)
	}
	if n := strings.Count(w.log.String(), "level=ERROR msg=\"duplicates"); n != 1 {
		t.Errorf("%d alarms; log:\n%s", n, w.log)
	}
	twice := 0
	items, _ := w.report("accepted", 100)
	for _, i := range items {
		if i.Reason == "twice" {
			twice++
		}
	}
	if twice != 2 {
		t.Errorf("%d reported as having two copies, want 2", twice)
	}
}

func TestReportsRefuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.schedule()
	w.run(time.Hour)
	ledger := store.Ledger{Table: w.db}
	r := &delivery.Reporter{Shards: ledger, Pages: ledger, Progress: w.counter}
	for _, c := range []struct{ outcome, cursor string }{{"lost", ""}, {"", "x"}, {"", "1.2"}, {"", "-1.0.0"}, {"", "0.0.0 "}, {"", "0.0.99999999999999999999"}, {"Accepted", ""}} {
		if _, err := r.Report(t.Context(), testDigest, c.outcome, c.cursor, 10); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, cursor := range []string{"0.0.3", "0.0.70", "0.99999.0", "63.0.0", "64.0.0"} {
		if page, err := r.Report(t.Context(), testDigest, "", cursor, 10); err != nil || len(page.Items) != 0 || page.Next != "" {
			t.Errorf("%s: %+v, %v", cursor, page, err)
		}
	}
}

// FuzzReportCursor reads pages from wherever somebody says: an error for people, or lines that are in the ledger.
func FuzzReportCursor(f *testing.F) {
	for _, s := range []string{"", "0.0.0", "0.0.2", "1.0.0", "0.-1.0", "0.9223372036854775807.1", "63.1.49", "a.b.c", "0.0.0.0", "+0.0.0", "0.0.00"} {
		f.Add(s, 10)
	}
	w := newWorld(f, 3)
	w.schedule()
	w.run(time.Hour)
	ledger := store.Ledger{Table: w.db}
	r := &delivery.Reporter{Shards: ledger, Pages: ledger, Progress: w.counter}
	f.Fuzz(func(t *testing.T, cursor string, limit int) {
		page, err := r.Report(t.Context(), testDigest, "", cursor, 1+(limit&7))
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v", cursor, err)
		}
		if len(page.Items) > min(3, 1+(limit&7)) {
			t.Fatalf("%q: %d items of 3", cursor, len(page.Items))
		}
	})
}
