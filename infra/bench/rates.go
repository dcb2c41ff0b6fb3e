package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"tidings/infra/bench/rig"
	"tidings/infra/local/sesapi"
	"tidings/internal/delivery"
	"tidings/internal/digest"
)

// rates measures how much of SES's rate a digest uses, and what it costs.
func rates(ctx context.Context, rep *report, _ bool) error {
	for _, run := range []struct {
		rate       float64
		seconds    int
		deliveries bool
	}{{14, 1200, false}, {200, 300, false}, {200, 120, true}, {1000, 150, false}, {5000, 90, false}} {
		if err := rate(ctx, rep, run.rate, run.seconds, run.deliveries); err != nil {
			return fmt.Errorf("%v/s: %w", run.rate, err)
		}
	}
	return nil
}

// maxWorkers is the template's MaxWorkers.
const maxWorkers = 64

// rate sends a digest that takes so many seconds at a rate.
func rate(ctx context.Context, rep *report, rate float64, seconds int, deliveries bool) error {
	dir, err := os.MkdirTemp("", "tidings-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, keys, err := newCloud(dir, deliveries, maxWorkers)
	if err != nil {
		return err
	}
	defer c.close()
	settings := fmt.Sprintf(`{"maxSendRate":%v,"max24HourSend":-1}`, rate)
	if _, err := c.ses.Change([]byte(settings)); err != nil {
		return err
	}
	n := int(rate) * seconds
	if _, err := rig.Crowd(ctx, c.table, keys.Identity, epoch, n); err != nil {
		return err
	}
	start, err := rig.Schedule(ctx, c.digests)
	if err != nil {
		return err
	}
	c.table.Reset()
	began := time.Now()
	if err := c.Once(ctx, "start", epoch, start); err != nil {
		return err
	}
	d, err := c.run(ctx, time.Duration(4*seconds)*time.Second+time.Hour)
	if err != nil {
		return err
	}
	c.bill.polling(3, d.EndedAt.Sub(epoch))
	conclude(rep, c, d, rate, n, deliveries, time.Since(began))
	return c.close()
}

// run lets time pass until the digest has ended and all events are in.
func (c *cloud) run(ctx context.Context, limit time.Duration) (digest.Digest, error) {
	for {
		if _, err := c.clock.Advance(ctx, 20*time.Second); err != nil {
			return digest.Digest{}, err
		}
		item := c.digests
		item.Table = c.table.Table // the bench's own look costs nothing
		d, err := item.Get(ctx, rig.Digest)
		if err != nil {
			return d, err
		}
		switch {
		case d.Status == digest.Sent:
			_, err = c.clock.Advance(ctx, 2*time.Minute)
			return d, err
		case d.Status != digest.Sending && d.Status != digest.Scheduled, c.clock.Now().Sub(epoch) > limit:
			return d, fmt.Errorf("digest is %s: %s", d.Status, d.Reason)
		}
	}
}

// conclude reads utilisation off SES's own record, and the bill.
func conclude(rep *report, c *cloud, d digest.Digest, rate float64, n int, deliveries bool, took time.Duration) {
	_, mails := c.ses.Find(sesapi.Query{Limit: -1})
	times := make([]time.Time, len(mails))
	for i, m := range mails {
		times[i] = m.AcceptedAt
	}
	slices.SortFunc(times, time.Time.Compare)
	first, last := times[0], times[len(times)-1]
	from, to := first.Add(time.Minute), times[len(times)*95/100]
	lo, _ := slices.BinarySearchFunc(times, from, time.Time.Compare)
	hi, _ := slices.BinarySearchFunc(times, to, time.Time.Compare)
	late := 0
	for _, at := range c.throttled {
		if at.After(first.Add(time.Minute)) {
			late++
		}
	}
	name := fmt.Sprintf("at %v/s", rate)
	if !deliveries {
		rep.atLeast("utilisation "+name+", second minute to 95 %", 100*float64(hi-lo)/(rate*to.Sub(from).Seconds()), 98, "% of the rate", map[string]any{
			"recipients": n, "workers": maxWorkers, "mails": len(mails), "machine seconds": round(took.Seconds()),
		})
		rep.info("utilisation "+name+", whole digest", 100*float64(n)/(rate*last.Sub(epoch).Seconds()), "% of the rate", map[string]any{
			"seconds": round(last.Sub(epoch).Seconds()), "first mail after": round(first.Sub(epoch).Seconds()), "ended after": round(d.EndedAt.Sub(epoch).Seconds()),
		})
		rep.atMost("throttled calls "+name+" after the first minute", float64(late), 0, "calls", map[string]any{"in the first minute": len(c.throttled) - late})
	}
	dollars, details := c.bill.per(n, c.table.Units())
	what, target := "with needed events", 1.0
	if deliveries {
		what, target = "with Delivery too", 2.0
	}
	if name = "cost of 1,000,000 " + name + ", " + what; rate < delivery.MaxEntries {
		rep.info(name, round(dollars), "$ beyond SES", details) // for size: it would take such an account 20 hours, and its quota 20 days
		return
	}
	rep.atMost(name, round(dollars), target, "$ beyond SES", details)
}
