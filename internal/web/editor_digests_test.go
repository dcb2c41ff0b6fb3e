package web_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	digestKeys   = "articles contentHash createdAt etag id intro preheader progress reason sendAt status subject timezone title type updatedAt"
	progressKeys = "accepted audience bounced complained delivered duplicates failed skipped unresolved unsubscribed"
	atNine       = `{"sendAt":"2026-12-01T09:00:00","timezone":"America/Denver"}`
)

func TestDigestFromDraftToSending(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	if w := s.ask("GET", "/editor/api/digests", "", "Authorization: Bearer ed"); w.Body.String() != `{"items":[],"next":""}`+"\n" {
		t.Errorf("empty list: %s", w.Body)
	}
	path := s.drafted(t)
	d := s.as(t, "ed", "GET", path, "", 200)
	if keys(d) != digestKeys || keys(d["progress"].(map[string]any)) != progressKeys {
		t.Errorf("members %s; %v", keys(d), d["progress"])
	}
	if d["subject"] != "News" || d["status"] != "draft" || d["sendAt"] != nil || d["etag"] != `"1"` || d["contentHash"] != "" || d["createdAt"] != "2026-11-24T12:00:00Z" {
		t.Errorf("draft %v", d)
	}
	d = s.as(t, "ed", "PATCH", path, `{"intro":"Hello.","preheader":"In brief"}`, 200, `If-Match: "1"`)
	if d["intro"] != "Hello." || d["title"] != "News" || d["etag"] != `"2"` {
		t.Errorf("changed %v", d)
	}
	p := s.as(t, "ed", "GET", path+"/preview", "", 200)
	if keys(p) != "etag findings html preheader subject text type" || p["preheader"] != "In brief" || len(p["findings"].([]any)) != 0 || !strings.Contains(p["text"].(string), "Hello.") {
		t.Errorf("preview %v", p)
	}
	s.as(t, "ed", "POST", path+"/test", `{"to":["a@example.org"]}`, 202)
	if len(s.Bell.sent) != 1 || strings.Contains(s.Bell.sent[0], "@") {
		t.Errorf("queued %v", s.Bell.sent)
	}
	d = s.as(t, "pub", "POST", path+"/schedule", atNine, 200)
	if d["status"] != "scheduled" || d["sendAt"] != "2026-12-01T16:00:00Z" || d["timezone"] != "America/Denver" || len(d["contentHash"].(string)) != 64 || len(s.Bell.set) != 1 {
		t.Errorf("scheduled %v, alarms %v", d, s.Bell.set)
	}
	s.as(t, "pub", "POST", path+"/schedule", atNine, 409)
	s.as(t, "ed", "DELETE", path, "", 409)
	twin := s.as(t, "ed", "POST", path+"/duplicate", "", 201)
	if twin["status"] != "draft" || twin["sendAt"] != nil || twin["intro"] != "Hello." {
		t.Errorf("duplicate %v", twin)
	}
	s.as(t, "ed", "DELETE", "/editor/api/digests/"+twin["id"].(string), "", 204)
	s.started(t, path)
	d = s.as(t, "ed", "GET", path, "", 200)
	if p := d["progress"].(map[string]any); d["status"] != "sending" || p["audience"] != 3.0 || p["accepted"] != 2.0 || p["bounced"] != 0.0 || keys(p) != progressKeys {
		t.Errorf("sending %v", d)
	}
	s.as(t, "pub", "POST", path+"/schedule", `{"now":true}`, 409)
	s.as(t, "pub", "POST", path+"/resume", "", 409)
	s.as(t, "ed", "PATCH", path, `{"title":"x"}`, 409)
	s.as(t, "ed", "POST", path+"/pause", "", 403)
	if d = s.as(t, "pub", "POST", path+"/pause", "", 200); d["status"] != "paused" || d["reason"] != "Paused by an editor." {
		t.Errorf("paused %v", d)
	}
	s.as(t, "pub", "POST", path+"/pause", "", 409)
	if d = s.as(t, "pub", "POST", path+"/resume", "{}", 200); d["status"] != "sending" || d["reason"] != "" {
		t.Errorf("resumed %v", d)
	}
	if d = s.as(t, "pub", "POST", path+"/cancel", "", 200); d["status"] != "cancelled" || d["reason"] == "" {
		t.Errorf("cancelled %v", d)
	}
	s.as(t, "pub", "POST", path+"/cancel", "", 409)
	l := s.as(t, "ed", "GET", "/editor/api/digests?limit=5", "", 200)
	if items := l["items"].([]any); len(items) != 1 || items[0].(map[string]any)["progress"].(map[string]any)["skipped"] != 1.0 {
		t.Errorf("list %v", l)
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged %s", s.Log)
	}
}

