package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

const welcomeSubject = "Welcome"

// walkMove changes an address by the links of its mails.
func (w *world) walkMove(from, to string) {
	w.Helper()
	manage := w.link(w.mail(from, digestSubject), "/preferences/")
	w.json(w.Site+manage, map[string]any{"email": to}).want(w, 200)
	w.settle()
	move := w.link(w.mail(to, "new address"), "/address/")
	w.do("GET", w.Site+move, nil, "Accept", "text/html").want(w, 200) // a scanner
	w.form(move, url.Values{}).want(w, 200)
	w.settle()
	w.mail(from, "goes to your new address")
	w.link(w.mail(to, welcomeSubject), "/preferences/")
}

// TestRights walks all that subscribers can do with the links in one mail: change what they get, pause, export, erase, come back.
func TestRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), nil)
	w.confirm("ada@example.org")
	w.confirm("ben@example.org")
	w.settle()
	ada, ben := w.link(w.mail("ada@example.org", welcomeSubject), "/preferences/"), w.link(w.mail("ben@example.org", welcomeSubject), "/preferences/")
	slug := w.sampleArticle()
	w.do("GET", w.Site+ada, nil, "Accept", "text/html").want(w, 200) // a scanner
	if page := w.do("GET", w.Site+ada+"/erase", nil, "Accept", "text/html"); page.status != 200 {
		t.Errorf("page to erase: %d", page.status)
	}
	w.form(ada, url.Values{"name": {"Ada-Name"}, "topics": {""}, "pause": {"2"}}).want(w, 200)
	if d := w.sendNow(w.newDigest(slug)); d.Progress.Skipped != 1 || w.digests("ada@example.org") != 0 || w.digests("ben@example.org") != 1 {
		t.Errorf("while ada pauses: %+v", d)
	}
	w.advance(63 * 24 * time.Hour)
	if d := w.sendNow(w.newDigest(slug)); d.Progress.Skipped != 0 || w.digests("ada@example.org") != 1 {
		t.Errorf("after the pause: %+v", d)
	}
	w.do("GET", w.Site+ada+"/export", nil).want(w, 403) // from a mail of two months ago
	w.do("POST", w.Site+ada+"/link", nil).want(w, 202)
	w.settle()
	fresh := w.link(w.mail("ada@example.org", "preferences"), "/preferences/")
	var export struct {
		Subscriber struct{ Email, Name string }
		Events     []json.RawMessage
	}
	w.do("GET", w.Site+fresh+"/export", nil).want(w, 200).into(w, &export)
	if export.Subscriber.Email != "ada@example.org" || export.Subscriber.Name != "Ada-Name" || len(export.Events) < 2 {
		t.Errorf("export %+v", export)
	}
	w.do("POST", w.Site+fresh+"/erase", nil).want(w, 200)
	if d := w.sendNow(w.newDigest(slug)); d.Progress.Audience != 1 || w.digests("ada@example.org") != 1 {
		t.Errorf("after ada's erasure: %+v", d)
	}
	digest := w.mail("ben@example.org", digestSubject)
	w.do("GET", w.Site+w.link(digest, "/preferences/"), nil).want(w, 200)
	w.confirm("ada@example.org")
	if d := w.sendNow(w.newDigest(slug)); d.Progress.Audience != 2 {
		t.Errorf("after ada came back: %+v", d)
	}
	w.walkMove("ben@example.org", "ben@new.example.org")
	if d := w.sendNow(w.newDigest(slug)); d.Progress.Audience != 2 || w.digests("ben@new.example.org") != 1 {
		t.Errorf("after ben moved: %+v", d)
	}
	var found struct{ Items []struct{ ID, Status string } }
	w.editor("POST", "/subscribers/search", map[string]string{"email": "Ada@example.org"}).want(w, 200).into(w, &found)
	if len(found.Items) != 1 || found.Items[0].Status != "confirmed" {
		t.Fatalf("found %+v", found)
	}
	w.editor("POST", "/subscribers/"+found.Items[0].ID+"/erase", nil).want(w, 200)
	if d := w.sendNow(w.newDigest(slug)); d.Progress.Audience != 1 {
		t.Errorf("after ada phoned: %+v", d)
	}
	test := w.newDigest(slug)
	w.editor("POST", "/digests/"+test+"/test", map[string]any{"to": []string{"eve@example.org"}}).want(w, 202)
	w.settle()
	if page := w.do("GET", w.Site+w.link(w.mail("eve@example.org", digestSubject), "/preferences/"), nil, "Accept", "text/html"); page.status != 404 || !strings.Contains(string(page.body), "test mail") {
		t.Errorf("link of a test mail: %d %s", page.status, page.body)
	}
	w.clean("ada@example.org", "ben@example.org", "ben@new.example.org", "Ada-Name", visitorIP, ada, ben, fresh)
}
