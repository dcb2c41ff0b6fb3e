package main

import (
	"slices"
	"testing"
	"time"
)

// TestBulkCallsAreLimited has SES take one bulk call a second, as its quotas page may be read: single sends fill the rate, and
// readers see no difference.
func TestBulkCallsAreLimited(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sends 1,200 mails")
	}
	const people, rate = 1200, 200
	w := newWorld(t, "", nil)
	w.do("PUT", w.Inbox+"/api/ses", []byte(`{"maxSendRate":200,"bulkCallsPerSecond":1}`), "Content-Type", "application/json").want(w, 200)
	w.crowd(people)
	id := w.newDigest(w.sampleArticle())
	d := w.sendNow(id)
	if p := d.Progress; p.Audience != people || p.Accepted != people || p.Failed+p.Skipped+p.Unresolved+p.Duplicates != 0 {
		t.Errorf("digest %+v", d)
	}
	var at []time.Time
	got, links := map[string]int{}, map[string]bool{}
	for _, m := range w.mails("") {
		at = append(at, m.AcceptedAt)
		got[m.To[0]]++
		links[m.Headers["List-Unsubscribe"]] = true
		if m.Tags["digest"] != id || m.Headers["List-Unsubscribe-Post"] == "" {
			t.Fatalf("mail %+v", m)
		}
	}
	if len(got) != people || len(links) != people || len(at) != people {
		t.Errorf("%d mails to %d people with %d links to leave, want %d", len(at), len(got), len(links), people)
	}
	slices.SortFunc(at, time.Time.Compare)
	// By bulk calls alone that is 25 % of the rate. A busy machine is granted half.
	used := float64(people-400) / at[people-1].Sub(at[400]).Seconds() / rate
	if t.Logf("%.1f %% of the rate used", used*100); used < 0.5 {
		t.Errorf("%.1f %% of the rate used", used*100)
	}
}
