package main

import (
	"strings"
	"testing"
)

// TestArchive follows the link in a digest's mail to its page, which is the same for everyone.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), nil)
	w.confirm("ada@example.org")
	slug := w.sampleArticle()
	w.do("GET", w.Site+"/digests", nil).want(w, 200)
	id := w.newDigest(slug)
	w.sendNow(id)
	m := w.mail("ada@example.org", digestSubject)
	page := w.link(m, "/digests/")
	if !strings.Contains(m.HTML, page) || !strings.Contains(m.Text, page) {
		t.Errorf("a part of the mail has no link to %s", page)
	}
	body := string(w.do("GET", w.Site+page, nil, "Accept", "text/html").want(w, 200).body)
	if !strings.Contains(body, "/articles/"+slug) || strings.Contains(body, "/unsubscribe/") || strings.Contains(body, "{{") || strings.Contains(body, "noindex") {
		t.Errorf("the page: %s", body)
	}
	for _, list := range []string{"/digests", "/feed.atom", "/feed.json", "/sitemap.xml"} {
		if body := string(w.do("GET", w.Site+list, nil).want(w, 200).body); !strings.Contains(body, page) {
			t.Errorf("%s does not lead to %s: %s", list, page, body)
		}
	}
	// One that is called off before its hour is nowhere.
	other := w.newDigest(slug)
	w.editor("POST", "/digests/"+other+"/schedule", map[string]any{"sendAt": "2099-01-02T09:00:00", "timezone": "UTC"}).want(w, 200)
	w.editor("POST", "/digests/"+other+"/cancel", nil).want(w, 200)
	var list struct{ Items []struct{ URL string } }
	w.do("GET", w.Site+"/digests", nil).want(w, 200).into(w, &list)
	if len(list.Items) != 1 || !strings.HasSuffix(list.Items[0].URL, page) {
		t.Errorf("the archive has %+v", list.Items)
	}
}
