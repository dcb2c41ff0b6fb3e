package main

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"tidings/infra/bench/rig"
	"tidings/infra/local/sesapi"
	"tidings/internal/digest"
)

// TestCloud sends a digest on the virtual clock: everyone has one mail, no call is too fast, and the bill counts what happened.
func TestCloud(t *testing.T) {
	t.Parallel()
	for _, deliveries := range []bool{false, true} {
		t.Run(fmt.Sprintf("deliveries %v", deliveries), func(t *testing.T) {
			t.Parallel()
			c, keys, err := newCloud(t.TempDir(), deliveries, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.close(); err != nil {
					t.Error(err)
				}
			}()
			if _, err := c.ses.Change([]byte(`{"maxSendRate":50,"max24HourSend":-1}`)); err != nil {
				t.Fatal(err)
			}
			const n = 700
			emails, err := rig.Crowd(t.Context(), c.table, keys.Identity, epoch, n)
			if err != nil {
				t.Fatal(err)
			}
			start, err := rig.Schedule(t.Context(), c.digests)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Once(t.Context(), "start", epoch, start); err != nil {
				t.Fatal(err)
			}
			d, err := c.run(t.Context(), time.Hour)
			if err != nil || d.Status != digest.Sent {
				t.Fatalf("digest %+v, %v", d, err)
			}
			for _, email := range emails {
				if total, _ := c.ses.Find(sesapi.Query{To: email}); total != 1 {
					t.Fatalf("%s has %d mails", email, total)
				}
			}
			events := n
			if deliveries {
				events *= 2
			}
			if c.bill.events != events || len(c.throttled) > 0 || c.bill.invocations["feedback"] == 0 || c.bill.gbSeconds["deliver"] < 0.5*n/50*0.9 {
				t.Errorf("bill %+v, throttled at %v", c.bill, c.throttled)
			}
			conclude(&report{out: io.Discard}, c, d, 50, n, deliveries, time.Second)
		})
	}
}

// TestWindow has events wait for the window, and a full lot for none.
func TestWindow(t *testing.T) {
	t.Parallel()
	c, _, err := newCloud(t.TempDir(), false, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	event := []byte(`{"type":"Send","at":"","digest":""}`)
	few := make([][]byte, 10)
	for i := range few {
		few[i] = event
	}
	if err := c.events.SendAll(t.Context(), few); err != nil {
		t.Fatal(err)
	}
	advance := func(d time.Duration, want int) {
		t.Helper()
		if _, err := c.clock.Advance(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		if got := c.bill.invocations["feedback"]; got != want {
			t.Fatalf("%d invocations after %s, want %d", got, d, want)
		}
	}
	lots := 0
	for _, l := range c.events.lots {
		if len(l.bodies) > 0 {
			lots++
		}
	}
	advance(windowTime-time.Second, 0)
	advance(2*time.Second, lots)
	many := make([][]byte, 2*pollers*windowEvents)
	for i := range many {
		many[i] = event
	}
	if err := c.events.SendAll(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if _, err := c.clock.Advance(context.Background(), time.Minute); err != nil {
		t.Fatal(err)
	}
	for i, l := range c.events.lots {
		if len(l.bodies) > 0 || l.busy {
			t.Errorf("poller %d is left with %d events", i, len(l.bodies))
		}
	}
	if got := c.bill.sqs; got < len(many)+len(few)+2*(len(many)+len(few))/receiveMost {
		t.Errorf("%d requests", got)
	}
}

// TestGrowth sends to a few people by the worker alone.
func TestGrowth(t *testing.T) {
	t.Parallel()
	f, err := batches(t.Context(), 260)
	if err != nil || f.batches != 6 || f.calls < 6*5 || f.write == 0 || f.read == 0 || f.engine <= 0 {
		t.Errorf("%+v, %v", f, err)
	}
}
