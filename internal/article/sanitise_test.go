package article

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// attributes are all that an article's HTML may hold, by element.
var attributes = map[string][]string{
	"p": nil, "h2": nil, "h3": nil, "h4": nil, "ul": nil, "ol": {"start"}, "li": nil, "blockquote": nil, "pre": nil, "hr": nil, "br": nil,
	"strong": nil, "em": nil, "code": nil, "sub": nil, "sup": nil, "del": nil, "a": {"href"}, "img": {"src", "alt", "width", "height"},
	"table": nil, "tbody": nil, "tr": nil, "th": {"colspan", "rowspan"}, "td": {"colspan", "rowspan"},
}

// checkClean fails when HTML holds anything beyond attributes, or a URL that is not absolute and harmless.
func checkClean(t *testing.T, source string) {
	t.Helper()
	nodes, err := parseFragment([]byte(source))
	if err != nil {
		t.Errorf("unreadable: %v", err)
	}
	for _, n := range nodes {
		walk(n, func(c *html.Node) bool {
			if c.Type == html.TextNode {
				return true
			}
			allowed, ok := attributes[c.Data]
			if c.Type != html.ElementNode || !ok {
				t.Errorf("<%s> in %q", c.Data, source)
			}
			for _, a := range c.Attr {
				if !slices.Contains(allowed, a.Key) || a.Namespace != "" {
					t.Errorf("<%s %s=%q> in %q", c.Data, a.Key, a.Val, source)
				}
				if a.Key == "href" || a.Key == "src" {
					if u, err := url.Parse(a.Val); err != nil || !slices.Contains([]string{"http", "https", "mailto", "tel"}, u.Scheme) {
						t.Errorf("address %q in %q", a.Val, source)
					}
				}
			}
			return true
		})
	}
}

func TestSanitiser(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<p onclick="x()" style="color:red" class="c" id="i">Hi</p>`:                            `<p>Hi</p>`,
		`<script>x()</script><style>p{}</style>Hi<noscript>no</noscript>`:                       `<p>Hi</p>`,
		`<a href="javascript:x()">a</a> <a href=" JaVaScRiPt:x()">b</a>`:                        `<p>a b</p>`,
		`<a href="data:text/html,x">a</a> <a href="vbscript:x">b</a> <a href="//x.y">c</a>`:     `<p>a b c</p>`,
		`<a href="https://a.b/?x=1&y=2">a</a> <a href="mailto:a@b.c">m</a>`:                     `<p><a href="https://a.b/?x=1&amp;y=2">a</a> <a href="mailto:a@b.c">m</a></p>`,
		`<form action="/x"><p>In a form</p><input value="v"><button>Go</button></form>`:         `<p>In a form</p>`,
		`<iframe src="https://a.b">x</iframe><object data="x">y</object><embed src=z>Hi`:        `<p>Hi</p>`,
		`<svg><a xlink:href="javascript:x()"><text>t</text></a></svg><math><mi>x</mi></math>Hi`: `<p>Hi</p>`,
		`<img src="https://a.b/c.png" alt="" onerror="x()"><img src=x onerror=y>`:               `<p><img src="https://a.b/c.png" alt=""/></p>`,
		`<b>bold <i>both</b> after</i>`:                                                         `<p><strong>bold <em>both</em></strong><em> after</em></p>`,
		`<h1>A</h1><h4>B</h4><h6>C</h6>`:                                                        "<h2>A</h2>\n<h3>B</h3>\n<h4>C</h4>",
		`<p>&lt;script&gt;x()&lt;/script&gt;</p>`:                                               `<p>&lt;script&gt;x()&lt;/script&gt;</p>`,
		`<p>{{name}} &#123;&#123;x}}</p>`:                                                       `<p>{{name}} {{x}}</p>`,
		`<div>One<div>Two<p>Three</div>Four`:                                                    "<p>One</p>\n<p>Two</p>\n<p>Three</p>\n<p>Four</p>",
		`<template><p>x</p></template><p hidden>y</p><p style="display: NONE">z</p>Hi`:          `<p>Hi</p>`,
		`<math><mtext><table><mglyph><style><img src=x onerror=y>`:                              ``,
		`<select><option>x</select>Hi<textarea><p>y</textarea>`:                                 `<p>Hi</p>`,
	} {
		r, err := render(HTML, "T", in)
		if err != nil || r.html != want {
			t.Errorf("%s\n got %s (%v)\nwant %s", in, r.html, err, want)
		}
		checkClean(t, r.html)
		m, err := render(Markdown, "T", in)
		if err != nil {
			t.Errorf("as Markdown: %v", err)
		}
		checkClean(t, m.html)
	}
}

