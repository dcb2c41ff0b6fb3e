package inbox

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tidings/infra/local/sesapi"
	"tidings/internal/fault"
	"tidings/internal/web"
)

// maxBody is the largest body of a control call.
const maxBody = 1 << 20

// advanceWithin is how long, in real time, moving the clock may take, so that the answer comes within 25 s.
const advanceWithin = 24500 * time.Millisecond

// A letter is a mail in JSON.
type letter struct {
	ID         string            `json:"id"`
	From       string            `json:"from"`
	To         []string          `json:"to"` // bare addresses, as SES got them
	Subject    string            `json:"subject"`
	Headers    map[string]string `json:"headers"` // decoded; fields of one name are joined by ", "
	Tags       map[string]string `json:"tags"`
	Text       string            `json:"text"`
	HTML       string            `json:"html"`
	AcceptedAt time.Time         `json:"acceptedAt"`
}

func letterOf(m *sesapi.Mail) letter {
	l := letter{
		ID: m.ID, From: m.From(), To: m.To, Subject: m.Subject(), Text: m.Text(), HTML: m.HTML(), AcceptedAt: m.AcceptedAt.UTC(),
		Headers: map[string]string{}, Tags: map[string]string{},
	}
	for _, h := range m.Headers() {
		if before, twice := l.Headers[h.Name]; twice {
			h.Value = before + ", " + h.Value
		}
		l.Headers[h.Name] = h.Value
	}
	for _, t := range m.Tags() {
		l.Tags[t.Name] = t.Value
	}
	return l
}

// apiList writes the mails one by one: all of a digest's in one piece would be gigabytes.
func (i *Inbox) apiList(w http.ResponseWriter, r *http.Request) {
	q, err := query(r, -1, math.MaxInt)
	if err != nil {
		i.fail(w, r, err)
		return
	}
	q.To = strings.ReplaceAll(q.To, " ", "+") // no address has a blank; it is the + of one that was typed without escaping it
	total, list := i.Mails.Find(q)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, `{"total":`+strconv.Itoa(total)+`,"messages":[`)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for n, m := range list {
		if n > 0 {
			io.WriteString(w, ",")
		}
		if e.Encode(letterOf(m)) != nil { // the client has gone
			return
		}
	}
	io.WriteString(w, "]}\n")
}

// query reads to=, subject= and limit=, which is limit when it is not given and most at most.
func query(r *http.Request, limit, most int) (sesapi.Query, error) {
	v := r.URL.Query()
	q := sesapi.Query{To: v.Get("to"), Subject: v.Get("subject"), Limit: limit}
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return q, fault.Field(fault.Invalid, "limit", "The limit is a number from 0 on.")
		}
		q.Limit = min(n, most)
	}
	return q, nil
}

func (i *Inbox) apiClear(w http.ResponseWriter, r *http.Request) {
	if err := i.Mails.Clear(); err != nil {
		i.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// mail finds the mail that the path names.
func (i *Inbox) mail(r *http.Request) (*sesapi.Mail, error) {
	if m, ok := i.Mails.Mail(r.PathValue("id")); ok {
		return m, nil
	}
	return nil, fault.New(fault.NotFound, "There is no mail of that ID in the inbox.")
}

func (i *Inbox) apiMessage(w http.ResponseWriter, r *http.Request) {
	m, err := i.mail(r)
	if err != nil {
		i.fail(w, r, err)
		return
	}
	i.json(w, letterOf(m))
}

func (i *Inbox) apiRaw(w http.ResponseWriter, r *http.Request) {
	m, err := i.mail(r)
	if err != nil {
		i.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", `attachment; filename="`+m.ID+`.eml"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Write(m.Raw())
}

// An instant is the clock in JSON.
type instant struct {
	Now  time.Time `json:"now"`
	Busy int       `json:"busy"` // works in flight; after an advance, those that keep it from its end, 0 when it got there
}

func (i *Inbox) apiClock(w http.ResponseWriter, _ *http.Request) {
	i.json(w, instant{i.Clock.Now().UTC(), i.Clock.Busy()})
}

func (i *Inbox) apiAdvance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance *string `json:"advance"`
	}
	if err := decode(w, r, &in); err != nil {
		i.fail(w, r, err)
		return
	}
	if in.Advance == nil {
		i.fail(w, r, fault.Field(fault.Invalid, "advance", `Say by how much to advance the clock, such as "72h".`))
		return
	}
	d, err := time.ParseDuration(*in.Advance)
	if err != nil || d < 0 {
		i.fail(w, r, fault.Field(fault.Invalid, "advance", `The advance is a duration from 0s on, such as "72h" or "1h30m".`))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), advanceWithin)
	defer cancel()
	busy, err := i.Clock.Advance(ctx, d)
	if ctx.Err() != nil { // out of time on the way: the answer says so
		busy, err = max(1, busy), nil
	}
	if err != nil {
		i.fail(w, r, err)
		return
	}
	i.json(w, instant{i.Clock.Now().UTC(), busy})
}

func (i *Inbox) apiSettings(w http.ResponseWriter, _ *http.Request) { i.json(w, i.Mails.Settings()) }

func (i *Inbox) apiChange(w http.ResponseWriter, r *http.Request) {
	var change json.RawMessage
	err := decode(w, r, &change)
	if err == nil {
		var s sesapi.Settings
		if s, err = i.Mails.Change(change); err == nil {
			i.json(w, s)
			return
		}
	}
	i.fail(w, r, err)
}

func (i *Inbox) apiToken(w http.ResponseWriter, r *http.Request) {
	role := r.URL.Query().Get("role")
	if role != "publisher" && role != "editor" {
		i.fail(w, r, fault.Field(fault.Invalid, "role", "The role is publisher or editor."))
		return
	}
	token, err := i.Token(role)
	if err != nil {
		i.fail(w, r, err)
		return
	}
	i.json(w, map[string]string{"token": token})
}

// decode reads a JSON body. The content type does not matter: what a form of another site could send, Local refuses.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	r.Header.Set("Content-Type", "application/json")
	return web.DecodeJSON(w, r, maxBody, v)
}

func (i *Inbox) json(w http.ResponseWriter, v any) {
	w.Header().Set("Cache-Control", "no-store")
	i.JSON(w, http.StatusOK, v)
}

// fail answers the API's errors as problem documents, to browsers too.
func (i *Inbox) fail(w http.ResponseWriter, r *http.Request, err error) {
	r.Header.Set("Accept", "application/problem+json")
	i.Error(w, r, err)
}

// problem writes a problem document whose status no fault has.
func problem(w http.ResponseWriter, status int, detail string) {
	body, _ := json.Marshal(web.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail})
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
