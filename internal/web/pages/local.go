package pages

import (
	"io"
	"strings"
	"time"

	"tidings/internal/web"
)

// The data of the local stack's own pages. They look like the site, but are served beside it.

// Local renders the same pages, but for "problem": on the inbox's origin the site's has links that lead nowhere, so that it is
// "local/problem" there, with the same data.
func (p *Pages) Local() web.Renderer { return local{p} }

type local struct{ *Pages }

// Render implements web.Renderer.
func (l local) Render(w io.Writer, page string, v web.View) error {
	if page == "problem" {
		page = "local/problem"
	}
	return l.Pages.Render(w, page, v)
}

// A DemoPage is "local/demo": a clinic's website with the sign-up form on it. Serve it with DemoCSP(Action).
type DemoPage struct {
	Action string // where the form posts: the gateway's /subscribe
	Site   string // the gateway's origin, for links to the pages there
	Inbox  string // the inbox's origin
}

// An InboxPage is "local/inbox".
type InboxPage struct {
	Total    int // of the mails that match
	To       string
	Subject  string // the search in force; both may be empty
	Messages []MailRow
	Newest   string // the first page of the list; empty on that page
	Older    string // the next page; empty on the last one
	Demo     string // where the demo page is
}

// A MailRow is one mail in the list.
type MailRow struct {
	ID, From, To, Subject string
	URL                   string // of the page "local/message"
	At                    time.Time
}

// A MessagePage is "local/message". Its HTML is shown in a sandboxed frame: serve HTMLURL with MailCSP.
type MessagePage struct {
	ID, From, To, Subject string
	At                    time.Time
	Headers, Tags         []Field
	Text                  string
	HTMLURL               string // the HTML part alone; empty when there is none
	RawURL                string // the message as RFC 5322 bytes
	InboxURL              string // back to the list
}

// InFrame returns a mail's HTML with its links opening in a tab of their own: the frame that shows it would not follow
// them. The mail's bytes stay as they were but for that.
func InFrame(mail string) string {
	const base = `<base target="_blank">`
	if before, after, ok := strings.Cut(mail, "<head>"); ok {
		return before + "<head>" + base + after
	}
	return base + mail
}

// A Field is one header or tag.
type Field struct{ Name, Value string }

// A ChoosePage is "local/oidc-choose": who signs in. Each choice is a link, since a form's redirect to another origin
// would break the policy's form-action.
type ChoosePage struct {
	Client  string // who asks
	Choices []Choice
}

// A Choice is one person of the local issuer.
type Choice struct {
	URL  string // the authorization request, continued as this person
	Name string
	Role string // "publisher" or "editor"
	Note string // what the role may do
}
