package lint_test

import (
	"strings"
	"testing"

	"tidings/internal/article"
	"tidings/internal/digest"
	"tidings/internal/lint"
	"tidings/internal/mail"
	"tidings/templates"
)

const (
	errorSeverity   = digest.SeverityError
	warningSeverity = digest.SeverityWarning
)

// replaced changes a composed digest; old must be there.
func replaced(t *testing.T, s *string, old, new string) {
	t.Helper()
	if !strings.Contains(*s, old) {
		t.Fatalf("%q is not there", old)
	}
	*s = strings.ReplaceAll(*s, old, new)
}

// TestStructure breaks one thing of a good digest at a time.
func TestStructure(t *testing.T) {
	t.Parallel()
	a := written(t, "Sleep and rest", "Sleep well.")
	const endOfBody = "</body>"
	insert := func(html string) func(*testing.T, *digest.Content) {
		return func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, endOfBody, html+endOfBody) }
	}
	subject := func(s string) func(*testing.T, *digest.Content) {
		return func(_ *testing.T, c *digest.Content) { c.Subject = s }
	}
	for _, b := range []struct {
		name, rule, severity string
		change               func(t *testing.T, c *digest.Content)
	}{
		{"no disclaimer in HTML", "med-disclaimer", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, mail.Disclaimer, "") }},
		{"no disclaimer in text", "med-disclaimer", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.Text, "not FDA-approved", "loved") }},
		{"disclaimer not shown", "med-disclaimer", errorSeverity, func(t *testing.T, c *digest.Content) {
			replaced(t, &c.HTML, mail.Disclaimer, `<span style="display: none">`+mail.Disclaimer+`</span>`)
		}},
		{"disclaimer of esketamine", "med-disclaimer", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.Text, "Ketamine is not", "Esketamine is not") }},
		{"no advice in HTML", "med-advice", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, mail.Advice, "") }},
		{"no 988 in text", "med-advice", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.Text, "988", "") }},
		{"no address in HTML", "law-address", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, "12 Cedar Street", "") }},
		{"no address in text", "law-address", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.Text, "12 Cedar Street", "") }},
		{"no unsubscribe link in HTML", "law-unsubscribe", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, "{{unsubscribe_url}}", "#") }},
		{"unsubscribe link not shown", "law-unsubscribe", errorSeverity, func(t *testing.T, c *digest.Content) {
			replaced(t, &c.HTML, `<a href="{{unsubscribe_url}}" style="`, `<a href="{{unsubscribe_url}}" style="visibility:hidden;`)
		}},
		{"unsubscribe link without the word", "law-unsubscribe", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, ">Unsubscribe<", ">.<") }},
		{"no unsubscribe link in text", "law-unsubscribe", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.Text, "{{unsubscribe_url}}", "") }},
		{"http", "link-safe", errorSeverity, insert(`<a href="http://example.org/">x</a>`)},
		{"http in text", "link-safe", errorSeverity, func(_ *testing.T, c *digest.Content) { c.Text += "\nhttp://example.org/.\n" }},
		{"another scheme", "link-safe", errorSeverity, insert(`<a href="ftp://example.org/">x</a>`)},
		{"no scheme", "link-safe", errorSeverity, insert(`<a href="//example.org/">x</a>`)},
		{"relative", "link-safe", errorSeverity, insert(`<a href="/articles">x</a>`)},
		{"javascript", "link-safe", errorSeverity, insert(`<a href=" java&#10;script:alert(1)">x</a>`)},
		{"data", "link-safe", errorSeverity, insert(`<a href="DATA:text/html,x">x</a>`)},
		{"shortener", "link-safe", errorSeverity, insert(`<a href="https://bit.ly/x">x</a>`)},
		{"shortener by another spelling", "link-safe", errorSeverity, insert(`<a href="https://WWW.Bit.ly./x">x</a>`)},
		{"credentials", "link-safe", errorSeverity, insert(`<a href="https://user:secret@example.org/">x</a>`)},
		{"base as user", "link-safe", errorSeverity, insert(`<a href="https://news.juniper.example@evil.example/">x</a>`)},
		{"unreadable", "link-safe", errorSeverity, insert(`<a href="https://exa mple.org:x/">x</a>`)},
		{"empty link", "link-safe", errorSeverity, insert(`<a href="">x</a>`)},
		{"script", "link-safe", errorSeverity, insert(`<script>x</script>`)},
		{"handler", "link-safe", errorSeverity, insert(`<p onclick="x">x</p>`)},
		{"pixel", "link-private", errorSeverity, insert(`<img alt="" width="1" height="1" src="https://news.juniper.example/p.gif">`)},
		{"pixel by style", "link-private", errorSeverity, insert(`<img alt="" style="height: 1px" src="https://news.juniper.example/p.gif">`)},
		{"image of nobody", "link-private", errorSeverity, insert(`<img alt="" style="display:none" src="https://news.juniper.example/p.gif">`)},
		{"third-party image", "link-private", errorSeverity, insert(`<img alt="A garden" src="https://cdn.example.org/p.png">`)},
		{"third-party image in a set", "link-private", errorSeverity, insert(`<img alt="A garden" src="cid:1" srcset="cid:1 1x, https://cdn.example.org/p.png 2x">`)},
		{"third-party background", "link-private", errorSeverity, insert(`<table background="https://cdn.example.org/p.png"></table>`)},
		{"third-party image in a style", "link-private", errorSeverity, insert(`<p style="background:url('https://cdn.example.org/p.png')">x</p>`)},
		{"third-party image for Outlook", "link-private", errorSeverity, insert(`<!--[if mso]><img alt="" src="https://cdn.example.org/p.png"><![endif]-->`)},
		{"font sheet", "link-private", errorSeverity, insert(`<link rel="stylesheet" href="https://fonts.example.org/css?family=x">`)},
		{"font import", "link-private", errorSeverity, insert(`<style>@import url(https://fonts.example.org/css);</style>`)},
		{"font import by string", "link-private", errorSeverity, insert(`<style>@import "https://fonts.example.org/css";</style>`)},
		{"font face", "link-private", errorSeverity, insert(`<style>@font-face{font-family:x;src:url(https://fonts.example.org/x.woff2)}</style>`)},
		{"frame", "link-private", errorSeverity, insert(`<iframe src="https://video.example.org/"></iframe>`)},
		{"name in a link", "link-private", errorSeverity, insert(`<a href="https://example.org/?n={{name}}">x</a>`)},
		{"link of each reader in an image", "link-private", errorSeverity, insert(`<img alt="x y" src="{{unsubscribe_url}}">`)},
		{"parameter", "link-private", errorSeverity, insert(`<a href="https://example.org/?Email=x">x</a>`)},
		{"address in a link", "link-private", errorSeverity, insert(`<a href="https://example.org/?q=a%40example.org">x</a>`)},
		{"sponsored link", "link-private", warningSeverity, insert(`<a rel="sponsored" href="https://example.org/">x</a>`)},
		{"no alt", "img-alt", errorSeverity, insert(`<img src="https://news.juniper.example/a.png">`)},
		{"alt of a file", "img-alt", warningSeverity, insert(`<img alt="IMG_1234.JPG" src="https://news.juniper.example/a.png">`)},
		{"alt that says nothing", "img-alt", warningSeverity, insert(`<img alt="Image 3" src="https://news.juniper.example/a.png">`)},
		{"empty alt in a link", "img-alt", warningSeverity, insert(`<a href="https://example.org/"><img alt="" src="https://news.juniper.example/a.png"></a>`)},
		{"no text part", "part-text", errorSeverity, func(_ *testing.T, c *digest.Content) { c.Text = " \n" }},
		{"article not in text", "part-text", errorSeverity, func(t *testing.T, c *digest.Content) {
			replaced(t, &c.Text, "https://news.juniper.example/articles/sleep-and-rest", "")
		}},
		{"article not in HTML", "part-text", errorSeverity, func(_ *testing.T, c *digest.Content) { c.Text += "\nhttps://news.juniper.example/articles/other" }},
		{"title not in text", "part-text", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.Text, "Sleep and rest", "Sleep") }},
		{"large", "size", warningSeverity, insert("<!--" + strings.Repeat("x", 75_000) + "-->")},
		{"too large", "size", errorSeverity, insert("<!--" + strings.Repeat("x", 100_000) + "-->")},
		{"empty subject", "subject", errorSeverity, subject(" ")},
		{"two lines", "subject", errorSeverity, subject("News\r\nBcc: x")},
		{"answer", "subject", errorSeverity, subject("Re: your appointment")},
		{"forwarded", "subject", errorSeverity, subject("FWD: news")},
		{"long subject", "subject", warningSeverity, subject(strings.Repeat("word ", 13))},
		{"capitals", "subject", warningSeverity, subject("NEWS FOR YOU")},
		{"shouting", "subject", warningSeverity, subject("News!!")},
		{"urgent", "subject", warningSeverity, subject("Last chance to read this")},
		{"unknown substitution", "render", errorSeverity, func(_ *testing.T, c *digest.Content) { c.Text += "{{first_name}}" }},
		{"substitution in the subject", "render", errorSeverity, subject("News for {{first}}")},
		{"not closed", "render", errorSeverity, insert("{{name")},
		{"no language", "render", errorSeverity, func(t *testing.T, c *digest.Content) { replaced(t, &c.HTML, `lang="en"`, "") }},
		{"id twice", "render", errorSeverity, insert(`<p id="a">x</p><p id="a">y</p>`)},
		{"pale text", "render", warningSeverity, insert(`<p style="color:#999999">x</p>`)},
		{"pale text on its ground", "render", warningSeverity, insert(`<table bgcolor="navy"><tr><td style="color:rgb(0, 0, 0)">x</td></tr></table>`)},
		{"pale link", "render", warningSeverity, insert(`<p style="background:#fff"><a style="color:#0c0" href="https://example.org/">x</a></p>`)},
		{"pale large text", "render", warningSeverity, insert(`<h1 style="font-size:30px;color:#b0b0b0">x</h1>`)},
		{"no preheader", "render", warningSeverity, func(_ *testing.T, c *digest.Content) { c.Preheader = "" }},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			c := composed(t, digest.Digest{}, a)
			b.change(t, &c)
			if found := newLinter(t).Lint(c, []article.Article{a}); !has(found, b.rule, b.severity) {
				t.Errorf("no %s of %s: %+v", b.severity, b.rule, found)
			}
		})
	}
}

