package main

import (
	"net/url"
	"os"
	"path"
	"strings"
	"testing"
	"time"
)

// seed is a real article, where this machine has it. It is not ours to copy.
const seed = "../../../shared/seed/is-ketamine-addictive.txt"

// A subject of a mail to confirm, and one that a digest of these tests has.
const (
	confirmSubject = "onfirm"
	digestSubject  = "What we wrote this month"
)

// subscribe signs up and returns the path of the link to confirm.
func (w *world) subscribe(email string) string {
	w.Helper()
	w.json(w.Site+"/subscribe", map[string]any{"email": email}).want(w, 202)
	w.settle()
	return w.link(w.mail(email, confirmSubject), "/confirm/")
}

// confirm signs up and confirms.
func (w *world) confirm(email string) {
	w.Helper()
	w.do("POST", w.Site+w.subscribe(email), nil).want(w, 200)
}

// sampleArticle imports the seed, or one of the project's own texts, publishes it, and returns its slug.
func (w *world) sampleArticle() string {
	w.Helper()
	name, title := seed, "Is ketamine addictive"
	text, err := os.ReadFile(name)
	if err != nil {
		name, title = "sleep.txt", "Sleep after a session"
		text = []byte("Sleep after a session\n\nPublished on September 8, 2025\n\nMost people sleep well. Some do not, and that passes.\n\nWhat helps\n\n- A quiet room\n- No screens\n")
	}
	var a struct{ Slug, Title, Status, PublishedAt string }
	w.upload(path.Base(name), text).want(w, 201).into(w, &a)
	if !strings.HasPrefix(strings.ToLower(a.Title), strings.ToLower(title)) || a.Status != "draft" || !strings.HasPrefix(a.PublishedAt, "2025-09-08") {
		w.Errorf("imported: %+v", a)
	}
	w.upload(path.Base(name), text).want(w, 200) // it was there already
	w.do("GET", w.Site+"/articles/"+a.Slug, nil).want(w, 404)
	w.editor("PATCH", "/articles/"+a.Slug, map[string]string{"status": "published"}).want(w, 200)
	w.do("GET", w.Site+"/articles/"+a.Slug, nil, "Accept", "text/html").want(w, 200)
	return a.Slug
}

// A digestJSON is what the editors' API says about a digest.
type digestJSON struct {
	ID, Status, Reason, ContentHash string
	SendAt                          *time.Time
	Progress                        struct{ Audience, Accepted, Failed, Skipped, Unresolved, Duplicates, Delivered int }
}

// newDigest makes a digest of articles.
func (w *world) newDigest(slugs ...string) string {
	w.Helper()
	var d digestJSON
	w.editor("POST", "/digests", map[string]any{"title": digestSubject, "articles": slugs}).want(w, 201).into(w, &d)
	if d.ID == "" || d.Status != "draft" {
		w.Fatalf("new digest: %+v", d)
	}
	return d.ID
}

// digest reads one.
func (w *world) digest(id string) (d digestJSON) {
	w.Helper()
	w.editor("GET", "/digests/"+id, nil).want(w, 200).into(w, &d)
	return d
}

// digests counts the digests that an address has got.
func (w *world) digests(email string) (n int) {
	w.Helper()
	for _, m := range w.mails(email) {
		if m.Subject == digestSubject {
			n++
		}
	}
	return n
}

// sendNow sends a digest at once and waits for its end.
func (w *world) sendNow(id string) digestJSON {
	w.Helper()
	w.editor("POST", "/digests/"+id+"/schedule", map[string]any{"now": true}).want(w, 200)
	for range 30 { // in real time nothing here takes more than seconds; each look waits for what is in flight
		w.settle()
		if d := w.digest(id); d.Status == "sent" {
			return d
		}
		w.advance(time.Second)
	}
	w.Fatalf("digest %s is %+v", id, w.digest(id))
	return digestJSON{}
}

// TestEndToEnd walks the whole way: sign-up, double opt-in, an article, a digest at its hour, leaving in both ways, a second
// digest, and a restart.
func TestEndToEnd(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := newWorld(t, data, nil)
	tokens := w.walkSignUp()
	slug := w.sampleArticle()
	first := w.walkSchedule(slug)
	tokens = append(tokens, w.walkLeave()...)

	second := w.newDigest(slug)
	if d := w.sendNow(second); d.Progress.Audience != 1 || d.Progress.Accepted != 1 {
		t.Errorf("second digest: %+v", d)
	}
	for email, want := range map[string]int{"ada@example.org": 1, "ben@example.org": 1, "cyd+news@example.org": 2, "dan@example.org": 0} {
		if got := w.digests(email); got != want {
			t.Errorf("%s has %d digests, want %d", email, got, want)
		}
	}
	personal := append(tokens, "ada@example.org", "ben@example.org", "cyd+news@example.org", "dan@example.org", "eve@example.org", "Ada-Name", visitorIP)
	w.clean(personal...)
	before := w.clock.Now()
	w.stop()

	again := newWorld(t, data, nil)
	if d := again.digest(first); d.Status != "sent" || d.Progress.Accepted != 3 {
		t.Errorf("after a restart the first digest is %+v", d)
	}
	if now := again.clock.Now(); now.Before(before) {
		t.Errorf("after a restart it is %s, before %s", now, before)
	}
	again.do("POST", again.Site+tokens[0], nil).want(t, 410) // ada left: the link to confirm has ended with it
	if d := again.sendNow(again.newDigest(slug)); d.Progress.Accepted != 1 {
		t.Errorf("third digest: %+v", d)
	}
	if n := again.digests("cyd+news@example.org"); n != 3 {
		t.Errorf("after a restart and a third digest cyd has %d, want 3", n)
	}
	again.clean(personal...)
}

