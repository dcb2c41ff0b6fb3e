package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/app"
	"tidings/internal/audience"
	"tidings/internal/store"
)

// crowd puts confirmed subscribers onto the list, by the stores that sign-up and confirmation use: two writes each, without
// the mails between.
func (w *world) crowd(n int) []string {
	w.Helper()
	raw, err := os.ReadFile(w.data.file("keys.json"))
	if err != nil {
		w.Fatal(err)
	}
	keys, err := app.ParseKeys(raw)
	if err != nil {
		w.Fatal(err)
	}
	people := store.Subscribers{Table: w.table, Now: w.clock.Now, NewID: w.newID}
	emails := make([]string, n)
	var wait sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range emails {
		emails[i] = fmt.Sprintf("reader%04d@example.org", i)
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := enlist(w, people, keys.Identity, emails[i]); err != nil {
				w.Error(err)
			}
		})
	}
	wait.Wait()
	return emails
}

func enlist(w *world, people store.Subscribers, identity audience.Identity, email string) error {
	a, err := audience.ParseAddress(email)
	if err != nil {
		return err
	}
	at := w.clock.Now().UTC().Truncate(time.Millisecond)
	r := audience.Request{ID: identity.ID(a), Email: a.Sendable, Event: audience.Event{Kind: audience.EventRequested, At: at, How: audience.HowForm, IPHash: email}}
	if err := people.Add(w.Context(), r, 1<<20); err != nil {
		return err
	}
	return people.Confirm(w.Context(), r.ID, at, audience.Event{Kind: audience.EventConfirmed, At: at, How: audience.HowForm})
}

// TestTwoThousand sends a digest to 2,000 people and looks at each one's mailbox: one mail, with links of one's own.
func TestTwoThousand(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sends 2,000 mails")
	}
	w := newWorld(t, "", nil)
	w.do("PUT", w.Inbox+"/api/ses", []byte(`{"maxSendRate":1000}`), "Content-Type", "application/json").want(w, 200)
	emails := w.crowd(2000)
	id := w.newDigest(w.sampleArticle())
	d := w.sendNow(id)
	if p := d.Progress; p.Audience != 2000 || p.Accepted != 2000 || p.Failed+p.Skipped+p.Unresolved+p.Duplicates != 0 {
		t.Errorf("digest %+v", d)
	}
	got, links := map[string]int{}, map[string]bool{}
	for _, m := range w.mails("") {
		got[m.To[0]]++
		links[m.Headers["List-Unsubscribe"]] = true
		if len(m.To) != 1 || m.Subject != digestSubject || m.Tags["digest"] != id || !strings.Contains(m.Text, "/unsubscribe/") {
			t.Fatalf("mail %+v", m)
		}
	}
	if len(got) != len(emails) || len(links) != len(emails) {
		t.Errorf("%d people have mail with %d links to leave, want %d", len(got), len(links), len(emails))
	}
	for _, email := range emails {
		if got[email] != 1 {
			t.Errorf("%s has %d mails", email, got[email])
		}
	}
	w.clean(emails[0], emails[1999], "@example.org")
}

// TestFeedback signs up SES's simulator addresses: who bounces or complains gets no second digest.
func TestFeedback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	const at = "@simulator.amazonses.com"
	for _, name := range []string{"success", "complaint+a", "success+b"} {
		w.confirm(name + at)
	}
	w.crowd(1)
	slug := w.sampleArticle()
	id := w.newDigest(slug)
	if d := w.sendNow(id); d.Progress.Accepted != 4 {
		t.Errorf("first digest: %+v", d)
	}
	w.advance(time.Hour) // complaints take their time
	second := w.newDigest(slug)
	if d := w.sendNow(second); d.Progress.Audience != 3 {
		t.Errorf("second digest: %+v", d)
	}
	if n := w.digests("complaint+a" + at); n != 1 {
		t.Errorf("who complained has %d digests, want 1", n)
	}
}