// TestAllowed adds to a good digest what nobody objects to.
func TestAllowed(t *testing.T) {
	t.Parallel()
	a := written(t, "Sleep and rest", "Sleep well.")
	l := newLinter(t)
	for _, html := range []string{
		`<a href="https://pubmed.ncbi.nlm.nih.gov/1/">x</a>`, `<a href="mailto:clinic@juniper.example">x</a>`, `<a href="tel:+13035550100">x</a>`, `<a href="#top">x</a>`,
		`<img alt="" src="https://news.juniper.example/static/line.png">`, `<img alt="A quiet room with one chair" src="data:image/png;base64,AAAA">`,
		`<p style="background:url(https://news.juniper.example/static/a.png)">x</p>`, `<p id="a">x</p><p id="b">y</p>`, `<a href="https://news.juniper.example">x</a>`,
		`<p style="color:#777777;font-size:30px">x</p>`, `<p style="color:#eee;background:#fff url(cid:1)">x</p>`, `<p style="color:var(--x)">x</p>`,
		`<p style="color:#eee;display:none">x</p>`, `<div style="background:#14201a"><p style="color:#fff">x</p></div>`, `<p>Braces: &#123;&#123;x&#125;&#125;</p>`, `{{name_html}}`,
	} {
		c := composed(t, digest.Digest{}, a)
		replaced(t, &c.HTML, "</body>", html+"</body>")
		if found := l.Lint(c, []article.Article{a}); len(found) > 0 {
			t.Errorf("%s: %+v", html, found)
		}
	}
	for _, subject := range []string{"Reading a study", "What is new", "OK?", "Braces {{lbrace}}x}}", "Regarding sleep"} {
		c := composed(t, digest.Digest{}, a)
		c.Subject = subject
		if found := l.Lint(c, []article.Article{a}); len(found) > 0 {
			t.Errorf("%s: %+v", subject, found)
		}
	}
}

