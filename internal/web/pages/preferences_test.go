package pages

import (
	"strings"
	"testing"

	"tidings/internal/audience"
	"tidings/internal/web"
)

// preferenceSamples are the pages behind the links to preferences.
func preferenceSamples(out map[string]sample) {
	const path = "/preferences/m1example0token"
	page := func(title, name string, data any) sample {
		return sample{name, web.View{Title: title, NoIndex: true, Data: data}}
	}
	preferences := func(p web.PreferencesPage) sample {
		p.Path, p.Leave, p.Months = path, "/unsubscribe/u1example0token", []int{1, 2, 3, 4, 5, 6}
		return page("Your preferences", "preferences", p)
	}
	reader := audience.Subscriber{Status: audience.Confirmed, Name: "Ana \"<b>\"", Email: "ana@example.org", Topics: []string{"safety"}}
	topics := []web.TopicChoice{{Topic: "safety", Chosen: true}, {Topic: "what-to-expect"}}
	out["preferences"] = preferences(web.PreferencesPage{Subscriber: reader, Fresh: true, Topics: topics})
	reader.Email, reader.PausedUntil = "", october.AddDate(0, 2, 0)
	out["preferences-paused"] = preferences(web.PreferencesPage{Subscriber: reader, Paused: true, Saved: true, Topics: topics})
	out["preferences-bare"] = preferences(web.PreferencesPage{Subscriber: audience.Subscriber{Status: audience.Confirmed}, Fresh: true})
	out["preferences-left"] = preferences(web.PreferencesPage{Subscriber: audience.Subscriber{Status: audience.Unsubscribed}, Fresh: true})
	out["preferences-erased"] = preferences(web.PreferencesPage{Subscriber: audience.Subscriber{Status: audience.Erased}})
	out["preferences-moving"] = preferences(web.PreferencesPage{Subscriber: audience.Subscriber{Status: audience.Confirmed, Email: "ana@example.org"}, Fresh: true, Moving: true})
	out["address"] = page("Please confirm your new address", "address", web.ActionPage{Action: "/address/a1example0token"})
	out["moved"] = page("Your new address is confirmed", "moved", nil)
	out["again"] = page("Please check your inbox", "again", nil)
	out["return"] = page("Please check your inbox", "return", nil)
	out["erase"] = page("Erase everything", "erase", web.RightsPage{Path: path, Action: path + "/erase"})
	out["erased"] = page("Everything is erased", "erased", nil)
	out["stale"] = page("This needs a fresh link", "stale", web.RightsPage{Path: path, Action: path + "/link"})
	out["link-sent"] = page("Please check your inbox", "link-sent", nil)
}

func TestPreferencesSayWhatTheyMust(t *testing.T) {
	t.Parallel()
	all := rendered(t)
	for name, wants := range map[string][]string{
		"preferences": {
			`value="Ana &#34;&lt;b&gt;&#34;"`, "<strong>ana@example.org</strong>", `value="safety" checked>`, `/export">`, `/erase">`,
			`action="/unsubscribe/u1example0token"`, `<input type="hidden" name="topics" value="">`,
		},
		"preferences-paused": {"goes on by itself on December 6, 2026", "Saved.", `<option value="0">End the pause now`, "Mail me a fresh link"},
		"preferences-left":   {"You are not subscribed", `/erase">`, `href="/subscribe"`},
		"preferences-erased": {"We hold nothing about you", `href="/subscribe"`},
		"preferences-moving": {"We have mailed a link to the new address", `name="email"`},
		"address":            {`action="/address/a1example0token"`},
		"gone":               {`action="/confirm/u1example0token/again"`, `href="/subscribe"`},
		"again":              {`href="/subscribe"`},
		"return":             {`href="/subscribe"`},
		"unsubscribed":       {`action="/unsubscribe/u1example0token/return"`, "<p>Leave whenever you like.</p>"},
		"erase":              {`action="/preferences/m1example0token/erase"`, "can't be undone"},
		"stale":              {`action="/preferences/m1example0token/link"`},
	} {
		for _, want := range wants {
			if !strings.Contains(all[name], want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
		if !strings.Contains(all[name], "noindex") {
			t.Errorf("%s may be indexed", name)
		}
	}
	for _, name := range []string{"preferences-left", "preferences-erased"} {
		if strings.Contains(all[name], `action="/unsubscribe`) || strings.Contains(all[name], `name="topics"`) {
			t.Errorf("%s offers what does nothing", name)
		}
	}
}
