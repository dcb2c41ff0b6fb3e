package inbox

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"tidings/internal/web"
	"tidings/internal/web/pages"
)

// pageSize is how many mails the page lists when nothing else is asked for.
const pageSize = 100

// maxPage is the longest list that a browser is asked to show.
const maxPage = 1000

// list shows the mails, newest first (page "local/inbox").
func (i *Inbox) list(w http.ResponseWriter, r *http.Request) {
	q, err := query(r, pageSize, maxPage)
	if err != nil {
		i.Error(w, r, err)
		return
	}
	q.To, q.Subject, q.Before = strings.TrimSpace(q.To), strings.TrimSpace(q.Subject), r.URL.Query().Get("before")
	page := pages.InboxPage{To: q.To, Subject: q.Subject, Demo: i.Demo}
	if q.Before != "" {
		page.Newest = listURL(r, "")
	}
	q.Limit++ // to see whether there are more
	total, list := i.Mails.Find(q)
	page.Total = total
	if n := q.Limit - 1; len(list) > n {
		if list = list[:n]; n > 0 {
			page.Older = listURL(r, list[n-1].ID)
		}
	}
	for _, m := range list {
		page.Messages = append(page.Messages, pages.MailRow{
			ID: m.ID, From: m.From(), To: strings.Join(m.To, ", "), Subject: m.Subject(), URL: pageURL(m.ID), At: m.AcceptedAt,
		})
	}
	i.show(w, r, "local/inbox", "Inbox", page)
}

// listURL is the list as it was asked for, but of mails before another one.
func listURL(r *http.Request, before string) string {
	q := r.URL.Query()
	q.Del("before")
	if before != "" {
		q.Set("before", before)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func pageURL(id string) string { return "/messages/" + url.PathEscape(id) }

// message shows one mail (page "local/message"), its HTML in a frame with a URL of its own.
func (i *Inbox) message(w http.ResponseWriter, r *http.Request) {
	m, err := i.mail(r)
	if err != nil {
		i.Error(w, r, err)
		return
	}
	page := pages.MessagePage{
		ID: m.ID, From: m.From(), To: strings.Join(m.To, ", "), Subject: m.Subject(), At: m.AcceptedAt, Text: m.Text(),
		RawURL: "/api/messages/" + url.PathEscape(m.ID) + "/raw", InboxURL: "/",
	}
	if m.HTML() != "" {
		page.HTMLURL = pageURL(m.ID) + "/html"
	}
	for _, h := range m.Headers() {
		page.Headers = append(page.Headers, pages.Field{Name: h.Name, Value: h.Value})
	}
	for _, t := range m.Tags() {
		page.Tags = append(page.Tags, pages.Field{Name: t.Name, Value: t.Value})
	}
	title := page.Subject
	if title == "" {
		title = "(no subject)"
	}
	i.show(w, r, "local/message", title, page)
}

// html answers with a mail's HTML part, for the frame. MailCSP's sandbox holds also when somebody opens it alone.
func (i *Inbox) html(w http.ResponseWriter, r *http.Request) {
	m, err := i.mail(r)
	if err != nil {
		i.Error(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", pages.MailCSP)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, pages.InFrame(m.HTML()))
}

func (i *Inbox) show(w http.ResponseWriter, r *http.Request, page, title string, data any) {
	w.Header().Set("Content-Security-Policy", pages.FrameCSP)
	w.Header().Set("Cache-Control", "no-store")
	i.Page(w, r, http.StatusOK, page, web.View{Title: title, NoIndex: true, Data: data})
}