func TestDigestEditAndCancel(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	path := s.drafted(t)
	s.as(t, "pub", "POST", path+"/schedule", `{"now":true}`, 200)
	if d := s.as(t, "ed", "PATCH", path, `{"title":"Newer"}`, 200); d["status"] != "draft" || d["contentHash"] != "" || d["sendAt"] != nil || len(s.Bell.set) != 0 {
		t.Errorf("edited %v, alarms %v", d, s.Bell.set)
	}
	s.as(t, "pub", "POST", path+"/schedule", `{"sendAt":"2026-12-01T09:00","timezone":"America/Denver"}`, 200)
	s.as(t, "pub", "POST", path+"/cancel", "", 412, `If-Match: "1"`)
	if d := s.as(t, "pub", "POST", path+"/cancel", "{}", 200, `If-Match: "4"`); d["status"] != "cancelled" || d["reason"] == "" {
		t.Errorf("cancelled %v", d)
	}
	s.as(t, "pub", "POST", path+"/cancel", "", 409)
}

func TestDigestBadRequests(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	path := s.drafted(t)
	s.as(t, "ed", "POST", "/editor/api/articles", `{"title":"Plan","body":"x"}`, 201)
	withDraft := "/editor/api/digests/" + s.as(t, "ed", "POST", "/editor/api/digests", `{"title":"D","articles":["sleep","plan"]}`, 201)["id"].(string)
	bad := "/editor/api/digests/" + s.as(t, "ed", "POST", "/editor/api/digests", `{"title":"D","intro":"A miracle.","articles":["sleep"]}`, 201)["id"].(string)
	const none = "/editor/api/digests/01k00000000000000000009999"
	for _, c := range []struct {
		method, path, body string
		status             int
		field              any
	}{
		{"POST", "/editor/api/digests", `{"title":""}`, 400, "title"},
		{"POST", "/editor/api/digests", `{}`, 400, "title"},
		{"POST", "/editor/api/digests", `{"title":"a","status":"sent"}`, 400, nil},
		{"POST", "/editor/api/digests", `{"title":7}`, 400, "title"},
		{"POST", "/editor/api/digests", `{"title":"a","articles":["none"]}`, 422, "articles"},
		{"POST", "/editor/api/digests", `{"title":"a","articles":"sleep"}`, 400, "articles"},
		{"POST", "/editor/api/digests", `nonsense`, 400, nil},
		{"POST", "/editor/api/digests", `{"title":"` + strings.Repeat("a", 1<<20) + `"}`, 413, nil},
		{"PATCH", path, `{"articles":["sleep","sleep"]}`, 400, "articles"},
		{"PATCH", path, `{"id":"x"}`, 400, nil},
		{"PATCH", none, `{"title":"x"}`, 404, nil},
		{"GET", none, "", 404, nil},
		{"GET", "/editor/api/digests/..%2f", "", 404, nil},
		{"GET", "/editor/api/digests/" + strings.Repeat("a", 3000), "", 404, nil},
		{"GET", "/editor/api/digests?limit=0", "", 400, "limit"},
		{"GET", "/editor/api/digests?cursor=x", "", 400, "cursor"},
		{"GET", none + "/preview", "", 404, nil},
		{"DELETE", none, "", 404, nil},
		{"POST", none + "/duplicate", "", 404, nil},
		{"POST", path + "/duplicate", `{"x":1}`, 400, nil},
		{"POST", path + "/test", `{"to":[]}`, 400, "to"},
		{"POST", path + "/test", `{"to":["x"]}`, 400, "to"},
		{"POST", path + "/test", `{"to":` + strings.ReplaceAll(fmt.Sprintf("%q", make([]string, 11)), " ", ",") + `}`, 400, "to"},
		{"POST", none + "/test", `{"to":["a@example.org"]}`, 404, nil},
		{"POST", path + "/schedule", `{}`, 400, nil},
		{"POST", path + "/schedule", `{"now":true,"sendAt":"2026-12-01T09:00:00"}`, 400, nil},
		{"POST", path + "/schedule", `{"now":"yes"}`, 400, "now"},
		{"POST", path + "/schedule", `{"now":true,"when":"x"}`, 400, nil},
		{"POST", path + "/schedule", `{"sendAt":"2026-11-24T04:00:00","timezone":"America/Denver"}`, 422, "sendAt"},
		{"POST", path + "/schedule", `{"sendAt":"2026-12-01T09:00:00"}`, 422, "timezone"},
		{"POST", path + "/schedule", `{"sendAt":"2027-03-14T02:30:00","timezone":"America/Denver"}`, 422, "sendAt"},
		{"POST", path + "/schedule", `{"sendAt":"2026-12-01T09:00:00","timezone":"Mars/Base"}`, 422, "timezone"},
		{"POST", none + "/schedule", atNine, 404, nil},
		{"POST", withDraft + "/schedule", atNine, 422, "articles"},
		{"POST", path + "/cancel", "", 409, nil},
		{"POST", path + "/cancel", `{"why":1}`, 400, nil},
		{"POST", none + "/cancel", "", 404, nil},
	} {
		p := s.as(t, "pub", c.method, c.path, c.body, c.status)
		if p["type"] != "application/problem+json" || p["field"] != c.field || p["status"] != float64(c.status) {
			t.Errorf("%s %.60s %.60s: %v", c.method, c.path, c.body, p)
		}
	}
	p := s.as(t, "pub", "POST", bad+"/schedule", atNine, 422)
	if f, _ := p["findings"].([]any); len(f) != 1 || keys(f[0].(map[string]any)) != "message rule severity" {
		t.Errorf("blocked: %v", p)
	}
	if w := s.ask("POST", path+"/schedule", `{"now":true}`, "Authorization: Bearer pub", "Content-Type: text/plain"); w.Code != 415 {
		t.Errorf("wrong content type: %d", w.Code)
	}
	if len(s.Bell.set) > 0 || len(s.Bell.sent) > 0 || s.Log.Len() > 0 {
		t.Errorf("alarms %v, queue %v, log %s", s.Bell.set, s.Bell.sent, s.Log)
	}
}

