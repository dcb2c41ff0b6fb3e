package pages

import (
	"html/template"
	"testing"
	"time"

	"tidings/internal/article"
	"tidings/internal/web"
	"tidings/templates"
)

var site = Site{Name: "Juniper Clinic", BaseURL: "https://news.juniper.example", PostalAddress: "12 Cedar Street, Suite 4, Boulder, CO 80302, USA"}

func newPages(t testing.TB) *Pages {
	t.Helper()
	p, err := New(templates.FS, site)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A sample is one page with data; every page file has at least one.
type sample struct {
	page string
	view web.View
}

var october = time.Date(2026, 10, 6, 15, 0, 0, 0, time.UTC)

// samples are by the names of their goldens.
func samples() map[string]sample {
	problem := func(status int, title, detail, field string) sample {
		return sample{"problem", web.View{Title: title, NoIndex: true, Data: web.Problem{Type: "about:blank", Title: title, Status: status, Detail: detail, Field: field}}}
	}
	simple := func(page, title string, data any) sample {
		return sample{page, web.View{Title: title, NoIndex: true, Data: data}}
	}
	out := map[string]sample{
		"home":         {"home", web.View{Title: site.Name}},
		"subscribe":    {"subscribe", web.View{Title: "Subscribe to our monthly newsletter"}},
		"check-inbox":  simple("check-inbox", "Please check your inbox", nil),
		"confirm":      simple("confirm", "Please confirm your subscription", web.ActionPage{Action: "/confirm/u1example0token"}),
		"confirmed":    simple("confirmed", "You are subscribed", nil),
		"gone":         simple("gone", "This link no longer works", web.ActionPage{Action: "/confirm/u1example0token/again"}),
		"unsubscribe":  simple("unsubscribe", "Unsubscribe", web.ActionPage{Action: "/unsubscribe/u1example0token"}),
		"unsubscribed": simple("unsubscribed", "You are unsubscribed", web.GoodbyePage{Action: "/unsubscribe/u1example0token/return", Consent: "Once a month.\nLeave whenever you like.\n"}),
		"problem-400":  problem(400, "Bad Request", "The address has no domain.", "email"),
		"problem-404":  problem(404, "Not Found", "There is no article of that name.", ""),
		"problem-410":  problem(410, "Gone", "Links to confirm work for 7 days.", ""),
		"problem-413":  problem(413, "Request Entity Too Large", "The body is larger than 16384 bytes.", ""),
		"problem-429":  problem(429, "Too Many Requests", "There were many sign-ups from your network. Please try again in an hour.", ""),
		"problem-500":  problem(500, "Internal Server Error", "Something went wrong on our side. Please try again in a moment.", ""),
	}
	articleSamples(out)
	digestSamples(out)
	preferenceSamples(out)
	localSamples(out)
	return out
}

func articleSamples(out map[string]sample) {
	card := func(slug, title, summary string, at time.Time, topics ...string) web.ArticleCard {
		return web.ArticleCard{Slug: slug, Title: title, Summary: summary, Topics: topics, Status: article.StatusPublished, PublishedAt: &at, UpdatedAt: at, URL: site.BaseURL + "/articles/" + slug}
	}
	items := []web.ArticleCard{
		card("your-first-session", "Your first session, hour by hour", "Arrival, consent, the infusion itself and the quiet hour after it: what you may feel, what we watch, and why somebody else drives you home.", october, "sessions", "what-to-expect"),
		card("blood-pressure", "Why we measure your blood pressure", "Ketamine raises blood pressure for a while. Who should not have it for that reason, and what we do when a value climbs.", october.AddDate(0, 0, -21), "safety"),
		card("a-short-note", "A short note", "", october.AddDate(0, -2, 0)),
	}
	out["articles"] = sample{"articles", web.View{Title: "Articles", Data: web.ArticlesPage{Items: items, First: true, Next: "/articles?cursor=b2xkZXI&limit=3"}}}
	out["articles-older"] = sample{"articles", web.View{Title: "Articles", NoIndex: true, Data: web.ArticlesPage{Items: items[2:]}}}
	out["articles-empty"] = sample{"articles", web.View{Title: "Articles", Data: web.ArticlesPage{First: true}}}
	out["articles-end"] = sample{"articles", web.View{Title: "Articles", NoIndex: true, Data: web.ArticlesPage{}}}

	out["topic"] = sample{"topic", web.View{Title: "What to expect", Data: web.ArticlesPage{Topic: "what-to-expect", Items: items[:1], First: true, Next: "/topics/what-to-expect?cursor=b2xkZXI&limit=1"}}}
	out["topic-end"] = sample{"topic", web.View{Title: "What to expect", NoIndex: true, Data: web.ArticlesPage{Topic: "what-to-expect"}}}

	full := article.Article{
		Slug: "your-first-session", Title: "Your first session, hour by hour", Topics: []string{"sessions", "what-to-expect"}, Status: article.StatusPublished,
		Summary: "Arrival, consent & the quiet hour after it: what you may feel, \"dissociation\" included.", PublishedAt: october, UpdatedAt: october.AddDate(0, 0, 2),
		Author: "Dana Whitfield", Reviewer: "Dr. Ines Okafor", LastReviewed: october.AddDate(0, 0, 1),
		HTML: `<p>You arrive rested, and with <strong>somebody to take you home</strong>.</p>
<h2>Before</h2>
<ul><li><strong>Consent:</strong> we go through it again, aloud.</li><li><strong>Blood pressure:</strong> measured twice.</li></ul>
<h3>What to bring</h3>
<ol><li>Your list of medicines</li><li>A warm layer, and <a href="https://example.org/checklist">this checklist</a></li></ol>
<blockquote><p>Most people find the hour shorter than they feared.</p></blockquote>
<table><thead><tr><th>Time</th><th>What happens</th></tr></thead><tbody><tr><td>0:00</td><td>Arrival</td></tr><tr><td>0:40</td><td>The infusion starts</td></tr></tbody></table>`,
	}
	bare := article.Article{Slug: "a-short-note", Title: "A short note", Status: article.StatusPublished, UpdatedAt: october, HTML: "<p>Short.</p>"}
	page := func(a article.Article) sample {
		return sample{"article", web.View{Title: a.Title, Data: web.ArticlePage{Article: a, URL: site.BaseURL + "/articles/" + a.Slug, HTML: template.HTML(a.HTML)}}}
	}
	out["article"], out["article-bare"] = page(full), page(bare)
}

func digestSamples(out map[string]sample) {
	issue := func(slug, title, summary string, at time.Time) web.IssueCard {
		return web.IssueCard{Slug: slug, Title: title, Summary: summary, SentAt: at, Day: at, UpdatedAt: at, URL: site.BaseURL + "/digests/" + slug}
	}
	items := []web.IssueCard{
		issue("october-2026", "October 2026", "Your first session, hour by hour · Why we measure your blood pressure", october),
		issue("sleep-and-ketamine-september-2026", "Sleep & ketamine", "", october.AddDate(0, -1, 0)),
	}
	out["digests"] = sample{"digests", web.View{Title: "Past issues", Data: web.DigestsPage{Items: items, First: true, Next: "/digests?cursor=b2xkZXI&limit=2"}}}
	out["digests-empty"] = sample{"digests", web.View{Title: "Past issues", Data: web.DigestsPage{First: true}}}
	out["digests-end"] = sample{"digests", web.View{Title: "Past issues", NoIndex: true, Data: web.DigestsPage{}}}
	list := out["articles"].view.Data.(web.ArticlesPage).Items
	out["digest"] = sample{"digest", web.View{Title: "October 2026", Data: web.DigestPage{Issue: items[0], Intro: []string{"This month: what happens, and why.", "Write to us if <anything> is unclear."}, Articles: list[:2]}}}
	out["digest-bare"] = sample{"digest", web.View{Title: items[1].Title, NoIndex: true, Data: web.DigestPage{Issue: items[1], Articles: list[2:]}}}
}

func localSamples(out map[string]sample) {
	local := func(page, title string, data any) sample {
		return sample{"local/" + page, web.View{Title: title, NoIndex: true, Data: data}}
	}
	const from, to = `"Juniper Clinic" <newsletter@juniper.example>`, "ana@example.com"
	row := func(id, to, subject string) MailRow {
		return MailRow{ID: id, From: from, To: to, Subject: subject, URL: "/messages/" + id, At: october}
	}
	rows := []MailRow{row("m3", to, "What a first session is like"), row("m2", "a-rather-long-address.with+label@department.hospital.example", "Please confirm your subscription"), row("m1", to, "")}
	const demo = "http://127.0.0.1:8025/demo"
	out["local-demo"] = local("demo", site.Name, DemoPage{Action: site.BaseURL + "/subscribe", Site: site.BaseURL, Inbox: "http://127.0.0.1:8025"})
	out["local-inbox"] = local("inbox", "Inbox", InboxPage{Total: 120, Messages: rows, Older: "/?before=m1", Demo: demo})
	out["local-inbox-older"] = local("inbox", "Inbox", InboxPage{Total: 120, Subject: "first", Messages: rows[1:], Newest: "/?subject=first", Demo: demo})
	out["local-inbox-end"] = local("inbox", "Inbox", InboxPage{Total: 120, Newest: "/", Demo: demo})
	out["local-inbox-search"] = local("inbox", "Inbox", InboxPage{Total: 1, To: to, Subject: `"first" & <last>`, Messages: rows[:1], Demo: demo})
	out["local-inbox-none"] = local("inbox", "Inbox", InboxPage{To: "nobody@example.com", Demo: demo})
	out["local-inbox-empty"] = local("inbox", "Inbox", InboxPage{Demo: demo})
	out["local-message"] = local("message", "What a first session is like", MessagePage{
		ID: "m3", From: from, To: to, Subject: "What a first session is like", At: october, Text: "Hello,\n\nthis month <two> readers asked …\n", HTMLURL: "/messages/m3/html",
		RawURL: "/api/messages/m3/raw", InboxURL: "/", Headers: []Field{{"List-Unsubscribe", "<https://news.juniper.example/unsubscribe/u1example0token>"}, {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}},
		Tags: []Field{{"digest", "01J9ZD3V9Q4M2T8K6R5W7X1Y0A"}, {"slot", "0"}},
	})
	out["local-message-text"] = local("message", "(no subject)", MessagePage{ID: "m1", From: from, To: to, At: october, Text: "Only text.", RawURL: "/api/messages/m1/raw", InboxURL: "/"})
	out["local-problem"] = local("problem", "Not Found", web.Problem{Status: 404, Detail: "There is no mail of that ID in the inbox."})
	out["local-oidc-choose"] = local("oidc-choose", "Sign in", ChoosePage{Client: "Juniper Clinic", Choices: []Choice{
		{URL: "/oidc/authorize?client_id=tidings&state=s&as=publisher", Name: "Pat Publisher", Role: "publisher", Note: "Writes, and also schedules, pauses, cancels, imports and exports."},
		{URL: "/oidc/authorize?client_id=tidings&state=s&as=editor", Name: "Eddie Editor", Role: "editor", Note: "Writes articles and drafts of digests, previews and tests them."},
	}})
}
