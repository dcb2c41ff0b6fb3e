package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"tidings/internal/audience"
	"tidings/internal/digest"
	"tidings/internal/fault"
	"tidings/internal/mail"
	"tidings/internal/token"
)

// Standings reads what decides over the mails to a single person, and counts such mails.
type Standings interface {
	// Standing returns what is known of a subscriber; no error for an unknown ID.
	Standing(ctx context.Context, id string) (audience.Standing, error)
	// CountMail counts the mail that a message asks for, and returns false beyond perDay in a day. A message that comes again
	// is not counted again.
	CountMail(ctx context.Context, id, message string, perDay int) (bool, error)
	// CountLink does the same for mails with a fresh link, which their own readers ask for.
	CountLink(ctx context.Context, id, message string, perDay int) (bool, error)
	// Welcome notes that somebody who has confirmed is welcomed, and returns false when another message did that, or when they
	// are not on the list any more.
	Welcome(ctx context.Context, id, message string) (bool, error)
	// Moving returns the change to an address that waits to be confirmed there, with who has that address, and whether there is one.
	Moving(ctx context.Context, to string) (audience.Move, audience.Subscriber, bool, error)
	// Told notes that somebody who left for another address is told so, and returns false when another message did that.
	Told(ctx context.Context, id, message string) (bool, error)
	// AskSuppressed notes that somebody who is suppressed is asked, and returns false when another message did that in the
	// last audience.SuppressedEvery.
	AskSuppressed(ctx context.Context, id, message string) (bool, error)
}

// Tests keeps test mails until they are sent.
type Tests interface {
	// Test returns fault.NotFound when it was sent or has expired.
	Test(ctx context.Context, id string) (digest.TestMail, error)
	SaveTest(ctx context.Context, m digest.TestMail) error
	DeleteTest(ctx context.Context, id string) error
}

// A Post sends single mails. Its errors are *SendError.
type Post interface {
	SendOne(ctx context.Context, m Single) error
}

// A Single is one mail to one recipient.
type Single struct {
	AsDigest            bool // from the address of digests, not from that of confirmations
	To                  string
	Subject, HTML, Text string
	Headers             []Header
	Tags                map[string]string
}

// A Received is a message of the mail queue.
type Received struct {
	ID       string // the same each time that the message comes
	Body     []byte
	Receives int // how often it came, this time included; 0: unknown
}

// Singles serves the mail queue: answers to sign-ups, what follows them, and test mails. A message holds an ID, and what is to be mailed is
// decided when it is read, so that a late one mails nothing that is no longer true.
type Singles struct {
	Standings Standings
	Tests     Tests
	Post      Post
	Builder   *mail.Builder
	Site      mail.Site
	Tokens    *token.Keyring
	PerDay    int // mails that sign-ups cause, to one address, and as many fresh links
	Log       *slog.Logger
	Now       func() time.Time
	Sleep     func(ctx context.Context, d time.Duration) error
	// Budget is how long an invocation begins new mails: less than the function's timeout by more than sendBound.
	Budget time.Duration
}

// singleMessage is what the mail queue carries.
type singleMessage struct {
	Kind       string `json:"kind"` // one of audience's, or messageTest
	Subscriber string `json:"subscriber"`
	Test       string `json:"test"`
}

const messageTest = "test" // see digest.Service.Test

// Handle works through messages and returns the IDs of those that are to come again.
func (s *Singles) Handle(ctx context.Context, messages []Received) (failed []string) {
	end := s.Now().Add(s.Budget)
	for _, m := range messages {
		if !s.Now().Before(end) {
			failed = append(failed, m.ID)
			continue
		}
		msg, err := parseSingle(m.Body)
		switch {
		case err != nil:
		case msg.Kind == messageTest:
			err = s.test(ctx, m, msg.Test)
		default:
			err = s.person(ctx, m, msg)
		}
		if err != nil {
			s.Log.ErrorContext(ctx, "mail not sent", "message", m.ID, "receives", m.Receives, "error", err)
			failed = append(failed, m.ID)
		}
	}
	return failed
}