// The order is 404, 412, 409, 422.
func TestDigestOrderOfChecks(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	path := s.drafted(t)
	const past = `{"sendAt":"2020-01-01T09:00:00"}`
	s.as(t, "pub", "POST", "/editor/api/digests/none/schedule", past, 404, `If-Match: "9"`)
	s.as(t, "pub", "POST", path+"/schedule", past, 412, `If-Match: "9"`)
	s.as(t, "pub", "POST", path+"/schedule", past, 422, `If-Match: "1"`)
	s.as(t, "pub", "POST", path+"/schedule", atNine, 200, `If-Match: "9", "1"`)
	s.as(t, "pub", "POST", path+"/schedule", past, 412, `If-Match: W/"2"`)
	s.as(t, "pub", "POST", path+"/schedule", past, 409, `If-Match: "2"`)
	s.as(t, "ed", "PATCH", path, `{"articles":["none"]}`, 422)
	s.as(t, "ed", "DELETE", path, "", 412, `If-Match: "1"`)
	s.as(t, "ed", "DELETE", path, "", 409, `If-Match: "2"`)
}

func FuzzDigestRequests(f *testing.F) {
	f.Add("", `{"title":"News","articles":["sleep"]}`)
	f.Add("/schedule", atNine)
	f.Add("/test", `{"to":["a@example.org"]}`)
	s := newEditorSite(f)
	path := s.drafted(f)
	f.Fuzz(func(t *testing.T, action, body string) {
		if strings.Trim(action, "/abcdefghijklmnopqrstuvwxyz") != "" {
			t.Skip()
		}
		for method, p := range map[string]string{"POST": path + action, "PATCH": path} {
			if w := s.ask(method, p, body, "Authorization: Bearer pub"); w.Code >= 500 {
				t.Errorf("%s %s %q: %d", method, p, body, w.Code)
			}
		}
	})
}