// TestBadInput sends what must be refused, at the gateway, so that nothing on the way makes it good: each gets its status and
// changes nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct {
		method, path, contentType, body string
		status                          int
	}{
		{"POST", "/subscribe", js, `{"email":"no-domain"}`, 400},
		{"POST", "/subscribe", js, `{"email":"a@example.org\r\nBcc: b@example.org"}`, 400},
		{"POST", "/subscribe", js, `{"email":"<script>@example.org"}`, 400},
		{"POST", "/subscribe", js, `{"email":"` + strings.Repeat("a", 250) + `@example.org"}`, 400},
		{"POST", "/subscribe", js, `{"email":`, 400},
		{"POST", "/subscribe", js, `{"email":"a@example.org","admin":true}`, 400},
		{"POST", "/subscribe", form, "email=a%20b@example.org", 400},
		{"POST", "/subscribe", "text/plain", "a@example.org", 415},
		{"POST", "/subscribe", js, `{"email":"a@example.org","name":"` + strings.Repeat("a", 17<<10) + `"}`, 413},
		{"POST", "/subscribe", form, "email=a@example.org&website=bot", 202},
		{"DELETE", "/subscribe", "", "", 405},
		{"GET", "/confirm/forged", "", "", 404},
		{"POST", "/confirm/forged", "", "", 404},
		{"POST", "/unsubscribe/forged", form, "List-Unsubscribe=One-Click", 404},
		{"GET", "/articles/nothing-here", "", "", 404},
		{"GET", "/nowhere", "", "", 404},
		{"GET", "/editor/api/digests", "", "", 401},
		{"POST", "/editor/api/digests", js, "{}", 401},
	} {
		a := w.do(c.method, w.Site+c.path, []byte(c.body), "Content-Type", c.contentType)
		if a.status != c.status {
			t.Errorf("%s %s %.60s: status %d, want %d: %.200s", c.method, c.path, c.body, a.status, c.status, a.body)
		}
	}
	w.json(w.Site+"/subscribe", map[string]any{"email": "Grün@bücher.example"}).want(t, 400) // SES takes ASCII local parts only
	w.json(w.Site+"/subscribe", map[string]any{"email": "gruen@bücher.example"}).want(t, 202)
	w.settle()
	if all := w.mails(""); len(all) != 1 || !strings.HasSuffix(all[0].To[0], "@xn--bcher-kva.example") {
		t.Errorf("%d mails: %+v", len(all), all)
	}
	editor := "Bearer " + w.token("editor")
	w.do("POST", w.Site+"/editor/api/digests/unknown/schedule", []byte(`{"now":true}`), "Content-Type", js, "Authorization", editor).want(t, 403)
	w.do("GET", w.Site+"/editor/api/digests/unknown", nil, "Authorization", editor).want(t, 404)
	w.clean("bücher", "xn--bcher", "example.org", editor, visitorIP)
}

// TestBadTimes refuses hours that can't be, and cancels a digest before its hour.
func TestBadTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	id := w.newDigest(w.sampleArticle())
	for body, status := range map[string]int{
		`{"sendAt":"2020-01-01T09:00:00","timezone":"America/Denver"}`:            422, // past
		`{"sendAt":"2031-03-09T02:30:00","timezone":"America/Denver"}`:            422, // skipped by DST
		`{"sendAt":"2031-01-01T09:00:00","timezone":"Mars/Olympus"}`:              422,
		`{"sendAt":"2031-01-01T09:00:00","timezone":"America/Denver","now":true}`: 400,
		`{}`:                                     400,
		`{"sendAt":"tomorrow","timezone":"UTC"}`: 400,
	} {
		a := w.do("POST", w.Site+"/editor/api/digests/"+id+"/schedule", []byte(body), "Content-Type", "application/json", "Authorization", "Bearer "+w.token("publisher"))
		if a.status != status && !(status == 400 && a.status == 422 && strings.Contains(body, "tomorrow")) {
			t.Errorf("%s: status %d, want %d: %s", body, a.status, status, a.body)
		}
	}
	soon := w.clock.Now().UTC().Add(48 * time.Hour).Format("2006-01-02T15:04:05")
	w.editor("POST", "/digests/"+id+"/schedule", map[string]any{"sendAt": soon, "timezone": "UTC"}).want(t, 200)
	w.editor("POST", "/digests/"+id+"/schedule", map[string]any{"now": true}).want(t, 409)
	w.editor("POST", "/digests/"+id+"/cancel", nil).want(t, 200)
	w.confirm("late@example.org")
	w.advance(72 * time.Hour)
	if d := w.digest(id); d.Status != "cancelled" || w.digests("late@example.org") != 0 {
		t.Errorf("a cancelled digest is %+v", d)
	}
}
