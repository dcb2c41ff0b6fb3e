package main

import (
	"net/url"
	"strings"
	"testing"
)

// TestWhoLeavesIsCounted has two of three people leave by the links of two digests, one of them again and again.
func TestWhoLeavesIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	slug := w.sampleArticle()
	emails := w.crowd(3)
	left := func(id string) int {
		var d struct{ Progress struct{ Unsubscribed int } }
		w.editor("GET", "/digests/"+id, nil).want(t, 200).into(t, &d)
		return d.Progress.Unsubscribed
	}
	leave := func(email string) {
		link := strings.Trim(w.mail(email, digestSubject).Headers["List-Unsubscribe"], "<>")
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		w.form(u.Path, url.Values{"List-Unsubscribe": {"One-Click"}}).want(t, 200)
	}
	first := w.newDigest(slug)
	w.sendNow(first)
	leave(emails[0])
	leave(emails[0])
	second := w.newDigest(slug)
	if d := w.sendNow(second); d.Progress.Audience != 2 {
		t.Errorf("second digest: %+v", d)
	}
	var report struct {
		Items  []struct{ Subscriber, Outcome, Reason string }
		Next   string
		Totals struct{ Audience, Accepted int }
	}
	w.editor("GET", "/digests/"+second+"/report", nil).want(t, 200).into(t, &report)
	if len(report.Items) != 2 || report.Items[0].Outcome != "accepted" || report.Next != "" || report.Totals.Audience != 2 || report.Totals.Accepted != 2 {
		t.Errorf("report %+v", report)
	}
	leave(emails[1])
	leave(emails[0]) // by the first one's link, long after having left
	if a, b := left(first), left(second); a != 1 || b != 1 {
		t.Errorf("%d left by the first digest and %d by the second, want one each", a, b)
	}
}
