package sesapi

import (
	"sync"
	"time"
)

// A bucket is a token bucket that holds one second's worth, as SES lets short bursts pass ("Managing your sending limits").
type bucket struct {
	tokens float64
	at     time.Time // when tokens was right; zero: full
}

// take takes n tokens if they are there. A call for more than a second's worth never fits.
func (b *bucket) take(now time.Time, rate, n float64) bool {
	burst := max(1, rate)
	if b.at.IsZero() {
		b.tokens = burst
	} else if d := now.Sub(b.at); d > 0 {
		b.tokens += d.Seconds() * rate
	}
	b.tokens, b.at = min(b.tokens, burst), now
	if b.tokens+1e-6 < n { // whoever paces exactly must not fail on a rounding
		return false
	}
	b.tokens -= n
	return true
}

// day is the window of the quota.
const day = 24 * time.Hour

// A window counts recipients in a rolling 24 hours, to the second.
type window struct {
	seconds []sent
	sum     int
}

type sent struct {
	at time.Time
	n  int
}

func (w *window) add(now time.Time, n int) {
	if last := len(w.seconds) - 1; last >= 0 && now.Sub(w.seconds[last].at) < time.Second {
		w.seconds[last].n += n
	} else {
		w.seconds = append(w.seconds, sent{now, n})
	}
	w.sum += n
}

// total forgets what is older than a day and counts the rest.
func (w *window) total(now time.Time) int {
	old := 0
	for old < len(w.seconds) && now.Sub(w.seconds[old].at) >= day {
		w.sum -= w.seconds[old].n
		old++
	}
	w.seconds = w.seconds[old:]
	return w.sum
}

// limits is what the account has used of its rate and its quota.
type limits struct {
	mu    sync.Mutex
	rate  bucket
	calls bucket
	sent  window
}

// grant lets messages through, whose numbers of recipients are given: all of them, the first few where the daily quota ends in between
// (0: it is used up), or none and an error when the rate does not allow that. What is not granted counts for nothing.
func (l *limits) grant(now time.Time, t Settings, sizes []int, bulk bool) (int, *apiError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bulk && t.BulkCallsPerSecond > 0 && !l.calls.take(now, t.BulkCallsPerSecond, 1) {
		return 0, &apiError{429, "TooManyRequestsException", "Rate exceeded"}
	}
	used, granted, n := l.sent.total(now), 0, 0
	for _, size := range sizes {
		if t.Max24HourSend >= 0 && float64(used+n+size) > t.Max24HourSend {
			break
		}
		granted, n = granted+1, n+size
	}
	if granted == 0 {
		return 0, nil
	}
	if !l.rate.take(now, t.MaxSendRate, float64(n)) {
		return 0, errorOf("TooManyRequestsException")
	}
	l.sent.add(now, n)
	return granted, nil
}

// used returns how many recipients the last 24 hours had.
func (l *limits) used(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent.total(now)
}