// parseSingle reads a message. It reports what is wrong without repeating the message, which may hold anything.
func parseSingle(body []byte) (singleMessage, error) {
	var m singleMessage
	if json.Unmarshal(body, &m) != nil {
		return m, fmt.Errorf("mail message is not JSON of the known shape")
	}
	switch m.Kind {
	case audience.MessageSignup, audience.MessageWelcome, audience.MessageManage, audience.MessageMove, audience.MessageMoved:
		if len(m.Subscriber) != audience.IDLen {
			return m, fmt.Errorf("%s message without a subscriber's ID", m.Kind)
		}
	case messageTest:
		if m.Test == "" {
			return m, fmt.Errorf("test message without a test's ID")
		}
	default:
		return m, fmt.Errorf("mail message of an unknown kind")
	}
	return m, nil
}

// person mails what a message about a subscriber asks for.
func (s *Singles) person(ctx context.Context, m Received, msg singleMessage) error {
	switch msg.Kind {
	case audience.MessageWelcome:
		return s.welcome(ctx, m, msg.Subscriber)
	case audience.MessageManage:
		return s.manage(ctx, m, msg.Subscriber)
	case audience.MessageMove:
		return s.move(ctx, m, msg.Subscriber)
	case audience.MessageMoved:
		return s.moved(ctx, m, msg.Subscriber)
	}
	return s.signup(ctx, m, msg.Subscriber)
}

// signup answers a sign-up. A confirmation is signed anew each time it is sent.
func (s *Singles) signup(ctx context.Context, m Received, id string) error {
	st, err := s.Standings.Standing(ctx, id)
	if err != nil {
		return err
	}
	answer := st.Answer()
	may := true
	switch answer {
	case audience.Silence:
		return nil
	case audience.AskOnce:
		may, err = s.Standings.AskSuppressed(ctx, id, m.ID)
	default:
		may, err = s.Standings.CountMail(ctx, id, m.ID, s.PerDay)
	}
	if err != nil {
		return err
	}
	if !may {
		s.Log.InfoContext(ctx, "sign-up not answered: limit of mails reached", "subscriber", id, "answer", string(answer))
		return nil
	}
	single, err := s.answer(id, st, answer)
	if err != nil {
		return err
	}
	return s.send(ctx, m, single, "subscriber", id)
}

// answer builds the mail.
func (s *Singles) answer(id string, st audience.Standing, answer audience.Answer) (Single, error) {
	if answer == audience.Already {
		links, err := s.linker().Links(id)
		if err != nil {
			return Single{}, err
		}
		content, err := s.Builder.AlreadySubscribed(links)
		return single("already", st.Subscriber.Email, content), err
	}
	link, err := s.linker().link("/confirm/", st.Episode.ConfirmClaims())
	if err != nil {
		return Single{}, err
	}
	content, err := s.Builder.Confirm(link)
	return single("confirm", st.Episode.Email, content), err
}

// single is a mail that answers one person; kind is its tag.
func single(kind, to string, c mail.Content) Single {
	return Single{
		To: to, Subject: c.Subject, HTML: c.HTML, Text: c.Text,
		Headers: headersOf(mail.ConfirmHeaders()), Tags: map[string]string{"mail": kind},
	}
}

func (s *Singles) linker() Linker {
	return Linker{Tokens: s.Tokens, BaseURL: s.Site.BaseURL, Now: s.Now}
}

// test sends a test mail to the addresses that have not had it, and removes it. Those that are left when SES stops taking
// mail are kept for the next time.
func (s *Singles) test(ctx context.Context, m Received, id string) error {
	t, err := s.Tests.Test(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	single := Single{
		AsDigest: true, Subject: t.Content.Subject, HTML: t.Content.HTML, Text: t.Content.Text,
		Headers: headersOf(mail.ListHeaders(s.Site, s.Site.Inert().Unsubscribe)), Tags: map[string]string{"test": id},
	}
	for i, to := range t.To {
		single.To = to
		if err := s.send(ctx, m, single, "test", id); err != nil {
			if t.To = t.To[i:]; i > 0 {
				if kept := s.Tests.SaveTest(ctx, t); kept != nil {
					return fmt.Errorf("%w; and what is left was not kept: %w", err, kept)
				}
			}
			return err
		}
	}
	return s.Tests.DeleteTest(ctx, id)
}

func headersOf(list []mail.Header) []Header {
	out := make([]Header, len(list))
	for i, h := range list {
		out[i] = Header(h)
	}
	return out
}
