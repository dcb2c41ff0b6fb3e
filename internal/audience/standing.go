package audience

import "time"

// SuppressedEvery is how often at most somebody whose mail bounced, or who complained, is asked whether they want mail.
const SuppressedEvery = 90 * 24 * time.Hour

// A Standing is what is known of an address when the mail that answers a sign-up is due.
type Standing struct {
	Subscriber Subscriber // zero when there was never one
	Episode    Episode
	Waits      bool // Episode is there, and has not expired
}

// An Answer is what a sign-up is answered with.
type Answer string

// The answers.
const (
	Silence Answer = "silence" // nothing waits: confirmed, left or expired since
	Already Answer = "already" // on the list: nothing has changed
	Ask     Answer = "ask"     // asks for a confirmation
	AskOnce Answer = "askonce" // the same, at most once in SuppressedEvery
)

// Answer decides it.
func (s Standing) Answer() Answer {
	switch {
	case !s.Waits:
		return Silence
	case s.Subscriber.Status == Confirmed:
		return Already
	case s.Subscriber.Suppressed():
		return AskOnce
	}
	return Ask
}
