package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxEntries is how many recipients one bulk call may have (SES: SendBulkEmail, at most 50 destinations).
const MaxEntries = 50

// A Sender hands mail to SES. It never retries: SES has no idempotency token, so a retry after a lost answer could
// send twice. Only the ledger decides what is sent again.
type Sender interface {
	// SendBulk sends one message to each entry. The results stand in the order of the entries as far as SES keeps it,
	// which it does not promise. An error is a *SendError.
	SendBulk(ctx context.Context, b Bulk) ([]Result, error)
	// Account returns what the account may send, at most 60 s old.
	Account(ctx context.Context) (Account, error)
}

// A Bulk is one call: one content, many recipients.
type Bulk struct {
	// SignedAt is the time the request is signed with, which bounds when it can take effect: SES refuses
	// signatures older than 5 minutes.
	SignedAt time.Time
	Content  Content
	Tags     map[string]string // of every entry
	Entries  []Entry           // 1 to MaxEntries
}

// Content is a frozen digest, with SES's simple substitutions in it.
type Content struct {
	Subject, HTML, Text string
}

// An Entry is one recipient of a Bulk.
type Entry struct {
	To      string
	Data    map[string]string // values of the content's substitutions
	Headers []Header
	Tags    map[string]string
}

// A Header is a header of one recipient's message.
type Header struct{ Name, Value string }

// A Result is what SES says of one entry.
type Result struct {
	Status    string // SES's BulkEmailStatus
	MessageID string // when the status is SUCCESS
}

// An Account is what SES allows.
type Account struct {
	Rate     float64 // recipients a second
	Quota    float64 // recipients in 24 hours, rolling; negative: unlimited
	Sent     float64 // recipients in the last 24 hours
	Enabled  bool    // false: SES has paused the account's sending
	Sandbox  bool    // only verified recipients are accepted
	ReadTime time.Time
}

// A Verdict is what an answer means for the recipients it is about.
type Verdict int

// The verdicts. All but Ambiguous and Accepted are certain: SES has not accepted the message.
const (
	Ambiguous Verdict = iota // may or may not have been sent: only events or the grace tell
	Accepted                 // SES has taken the message
	Throttled                // not sent; later it may be
	Quota                    // not sent; the daily quota is used up
	Halt                     // not sent; nothing can be until someone mends the account or the configuration
	Dropped                  // not sent, and never will be: SES refuses this recipient or message
	Refused                  // not sent: the whole call was refused as invalid; one of its entries may be to blame
	NotMade                  // not sent: the call was not made at all
)

// A SendError is an error of a whole call.
type SendError struct {
	Verdict Verdict // never Accepted, Dropped or NotMade
	Code    string  // SES's error code, or a word of ours; holds nothing personal
}

func (e *SendError) Error() string { return fmt.Sprintf("send refused or unanswered: %s", e.Code) }

// verdictOf returns the verdict of an error of a call. What is not known to be certain is Ambiguous.
func verdictOf(err error) (Verdict, string) {
	if e, ok := errors.AsType[*SendError](err); ok {
		return e.Verdict, e.Code
	}
	return Ambiguous, "unknown error"
}

// verdicts maps SES's per-entry statuses (types.BulkEmailStatus). FAILED and TRANSIENT_FAILURE do not say whether the
// message was taken, so they are ambiguous, as is any status that is not known here.
var verdicts = map[string]Verdict{
	"SUCCESS":                          Accepted,
	"MESSAGE_REJECTED":                 Dropped,
	"INVALID_PARAMETER":                Dropped,
	"ACCOUNT_THROTTLED":                Throttled,
	"ACCOUNT_DAILY_QUOTA_EXCEEDED":     Quota,
	"ACCOUNT_SUSPENDED":                Halt,
	"ACCOUNT_SENDING_PAUSED":           Halt,
	"CONFIGURATION_SET_SENDING_PAUSED": Halt,
	"CONFIGURATION_SET_NOT_FOUND":      Halt,
	"TEMPLATE_NOT_FOUND":               Halt,
	"MAIL_FROM_DOMAIN_NOT_VERIFIED":    Halt,
	"INVALID_SENDING_POOL_NAME":        Halt,
}
