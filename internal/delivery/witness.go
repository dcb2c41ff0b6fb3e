package delivery

import (
	"context"
	"log/slog"
	"time"
)

// A Witness tells whether SES's events reach the ledger, so that the absence of an event means something.
type Witness interface {
	// Alive reports whether events of mail that SES accepted after since have been recorded and none waits. When nothing was
	// sent since, it has a probe sent, and reports false until that probe's event is in.
	Alive(ctx context.Context, since time.Time) (bool, error)
}

// Evidence keeps how far SES's events have come.
type Evidence interface {
	// Heard notes that the Send event of mail which SES took at a time is recorded, and all that came before it.
	Heard(ctx context.Context, at time.Time) error
	// Last returns the latest of those times, zero when there is none.
	Last(ctx context.Context) (time.Time, error)
	// ClaimProbe reports whether the caller is to send a probe: nobody else has within a time.
	ClaimProbe(ctx context.Context, within time.Duration) (bool, error)
}

// A Backlog tells whether events wait to be recorded: in feedback's queue for more than a minute, or in its
// dead-letter queue.
type Backlog interface {
	// Clear reports whether none of mail waits that SES had accepted until since.
	Clear(ctx context.Context, since time.Time) (bool, error)
}

// ProbeAddress is where probes go: SES's mailbox simulator, which costs no reputation.
const ProbeAddress = "success@simulator.amazonses.com"

const (
	// probeDigest stands in the digest tag of probes. No digest has this ID.
	probeDigest = "probe"
	// probeEvery is how often a probe is sent at the most.
	probeEvery = time.Minute
)

// EventWitness is the Witness in use: SES's Send events themselves. An event of any mail will do, since all take one way.
type EventWitness struct {
	Evidence Evidence
	Sender   Sender
	Backlog  Backlog // nil where nothing tells: the grace alone gives events time then
	Log      *slog.Logger
	Now      func() time.Time
}

// Alive implements Witness. SES's clock and ours may differ, so that an event counts only when it is later by a margin.
func (w *EventWitness) Alive(ctx context.Context, since time.Time) (bool, error) {
	last, err := w.Evidence.Last(ctx)
	if err != nil {
		return false, err
	}
	if !last.After(since.Add(ClockMargin)) {
		return false, w.probe(ctx)
	}
	if w.Backlog == nil {
		return true, nil
	}
	return w.Backlog.Clear(ctx, since)
}

// probe sends a mail whose Send event shows that events arrive. A probe that fails is no error: the next one follows.
func (w *EventWitness) probe(ctx context.Context) error {
	mine, err := w.Evidence.ClaimProbe(ctx, probeEvery)
	if err != nil || !mine {
		return err
	}
	const words = "This message tests the way of delivery reports. Nobody reads it."
	_, err = w.Sender.SendBulk(ctx, Bulk{
		SignedAt: w.Now().Truncate(time.Millisecond),
		Content:  Content{Subject: "Probe", HTML: "<p>" + words + "</p>", Text: words},
		Tags:     map[string]string{"digest": probeDigest, "shard": "0", "batch": "0", "attempt": "1"},
		Entries:  []Entry{{To: ProbeAddress, Data: map[string]string{}, Tags: map[string]string{"slot": "0"}}},
	})
	if err != nil {
		w.Log.WarnContext(ctx, "probe not sent", "error", err)
	}
	return nil
}
