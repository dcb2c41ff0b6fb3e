package mail

import (
	"fmt"
	"html"
	htmltemplate "html/template"
	"regexp"
	"strings"
	texttemplate "text/template"
)

// comments finds what html/template would drop: MJML lays mails out for Outlook in conditional comments.
var comments = regexp.MustCompile(`(?s)<!--.*?-->`)

// parseHTML parses a compiled mail. Its actions stand in [[ ]]; comments are carried over as they are.
func parseHTML(name, source string) (*htmltemplate.Template, error) {
	var kept []htmltemplate.HTML
	source = comments.ReplaceAllStringFunc(source, func(c string) string {
		kept = append(kept, htmltemplate.HTML(c))
		return fmt.Sprintf("[[comment %d]]", len(kept)-1)
	})
	return htmltemplate.New(name).Delims("[[", "]]").Option("missingkey=error").Funcs(htmltemplate.FuncMap{
		"comment": func(i int) htmltemplate.HTML { return kept[i] },
		"t":       literalHTML,
	}).Parse(source)
}

// literalHTML escapes text for HTML so that a brace in it can never begin a substitution.
func literalHTML(s string) htmltemplate.HTML {
	return htmltemplate.HTML(braces.Replace(html.EscapeString(s)))
}

var braces = strings.NewReplacer("{", "&#123;", "}", "&#125;")

// parseText parses a text part. Its actions stand in [[ ]].
func parseText(name, source string) (*texttemplate.Template, error) {
	return texttemplate.New(name).Delims("[[", "]]").Option("missingkey=error").Funcs(texttemplate.FuncMap{
		"wrap": wrap,
		"lit":  literalText,
	}).Parse(source)
}

// literalText writes "{{" as the substitution whose value it is.
func literalText(s string) string { return strings.ReplaceAll(s, "{{", "{{lbrace}}") }

// textWidth is where lines of the text part are broken (RFC 5322 §2.1.1 asks for at most 78).
const textWidth = 76

// wrap breaks each line of s at blanks to textWidth characters. A longer word, such as an address, stays whole.
func wrap(s string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(s), "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		col := 0
		for _, word := range strings.Fields(line) {
			n := len([]rune(word))
			switch {
			case col == 0:
			case col+1+n > textWidth:
				b.WriteByte('\n')
				col = 0
			default:
				b.WriteByte(' ')
				col++
			}
			b.WriteString(word)
			col += n
		}
	}
	return b.String()
}
