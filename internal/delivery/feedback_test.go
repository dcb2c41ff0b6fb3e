package delivery_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"tidings/internal/delivery"
)

// event makes an event of a slot of the first batch.
func event(slot int, fields map[string]string) []byte {
	ev := map[string]string{
		"type": "Send", "at": epoch.Format(time.RFC3339), "digest": testDigest, "shard": "0", "batch": "0", "attempt": "1", "slot": fmt.Sprint(slot),
	}
	maps.Copy(ev, fields)
	body, _ := json.Marshal(ev)
	return body
}

func TestEventsSayWhatBecameOfMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	later := func(i int, fields map[string]string) { w.ses.later[w.people.all[i].Email] = fields }
	later(0, map[string]string{"type": "Bounce", "bounceType": "Permanent"})
	later(1, map[string]string{"type": "Bounce", "bounceType": "Transient"})
	later(2, map[string]string{"type": "Bounce", "bounceType": "Undetermined"})
	later(3, map[string]string{"type": "Complaint"})
	later(4, map[string]string{"type": "Complaint", "feedbackType": "not-spam"})
	later(5, map[string]string{"type": "Reject"})
	later(6, map[string]string{"type": "Rendering Failure"})
	later(7, map[string]string{"type": "DeliveryDelay"})
	w.schedule()
	w.run(time.Hour)
	w.wantStatus("sent")
	p := w.progress()
	if p.Accepted != 8 || p.Failed != 2 || p.Bounced != 2 || p.Complained != 1 || p.Delivered != 2 {
		t.Errorf("progress %+v, want 8 accepted, 2 failed, 2 bounced, 1 complained, 2 delivered", p)
	}
	if b, c := w.people.bounced, w.people.complained; len(b) != 1 || b[0] != w.people.all[0].ID || len(c) != 1 || c[0] != w.people.all[3].ID {
		t.Errorf("suppressed %v and %v", b, c)
	}
}

func TestEventsTwiceAreEventsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.schedule()
	w.run(time.Hour)
	before := w.progress()
	for range 2 {
		bodies := map[string][]byte{}
		for i := range 10 {
			bodies[fmt.Sprint(i)] = event(i, nil)
			bodies[fmt.Sprint(i, "d")] = event(i, map[string]string{"type": "Delivery"})
		}
		if failed := w.feedback.Handle(t.Context(), bodies); len(failed) > 0 {
			t.Fatalf("failed: %v", failed)
		}
	}
	if after := w.progress(); after != before {
		t.Errorf("progress %+v, before the repetition %+v", after, before)
	}
	if failed := w.feedback.Handle(t.Context(), map[string][]byte{"x": event(3, map[string]string{"attempt": "2"})}); len(failed) > 0 {
		t.Fatal(failed)
	}
	if p := w.progress(); p.Duplicates != 1 || p.Accepted != 10 {
		t.Errorf("progress %+v, want the second attempt's mail counted as a duplicate", p)
	}
}

func TestFeedbackFailsPerMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.schedule()
	w.run(time.Hour)
	bodies := map[string][]byte{
		"good":    event(1, nil),
		"probe":   event(0, map[string]string{"digest": "probe"}),
		"single":  event(0, map[string]string{"digest": "", "slot": ""}),
		"foreign": event(0, map[string]string{"digest": "another"}), // acknowledged: it never will be in the ledger
		"text":    []byte("not JSON, of someone@example.org"),
		"slot":    event(50, nil),
		"nothing": []byte(`{}`),
	}
	failed := w.feedback.Handle(t.Context(), bodies)
	if fmt.Sprint(failed) != "[nothing slot text]" {
		t.Errorf("failed %v, want nothing, slot and text", failed)
	}
	if strings.Contains(w.log.String(), "example.org") {
		t.Error("the log repeats a message")
	}
	w.gate.dead = true // the table is gone
	if failed := w.feedback.Handle(t.Context(), map[string][]byte{"a": event(1, nil), "b": event(2, nil), "single": bodies["single"]}); len(failed) != 2 {
		t.Errorf("failed %v, want both that could not be recorded", failed)
	}
}

func TestWitnessNeedsAnEventAfterTheAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	ctx, alive := t.Context(), func() bool {
		ok, err := w.worker.Witness.Alive(t.Context(), epoch)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	hear := func(at time.Time, digest string) {
		w.feedback.Handle(ctx, map[string][]byte{"1": event(0, map[string]string{"digest": digest, "at": at.Format(time.RFC3339Nano)})})
	}
	w.ses.silent = true
	hear(epoch.Add(-time.Minute), "")
	hear(epoch.Add(4*time.Second), "") // within what clocks may differ
	if alive() {
		t.Error("alive by an event from before the attempt")
	}
	w.now = w.now.Add(10 * time.Second)
	if alive() || w.ses.copies[delivery.ProbeAddress] != 1 {
		t.Errorf("%d probes, want one a minute at the most", w.ses.copies[delivery.ProbeAddress])
	}
	hear(w.now, "probe")
	hear(epoch, "") // older ones come late
	if !alive() {
		t.Error("not alive although the probe's event is in")
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(event(1, nil))
	f.Add(event(1, map[string]string{"digest": "probe"}))
	f.Add([]byte(`{"type":"Send","digest":"a#b","shard":"-1","batch":"99999999999999999999","attempt":"0","slot":"50"}`))
	f.Add([]byte(`{"type":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ev, err := delivery.ParseEvent(body)
		if err != nil {
			if len(err.Error()) > 60 {
				t.Error("the error repeats the event")
			}
			return
		}
		r := ev.Ref
		if r.Shard < 0 || r.Shard >= delivery.MaxShards || r.Batch < 0 || ev.Slot < 0 || ev.Slot >= delivery.MaxEntries || strings.ContainsAny(r.Digest, "#/ ") || len(r.Digest) > 64 {
			t.Errorf("event %+v is at an impossible place", ev)
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	f.Add(delivery.ShardMessage(delivery.ShardRef{Digest: "d", Shard: 63}))
	f.Add(delivery.SweepMessage("d", 1))
	f.Add([]byte(`{"kind":"start","digest":"d","version":3}`))
	f.Add([]byte(`{"kind":"shard","digest":"d","shard":64}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := delivery.ParseMessage(body)
		if err == nil && (m.Digest == "" || m.Shard < 0 || m.Shard >= delivery.MaxShards || m.Kind == "") {
			t.Errorf("message %+v", m)
		}
	})
}