// What stands in an article is found too.
func TestArticlesHTML(t *testing.T) {
	t.Parallel()
	l := newLinter(t)
	for body, rule := range map[string]string{
		"See [this](http://example.org/a).":                                  "link-safe",
		"See [this](https://tinyurl.com/abc).":                               "link-safe",
		"![A garden](https://cdn.example.org/garden.png)":                    "link-private",
		"See [my page](https://news.juniper.example/preferences/AQAAtoken).": "link-private",
		"See [this](https://example.org/?mc_eid=1234).":                      "link-private",
	} {
		a := written(t, "Links", body)
		if found := l.Lint(composed(t, digest.Digest{}, a), []article.Article{a}); !has(found, rule, errorSeverity) {
			t.Errorf("%s: no error of %s: %+v", body, rule, found)
		}
	}
}

// On one machine the base URL is plain http on loopback, which is no reason to object.
func TestLoopback(t *testing.T) {
	t.Parallel()
	local := mail.Site{Name: "Clinic", BaseURL: "http://127.0.0.1:8080", PostalAddress: "1 Street"}
	for base, clean := range map[string]bool{local.BaseURL: true, "http://news.juniper.example": false, "https://x.example/news": true} {
		s := local
		s.BaseURL = base
		l, err := lint.New(templates.FS, s)
		if err != nil {
			t.Fatal(err)
		}
		b, err := mail.New(templates.FS, s)
		if err != nil {
			t.Fatal(err)
		}
		a := written(t, "Sleep", "Sleep well.")
		c, err := digest.MailComposer{Builder: b, BaseURL: base}.Compose(digest.Digest{Title: "News"}, []article.Article{a})
		if err != nil {
			t.Fatal(err)
		}
		if found := errorsOf(l.Lint(c, []article.Article{a})); (len(found) == 0) != clean {
			t.Errorf("%s: %+v", base, found)
		}
	}
}