func TestFurniture(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"Subscribe to our monthly newsletter", "Sign up for email updates", "Thanks for joining our newsletter.", "Thank you for subscribing!",
		"Thank you! Your submission has been received!", "Oops! Something went wrong.", "Oops! Something went wrong while submitting the form.",
		"We use cookies to make this site work.", "Accept all cookies", "Skip to main content", "Back to top", "Read more →", "← Previous post",
		"Share this article", "Leave a comment", "3 Comments", "© 2026 Clinic", "All rights reserved.", "Email address *", "Privacy Policy",
	} {
		if !isFurniture(s) {
			t.Errorf("%q was taken for the article", s)
		}
	}
	for _, s := range []string{
		"Subscribe to a calmer view of life, as our patients say, and see what the newsletter of your own thoughts has to tell you about it.",
		"Cookies and milk before bed", "Next, your blood pressure is taken.", "Share your medical history with the team", "Thank you for reading to the end of this article; bring your questions.",
		"Joining a group can help", "Comments from participants were mixed.", "Home is where most people recover best.", "Email your clinic when symptoms return.",
		"By clicking sounds the machine shows that it works.", "Something went wrong in three of forty sessions.", "Accept that sleep may be short at first.",
	} {
		if isFurniture(s) {
			t.Errorf("%q was taken for furniture", s)
		}
	}
}

func FuzzSavedText(f *testing.F) {
	for _, s := range []string{"Title\n\nSep 8, 2025\n\nA paragraph that is long enough to be taken for prose by anybody.\n\n• One: two\n1. a\n2. b", "\x00", "•", "1.\n\n\n", "---\na: b\n---\n# x"} {
		f.Add(s, "a.txt")
		f.Add(s, "a.md")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		d, err := Import(File{Name: name, Data: []byte(text)}, whole{})
		if err != nil {
			return
		}
		checkMade(t, d)
		d.Format, d.Title = Text, "T"
		checkMade(t, d)
	})
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{"<p>Hi", "<ul><li>a<ul><li>b</ul>c</ul>", "<table><tr><td>a<td>b</table>", "<svg><style><img src=x onerror=y></style>", "<a href=x><div>y", "<pre>\n\n x</pre>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		d, err := FromPage(Page{URL: "https://example.org/", Title: "T", HTML: source})
		if err == nil {
			checkMade(t, d)
		}
		checkMade(t, Draft{Title: "T", Body: source, Format: HTML})
	})
}

// checkMade makes an article of the draft, if it can be made, and checks what holds for all of them.
func checkMade(t *testing.T, d Draft) {
	t.Helper()
	a, err := New(d, testNow)
	if err != nil {
		return
	}
	checkClean(t, a.HTML)
	if a.Title == "" || len([]rune(a.Title)) > MaxTitle || len([]rune(a.Summary)) > MaxSummary || !ValidSlug(a.Slug) || strings.TrimSpace(a.Text) != a.Text {
		t.Errorf("made %+v", a)
	}
	b, err := New(Draft{Title: a.Title, Body: a.HTML, Format: HTML}, testNow)
	if err == nil {
		checkClean(t, b.HTML)
	}
}

// TestHostileInputIsCheap gives every parser what makes careless ones take minutes.
func TestHostileInputIsCheap(t *testing.T) {
	t.Parallel()
	fill := func(s string) string { return strings.Repeat(s, 20*1024/len(s)) }
	nest := func(s string, n int) string { return strings.Repeat(s, n) + "x" }
	for name, d := range map[string]Draft{
		"nested tables":   {Format: HTML, Body: nest("<table><tr><td>a</td><td>", 100)},
		"nested quotes":   {Format: HTML, Body: nest("<blockquote>", 400)},
		"nested emphasis": {Format: HTML, Body: nest("<b>", 400) + fill("<b>y</b>")},
		"nested lists":    {Format: HTML, Body: nest("<ul><li>", 200)},
		"links of blocks": {Format: HTML, Body: nest("<span><div>", 200) + fill("<i>y</i>")},
		"unclosed":        {Format: HTML, Body: fill("<p><a href=x><b><i>")},
		"markup":          {Format: Markdown, Body: fill("*a _b ")},
		"brackets":        {Format: Markdown, Body: fill("[")},
		"images":          {Format: Markdown, Body: fill("![a](")},
		"quotes":          {Format: Markdown, Body: nest(fill("> ")[:4000], 1)},
		"backticks":       {Format: Markdown, Body: fill("`a``")},
		"related":         {Format: Text, Body: fill("Related posts\n\n") + strings.Repeat("long ", 100)},
		"titles":          {Format: Text, Body: fill("T\n\n")},
		"items":           {Format: Text, Body: "• a\n" + fill("  b\n")},
		"colons":          {Format: Text, Body: "• " + fill("a: ")},
		"spaces":          {Format: Text, Body: fill(" \n") + "x"},
		"one word":        {Format: Text, Body: fill("w")},
	} {
		d.Title = "T"
		t.Run(name, func(t *testing.T) { checkMade(t, d) })
	}
}