// walkSignUp subscribes ada and cyd as programs and ben in a browser, all of whom confirm, and dan, who does not. It returns the
// links that were used.
func (w *world) walkSignUp() (links []string) {
	w.Helper()
	w.json(w.Site+"/subscribe", map[string]any{"email": "ada@example.org", "name": "Ada-Name"}).want(w, 202)
	browser := w.form("/subscribe", url.Values{"email": {"ben@example.org"}, "name": {""}, "website": {""}}).want(w, 303)
	if to := browser.header.Get("Location"); !strings.HasSuffix(to, "/subscribe/check-inbox") {
		w.Errorf("a browser is sent to %s", to)
	}
	w.json(w.Site+"/subscribe", map[string]any{"email": "cyd+news@example.org"}).want(w, 202)
	w.json(w.Site+"/subscribe", map[string]any{"email": "dan@example.org"}).want(w, 202)
	w.settle()
	for _, email := range []string{"ada@example.org", "ben@example.org", "cyd+news@example.org"} {
		m := w.mail(email, confirmSubject)
		if strings.Contains(m.Text+m.HTML, "Ada-Name") {
			w.Error("the mail to confirm holds what the visitor typed")
		}
		link := w.link(m, "/confirm/")
		w.do("GET", w.Site+link, nil, "Accept", "text/html").want(w, 200) // a scanner: changes nothing
		links = append(links, link)
	}
	var stats struct{ Status string }
	for i, link := range links {
		if i == 1 {
			w.do("POST", w.Site+link, nil, "Accept", "text/html").want(w, 200)
			continue
		}
		w.do("POST", w.Site+link, nil).want(w, 200).into(w, &stats)
		if stats.Status != "confirmed" {
			w.Errorf("confirmed: %+v", stats)
		}
	}
	w.do("POST", w.Site+links[0], nil).want(w, 200) // twice is once
	w.json(w.Site+"/subscribe", map[string]any{"email": "ada@example.org"}).want(w, 202)
	w.settle()
	w.do("POST", w.Site+"/confirm/"+strings.Repeat("a", 60), nil).want(w, 404)
	return links
}

// walkSchedule previews a digest, tests it, and lets it go out at a local time a month ahead.
func (w *world) walkSchedule(slug string) string {
	w.Helper()
	id := w.newDigest(slug)
	var preview struct {
		Subject, HTML, Text string
		Findings            []struct{ Rule, Severity string }
	}
	w.editor("GET", "/digests/"+id+"/preview", nil).want(w, 200).into(w, &preview)
	if preview.Subject != digestSubject || !strings.Contains(preview.HTML, "<html") || !strings.Contains(preview.Text, "Boulder") {
		w.Errorf("preview: %+v", preview)
	}
	for _, f := range preview.Findings {
		if f.Severity == "error" {
			w.Errorf("the linter finds %+v", f)
		}
	}
	w.editor("POST", "/digests/"+id+"/test", map[string]any{"to": []string{"eve@example.org"}}).want(w, 202)
	w.settle()
	w.mail("eve@example.org", digestSubject)

	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		w.Fatal(err)
	}
	at := w.clock.Now().In(denver).AddDate(0, 1, 0).Truncate(time.Minute)
	w.editor("POST", "/digests/"+id+"/schedule", map[string]any{"sendAt": at.Format("2006-01-02T15:04:05"), "timezone": "America/Denver"}).want(w, 200)
	if d := w.digest(id); d.Status != "scheduled" || d.SendAt == nil || !d.SendAt.Equal(at) || d.ContentHash == "" {
		w.Errorf("scheduled for %s: %+v", at, d)
	}
	w.advance(at.Sub(w.clock.Now()) - time.Hour)
	if n := w.digests("ada@example.org"); n != 0 {
		w.Errorf("ada has %d digests an hour early", n)
	}
	w.advance(2 * time.Hour)
	d := w.digest(id)
	if p := d.Progress; d.Status != "sent" || p.Audience != 3 || p.Accepted != 3 || p.Unresolved+p.Duplicates+p.Failed != 0 || p.Delivered != 3 {
		w.Errorf("after its hour: %+v", d)
	}
	for email, want := range map[string]int{"ada@example.org": 1, "ben@example.org": 1, "cyd+news@example.org": 1, "dan@example.org": 0} {
		if got := w.digests(email); got != want {
			w.Errorf("%s has %d digests, want %d", email, got, want)
		}
	}
	return id
}

// walkLeave unsubscribes ada by one click of her mail program and ben by the page. It returns the links.
func (w *world) walkLeave() (links []string) {
	w.Helper()
	m := w.mail("ada@example.org", digestSubject)
	if m.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
		w.Errorf("headers %v", m.Headers)
	}
	u, err := url.Parse(strings.Trim(strings.Split(m.Headers["List-Unsubscribe"], ",")[0], "<> "))
	if err != nil || !strings.HasPrefix(u.Path, "/unsubscribe/") {
		w.Fatalf("List-Unsubscribe: %s", m.Headers["List-Unsubscribe"])
	}
	oneClick := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for range 2 { // idempotent
		w.do("POST", w.Site+u.Path, []byte("List-Unsubscribe=One-Click"), oneClick...).want(w, 200)
	}
	page := w.link(w.mail("ben@example.org", digestSubject), "/unsubscribe/")
	w.do("GET", w.Site+page, nil, "Accept", "text/html").want(w, 200) // a scanner again
	w.form(page, url.Values{}).want(w, 200)
	w.do("POST", w.Site+"/unsubscribe/"+strings.Repeat("a", 40), []byte("List-Unsubscribe=One-Click"), oneClick...).want(w, 404)
	return []string{u.Path, page}
}
