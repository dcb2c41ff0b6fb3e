package web_test

import (
	"fmt"
	"strings"
	"testing"

	"tidings/internal/audience"
)

// joined puts somebody on the list of the editors' site, or only up to the sign-up, and returns the ID.
func (s editorSite) joined(t testing.TB, email string, confirm bool) string {
	t.Helper()
	a, err := audience.ParseAddress(email)
	if err != nil {
		t.Fatal(err)
	}
	id, now := editorsIDs.ID(a), s.People.Now()
	if err := s.People.Add(t.Context(), audience.Request{ID: id, Email: a.Sendable, Event: audience.Event{Kind: audience.EventRequested, At: now, Name: "Ana"}}, 60); err != nil {
		t.Fatal(err)
	}
	if confirm {
		if err := s.People.Confirm(t.Context(), id, now, audience.Event{Kind: audience.EventConfirmed, At: now}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// found is the status of who an address is found for, "" of nobody.
func (s editorSite) found(t testing.TB, email string) string {
	t.Helper()
	out := s.as(t, "pub", "POST", "/editor/api/subscribers/search", fmt.Sprintf(`{"email":%q}`, email), 200)
	items := out["items"].([]any)
	if len(items) == 0 {
		return ""
	}
	p := items[0].(map[string]any)
	return fmt.Sprint(p["status"], " ", p["email"])
}

func TestForWhoPhones(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	id := s.joined(t, "Ana@example.org", true)
	s.joined(t, "ben@example.org", false)
	for email, want := range map[string]string{"ANA@example.org ": "confirmed Ana@example.org", "ben@example.org": "pending ben@example.org", "cyd@example.org": ""} {
		if got := s.found(t, email); got != want {
			t.Errorf("%s is found as %q, want %q", email, got, want)
		}
	}
	path := "/editor/api/subscribers/" + id
	for range 2 {
		if out := s.as(t, "pub", "POST", path+"/unsubscribe", "", 200); out["status"] != "unsubscribed" {
			t.Errorf("unsubscribe: %v", out)
		}
	}
	if got := s.found(t, "ana@example.org"); got != "unsubscribed Ana@example.org" {
		t.Errorf("found as %q", got)
	}
	held, err := s.People.Held(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if e := held.Events[len(held.Events)-1]; e.Kind != audience.EventUnsubscribed || e.How != audience.HowEditor || e.By != "someone" {
		t.Errorf("evidence %+v", e)
	}
	for range 2 {
		if out := s.as(t, "pub", "POST", path+"/erase", "", 200); out["status"] != "erased" {
			t.Errorf("erase: %v", out)
		}
	}
	if got := s.found(t, "ana@example.org"); got != "erased <nil>" {
		t.Errorf("found as %q", got)
	}
	held, err = s.People.Held(t.Context(), id)
	if err != nil || len(held.Events) != 1 || held.Events[0].Kind != audience.EventErased || held.Events[0].By != "someone" || held.Subscriber.Email != "" {
		t.Errorf("held %+v, %v", held, err)
	}
	if n := strings.Count(s.Log.String(), `"editor":"someone"`); n < 6 || strings.Contains(strings.ToLower(s.Log.String()), "ana@") || !strings.Contains(s.Log.String(), id) {
		t.Errorf("%d lines say who did what: %s", n, s.Log)
	}
	pending := editorsIDs.ID(audience.Address{Canonical: "ben@example.org"})
	s.as(t, "pub", "POST", "/editor/api/subscribers/"+pending+"/erase", "", 200)
	if got := s.found(t, "ben@example.org"); got != "erased <nil>" {
		t.Errorf("who waited is found as %q", got)
	}
}

func TestBadRequestsAboutPeople(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	for _, id := range []string{"x", "ana@example.org", strings.Repeat("a", 26), strings.Repeat("z", 26), strings.Repeat("A", 26)} {
		for _, what := range []string{"/unsubscribe", "/erase"} {
			s.as(t, "pub", "POST", "/editor/api/subscribers/"+id+what, "", 404)
		}
	}
	for body, status := range map[string]int{`{"email":"nobody"}`: 400, `{}`: 400, `{"mail":"a@b.org"}`: 400, `[`: 400, `{"email":"` + strings.Repeat("x", 17<<10) + `"}`: 413} {
		s.as(t, "pub", "POST", "/editor/api/subscribers/search", body, status)
	}
	if out := s.as(t, "pub", "POST", "/editor/api/subscribers/search?email=a@b.org", `{}`, 400); strings.Contains(fmt.Sprint(out), "a@b.org") {
		t.Errorf("an address in the path was taken: %v", out)
	}
	if s.Log.Len() > 0 {
		t.Errorf("logged %s", s.Log)
	}
}
