package delivery

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	// rateShare is the part of SES's rate that digests use; the rest is for single mails and for the unevenness of clocks.
	rateShare = 0.985
	// workerRate is what one worker surely manages, in recipients a second: a bulk call of 50 in 200 ms.
	workerRate = 250
	// ShareLapse is how long after its end a share is given to someone else: its holder may have a call under way.
	ShareLapse = 10 * time.Second
	// longWait is the wait from which on a worker ends its invocation and comes back by a delayed message, so that
	// nobody pays for a function that sleeps.
	longWait = 10 * time.Second
	// quotaReserve is the part of the daily quota that digests leave to confirmation mail.
	quotaReserve = 0.02
)

// A Share is a part of SES's rate that a worker may use.
type Share struct {
	Rate float64   // recipients a second; 0 when next to nothing is left
	From time.Time // when its first call may begin: its last holder's pace is kept
}

// Rates leases shares of SES's rate to workers, so that together they never send faster than the account may.
type Rates interface {
	// Lease takes for owner, until a time, what is left of limit but at most ask, in recipients a second. Shares whose lease ended
	// less than ShareLapse ago still count.
	Lease(ctx context.Context, owner string, ask, limit float64, until time.Time) (Share, error)
	// Return gives owner's share back. Whoever gets it next may use it from the given time on.
	Return(ctx context.Context, owner string, from time.Time) error
}

// Workers returns how many workers it takes to send at a rate.
func Workers(rate float64) int { return max(1, int(math.Ceil(rate/workerRate))) }

// callPart is the part of a second's recipients that one call may have. A call of all of them would find no room when a confirmation
// has just been sent.
const callPart = 0.9

// callSize is how many recipients a call may have: SES refuses more at once than it takes in a second.
func (a Account) callSize() int { return min(MaxEntries, max(1, int(a.Rate*callPart))) }

// room returns how many recipients digests might still send to when the account was read.
func (a Account) room() float64 {
	if a.Quota < 0 {
		return math.Inf(1)
	}
	return a.Quota*(1-quotaReserve) - a.Sent
}

// A spending counts what this process has sent since the account was last read.
type spending struct {
	mu   sync.Mutex
	read time.Time
	n    int
}

func (s *spending) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += n
}

// unsent takes back what was certainly not sent: a call that is refused and cut into halves would else use the quota up by
// itself, and begin anew whenever there is room, for ever.
func (s *spending) unsent(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n = max(0, s.n-n)
}

// since returns what was sent since the account was read, at a time that a newer reading replaces.
func (s *spending) since(read time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if read.After(s.read) {
		s.read, s.n = read, 0
	}
	return s.n
}

// A pacer keeps one worker to its share of the rate, and below that where SES still calls it too fast: it may limit calls
// too (SES's quotas page exempts single sends from a limit of one call a second, and is silent about bulk calls).
type pacer struct {
	share   float64   // recipients a second
	slower  float64   // divides the share, at least 1
	next    time.Time // when the next call may begin
	refused int       // throttled calls in a row
	woke    time.Time // when what precedes a call began: reading control and subscribers, writing the attempt
	lead    time.Duration
}

// The pace halves with a throttled call and comes back by a tenth with each that is accepted.
const (
	slowDown   = 2
	speedUp    = 1.1
	maxSlower  = 64
	maxBackoff = time.Minute
)

// mostLead bounds how long before a call's time what precedes it begins.
const mostLead = 250 * time.Millisecond

// wake returns how long to wait before what precedes the next call: that takes its time, which would be lost to the rate if it began
// only when the call may.
func (p *pacer) wake(now time.Time) time.Duration { return max(0, p.next.Sub(now)-p.lead) }

// ready returns how long to wait, if at all, for the call when what precedes it is done, and learns how long that took.
func (p *pacer) ready(now time.Time) time.Duration {
	p.lead = min(max(p.lead*9/10, now.Sub(p.woke)), mostLead)
	return max(0, p.next.Sub(now))
}

// sent notes that a call with n recipients began at a time. A worker that fell behind does not catch up: that would be
// a burst above the rate.
func (p *pacer) sent(at time.Time, n int) {
	if p.next.Before(at) {
		p.next = at
	}
	p.next = p.next.Add(p.takes(n))
}

// takes returns how long n recipients take at the pace of now.
func (p *pacer) takes(n int) time.Duration {
	return time.Duration(float64(n) * max(1, p.slower) / p.share * float64(time.Second))
}

// unsent takes back that a call with n recipients was made: it was refused for the number of calls.
func (p *pacer) unsent(n int) { p.next = p.next.Add(-p.takes(n)) }

// throttled slows the pace and leaves SES alone for a while: a second, and twice as long each time in a row.
func (p *pacer) throttled(now time.Time) {
	p.slower = min(max(1, p.slower)*slowDown, maxSlower)
	backoff := min(time.Second<<min(p.refused, 10), maxBackoff)
	p.refused++
	if at := now.Add(backoff); at.After(p.next) {
		p.next = at
	}
}

// accepted brings the pace back.
func (p *pacer) accepted() {
	p.refused = 0
	p.slower = max(1, p.slower/speedUp)
}
