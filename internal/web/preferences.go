package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tidings/internal/audience"
	"tidings/internal/fault"
)

// A Preferencer does what links to preferences offer; it is *audience.Preferences. Faults: NotFound for a link that is not
// genuine, Forbidden for one that is too old for what is asked, Gone for a change by who is not subscribed.
type Preferencer interface {
	Open(ctx context.Context, text string) (audience.Access, error)
	Save(ctx context.Context, text string, in audience.Edit, v audience.Visit) (audience.Access, error)
	SendLink(ctx context.Context, text string) error
	CheckMove(text string) error
	Move(ctx context.Context, text string, v audience.Visit) error
}

// A TopicNamer knows which topics there are to choose from; it is store.Articles.
type TopicNamer interface {
	TopicNames(ctx context.Context) ([]string, error)
}

// Preferences serves the links by which subscribers change what they get.
type Preferences struct {
	*Responder
	Preferences Preferencer
	Topics      TopicNamer
	Now         func() time.Time
}

// Register adds the routes.
func (h Preferences) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /preferences/{token}", h.page)
	mux.HandleFunc("POST /preferences/{token}", h.save)
	mux.HandleFunc("POST /preferences/{token}/link", h.link)
	mux.HandleFunc("GET /address/{token}", h.askMove)
	mux.HandleFunc("POST /address/{token}", h.move)
}

// A PreferencesPage is what the page "preferences" shows.
type PreferencesPage struct {
	Subscriber  audience.Subscriber
	Paused      bool
	Fresh       bool
	Saved       bool
	Moving      bool   // a new address has just been asked for its confirmation
	Path, Leave string // paths: of the page itself, and that the unsubscribe button posts to
	Topics      []TopicChoice
	Months      []int // of pauses
}

// Subscribed reports whether there is something to choose.
func (p PreferencesPage) Subscribed() bool { return p.Subscriber.Status == audience.Confirmed }

// Held reports whether there is anything to export or to erase.
func (p PreferencesPage) Held() bool {
	return p.Subscriber.Status != "" && p.Subscriber.Status != audience.Erased
}

// A TopicChoice is one topic to tick.
type TopicChoice struct {
	Topic  string
	Chosen bool
}

// preferencesJSON is what programs get.
type preferencesJSON struct {
	Status      audience.Status `json:"status"`
	Name        string          `json:"name"`
	Email       string          `json:"email,omitempty"` // only by a fresh link
	Topics      []string        `json:"topics"`          // none: all
	TopicsKnown []string        `json:"topicsKnown"`
	PausedUntil *time.Time      `json:"pausedUntil"`
	Fresh       bool            `json:"fresh"` // export, erase and change of address need it
	Unsubscribe string          `json:"unsubscribe"`
	Move        string          `json:"move,omitempty"` // "asked": the new address that was sent gets a mail to confirm it
}

func (h Preferences) page(w http.ResponseWriter, r *http.Request) {
	private(w)
	a, err := h.open(r)
	if err != nil {
		h.Error(w, r, err)
		return
	}
	h.show(w, r, a, PreferencesPage{})
}

func (h Preferences) open(r *http.Request) (audience.Access, error) {
	if err := notInert(r); err != nil {
		return audience.Access{}, err
	}
	return h.Preferences.Open(r.Context(), r.PathValue("token"))
}

// notInert explains the link of a test mail.
func notInert(r *http.Request) error {
	if r.PathValue("token") == inert {
		return fault.New(fault.NotFound, "This is the link of a test mail, and does nothing. In a digest it opens its reader's preferences.")
	}
	return nil
}

func (h Preferences) save(w http.ResponseWriter, r *http.Request) {
	private(w)
	in, err := readEdit(w, r)
	if err == nil {
		err = notInert(r)
	}
	var a audience.Access
	if err == nil {
		a, err = h.Preferences.Save(r.Context(), r.PathValue("token"), in, visitOf(r))
	}
	if err != nil {
		h.refuseStale(w, r, err)
		return
	}
	h.show(w, r, a, PreferencesPage{Saved: in.Name != nil || in.Topics != nil || in.Pause != nil, Moving: in.Email != nil})
}

// show answers with what is kept now; page says what was just done.
func (h Preferences) show(w http.ResponseWriter, r *http.Request, a audience.Access, page PreferencesPage) {
	known, err := h.Topics.TopicNames(r.Context())
	if err != nil {
		h.Error(w, r, err)
		return
	}
	s := a.Subscriber
	paused := s.PausedUntil.After(h.Now())
	leave := "/unsubscribe/" + a.Leave
	if !WantsHTML(r) {
		out := preferencesJSON{
			Status: s.Status, Name: s.Name, Email: s.Email, Topics: append([]string{}, s.Topics...), TopicsKnown: append([]string{}, known...),
			Fresh: a.Fresh, Unsubscribe: leave,
		}
		if paused {
			out.PausedUntil = &s.PausedUntil
		}
		if page.Moving {
			out.Move = "asked"
		}
		h.JSON(w, http.StatusOK, out)
		return
	}
	page.Subscriber, page.Paused, page.Fresh, page.Path, page.Leave = s, paused, a.Fresh, pagePath(r), leave
	for _, topic := range merged(known, s.Topics) {
		page.Topics = append(page.Topics, TopicChoice{topic, slices.Contains(s.Topics, topic)})
	}
	for n := 1; n <= audience.MaxPause; n++ {
		page.Months = append(page.Months, n)
	}
	h.Page(w, r, http.StatusOK, "preferences", View{Title: "Your preferences", NoIndex: true, Data: page})
}

// pagePath is the path of the preferences that a request is about.
func pagePath(r *http.Request) string { return "/preferences/" + r.PathValue("token") }

// merged returns all topics of two lists once, in order.
func merged(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// link has a fresh link mailed to the subscriber's address.
func (h Preferences) link(w http.ResponseWriter, r *http.Request) {
	private(w)
	err := notInert(r)
	if err == nil {
		err = h.Preferences.SendLink(r.Context(), r.PathValue("token"))
	}
	if err != nil {
		h.Error(w, r, err)
		return
	}
	if WantsHTML(r) {
		h.Page(w, r, http.StatusAccepted, "link-sent", View{Title: "Please check your inbox", NoIndex: true})
		return
	}
	h.JSON(w, http.StatusAccepted, status{"sent"})
}
