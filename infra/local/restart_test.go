package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// TestRestartWhileSending stops the stack in the middle of a digest and starts it again: whoever had no mail before the stop gets
// one after it, and nobody gets two. The mails of before are in the inbox still.
func TestRestartWhileSending(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := newWorld(t, data, nil)
	w.do("PUT", w.Inbox+"/api/ses", []byte(`{"maxSendRate":100}`)).want(t, 200)
	emails := w.crowd(300)
	id := w.newDigest(w.sampleArticle())
	w.editor("POST", "/digests/"+id+"/schedule", map[string]any{"now": true}).want(t, 200)
	mailed := func(w *world) (n int) {
		for _, m := range w.mails("") {
			if m.Subject == digestSubject {
				n++
			}
		}
		return n
	}
	for limit := time.After(20 * time.Second); mailed(w) < 60; {
		select {
		case <-limit:
			t.Fatalf("after 20 s there are %d mails", mailed(w))
		case <-time.After(20 * time.Millisecond):
		}
	}
	halt(w)
	before := len(w.mails(""))
	w.stop()

	again := newWorld(t, data, nil)
	var d digestJSON
	for range 60 {
		again.advance(time.Minute)
		if d = again.digest(id); d.Status == "sent" {
			break
		}
	}
	count := map[string]int{}
	for _, m := range again.mails("") {
		count[m.To[0]]++
	}
	if p := d.Progress; d.Status != "sent" || p.Audience != 300 || p.Accepted != 300 || p.Duplicates != 0 {
		t.Errorf("digest %+v", d)
	}
	t.Logf("%d mails before the stop, %d at the end", before, len(again.mails("")))
	for _, email := range emails {
		if count[email] != 1 {
			t.Errorf("%s has %d mails", email, count[email])
		}
	}
}

// halt ends what the functions do, as the end of their time would, while SES and the inbox can still be asked.
func halt(w *world) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	w.functions.stop(over)
}

// TestLimit checks that the limit of sign-ups of one IP address is the template's, and tells nobody who is on the list.
func TestLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", map[string]string{"SignupsPerIpHour": "2"})
	for range 2 {
		w.json(w.Site+"/subscribe", map[string]any{"email": "ada@example.org"}).want(t, 202)
	}
	if a := w.json(w.Site+"/subscribe", map[string]any{"email": "ben@example.org"}).want(t, 429); a.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	w.advance(time.Hour)
	w.json(w.Site+"/subscribe", map[string]any{"email": "ben@example.org"}).want(t, 202)
	w.clean("ada@example.org", "ben@example.org", visitorIP)
}

// TestRun runs the command until it is told to stop.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out, errs := &buffer{}, &bytes.Buffer{}
	data := t.TempDir()
	code := make(chan int, 1)
	go func() {
		const free = "127.0.0.1:0"
		code <- run(ctx, []string{"-http", free, "-inbox", free, "-ses", free, "-oidc", free, "-data", data}, out, errs)
	}()
	for limit := time.After(20 * time.Second); !strings.Contains(out.String(), "Ctrl-C ends it"); {
		select {
		case <-limit:
			t.Fatal("no banner after 20 s")
		case c := <-code:
			t.Fatalf("exit %d: %s", c, errs)
		case <-time.After(5 * time.Millisecond):
		}
	}
	second := &bytes.Buffer{}
	other := []string{"-http", "127.0.0.1:0", "-inbox", "127.0.0.1:0", "-ses", "127.0.0.1:0", "-oidc", "127.0.0.1:0", "-data", data}
	if c := run(ctx, other, out, second); c != 1 || !strings.Contains(second.String(), "another stack") {
		t.Errorf("a second stack on the same folder: exit %d, %s", c, second)
	}
	cancel()
	if c := <-code; c != 0 || errs.Len() > 0 || !strings.Contains(out.String(), "/api/editor-token?role=publisher") {
		t.Errorf("exit %d, %s, printed:\n%s", c, errs, out)
	}
}
