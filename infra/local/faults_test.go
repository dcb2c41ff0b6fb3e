package main

import (
	"testing"
	"time"
)

// TestUnclearAnswers lets SES's answers to sends get lost, with and without an effect. Nobody is mailed twice and nobody is lost,
// once the grace has passed in which SES's events tell which it was.
func TestUnclearAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]string{
		"accepted, then cut off": `{"kind":"drop","op":"SendBulkEmail","after":1,"count":1}`,
		"cut off before":         `{"kind":"reset","op":"SendBulkEmail","after":1,"count":1}`,
		"an internal error":      `{"kind":"error","op":"SendBulkEmail","after":1,"count":1}`,
		"throttled":              `{"kind":"error","op":"SendBulkEmail","code":"TooManyRequestsException","after":1,"count":2}`,
		"some entries fail":      `{"kind":"entry","indexes":[0,7],"status":"TRANSIENT_FAILURE","accept":true,"after":1,"count":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", nil)
			w.do("PUT", w.Inbox+"/api/ses", []byte(`{"faults":[`+fault+`]}`)).want(t, 200)
			emails := w.crowd(120)
			id := w.newDigest(w.sampleArticle())
			w.editor("POST", "/digests/"+id+"/schedule", map[string]any{"now": true}).want(t, 200)
			var d digestJSON
			for range 30 { // minutes: the grace is six
				w.advance(time.Minute)
				if d = w.digest(id); d.Status == "sent" {
					break
				}
			}
			var left struct{ Faults []struct{ Count int } }
			w.do("GET", w.Inbox+"/api/ses", nil).want(t, 200).into(t, &left)
			if len(left.Faults) > 0 {
				t.Errorf("the fault did not happen: %+v", left)
			}
			if p := d.Progress; d.Status != "sent" || p.Accepted != 120 || p.Failed+p.Unresolved+p.Duplicates != 0 {
				t.Errorf("digest %+v", d)
			}
			for _, email := range emails {
				if n := w.digests(email); n != 1 {
					t.Errorf("%s has %d digests", email, n)
				}
			}
		})
	}
}
