package delivery

import (
	"context"
	"math"
	"time"
)

const (
	// rateShare is the part of SES's rate that digests use; the rest is for single mails and for the unevenness of clocks.
	rateShare = 0.985
	// workerRate is what one worker surely manages, in recipients a second: a bulk call of 50 in 200 ms.
	workerRate = 250
	// lapse is how long after its end a share is given to someone else: its holder may have a call under way.
	lapse = 10 * time.Second
	// longWait is the wait from which on a worker ends its invocation and comes back by a delayed message, so that
	// nobody pays for a function that sleeps.
	longWait = 10 * time.Second
	// quotaReserve is the part of the daily quota that digests leave to confirmation mail.
	quotaReserve = 0.02
)

// Rates leases shares of SES's rate to workers, so that together they never send faster than the account may.
type Rates interface {
	// Lease takes for owner, until a time, what is left of limit but at most ask, in recipients a second. Shares whose lease ended
	// less than lapse ago still count. It returns 0 when next to nothing is left.
	Lease(ctx context.Context, owner string, ask, limit float64, until time.Time) (float64, error)
	// Return gives owner's share back.
	Return(ctx context.Context, owner string) error
}

// Workers returns how many workers it takes to send at a rate.
func Workers(rate float64) int { return max(1, int(math.Ceil(rate/workerRate))) }

// room returns how many recipients a digest may still send to today, as far as the account tells: its own figure lags, so what
// may have been sent since it was read is taken off.
func (a Account) room(now time.Time) float64 {
	if a.Quota < 0 {
		return math.Inf(1)
	}
	since := max(0, now.Sub(a.ReadTime).Seconds())
	return a.Quota*(1-quotaReserve) - a.Sent - since*a.Rate
}

// A pacer keeps one worker to its share of the rate.
type pacer struct {
	share float64   // recipients a second
	next  time.Time // when the next call may begin
}

// wait returns how long to wait before the next call.
func (p *pacer) wait(now time.Time) time.Duration { return max(0, p.next.Sub(now)) }

// sent notes that a call with n recipients began at a time. A worker that fell behind does not catch up: that would be
// a burst above the rate.
func (p *pacer) sent(at time.Time, n int) {
	if p.next.Before(at) {
		p.next = at
	}
	p.next = p.next.Add(time.Duration(float64(n) / p.share * float64(time.Second)))
}
