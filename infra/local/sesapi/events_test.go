package sesapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tidings/infra/local/sesapi"
)

func TestSimulatorAddresses(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"ana@example.com":                            "Send Delivery",
		"bounce@example.com":                         "Send Delivery",
		"success@simulator.amazonses.com":            "Send Delivery",
		"ooto+label@simulator.amazonses.com":         "Send Delivery",
		"bounce@simulator.amazonses.com":             "Send Bounce Permanent General 5.1.1",
		"BOUNCE+a.b@Simulator.AmazonSES.com":         "Send Bounce Permanent General 5.1.1",
		"suppressionlist+1@simulator.amazonses.com":  "Send Bounce Permanent OnAccountSuppressionList 5.1.1",
		"complaint+ana-1@simulator.amazonses.com":    "Send Delivery Complaint abuse",
		"bounce@simulator.amazonses.com.example.com": "Send Delivery",
	} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			if got := l.send(bulk(to)); got != "SUCCESS 1" {
				t.Fatal(got)
			}
			if total, _ := l.Find(sesapi.Query{To: to, Limit: -1}); total != 1 {
				t.Errorf("%d mails: the simulator's are accepted like any", total)
			}
			var got []string
			for _, e := range l.events {
				d := e.Detail
				got = append(got, d.EventType)
				if d.EventType == "Bounce" {
					got = append(got, d.Bounce.BounceType, d.Bounce.BounceSubType, d.Bounce.BouncedRecipients[0].Status)
				}
				if d.EventType == "Complaint" {
					got = append(got, d.Complaint.ComplaintFeedbackType)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
}

func TestEventsAreEventBridgeEnvelopes(t *testing.T) {
	t.Parallel()
	var raw [][]byte
	l := newLab(t, func(c *sesapi.Config) {
		c.Publish = func(_ context.Context, events ...[]byte) error { raw = append(raw, events...); return nil }
	})
	in := bulk("Ana <ana@example.com>")
	in.FromEmailAddress = aws.String(`"Juniper Clinic" <news@juniper.example>`)
	if got := l.send(in); got != "SUCCESS 1" {
		t.Fatal(got)
	}
	_, list := l.Find(sesapi.Query{Limit: 1})
	want := `{"account":"000000000000","detail":{"eventType":"Send","mail":{"destination":["ana@example.com"],"messageId":"` + list[0].ID +
		`","source":"news@juniper.example","tags":{"digest":["d1"],"ses:configuration-set":["tidings"],"slot":["0"]},"timestamp":"2026-12-01T09:00:00.000Z"},"send":{}},` +
		`"detail-type":"Email Sent","id":"ID","region":"us-east-1","resources":["arn:aws:ses:us-east-1:000000000000:configuration-set/tidings"],"source":"aws.ses","time":"2026-12-01T09:00:00Z","version":"0"}`
	var m map[string]any
	if err := json.Unmarshal(raw[0], &m); err != nil || len(raw) != 2 {
		t.Fatalf("%d events, %v", len(raw), err)
	}
	if m["id"] == "" {
		t.Error("an event without an ID")
	}
	m["id"] = "ID"
	if got, _ := json.Marshal(m); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOnlyTheSetsEventsArePublished(t *testing.T) {
	t.Parallel()
	types := map[string][]string{"tidings": {"SEND", "BOUNCE", "RENDERING_FAILURE"}, "quiet": nil}
	l := newLab(t, func(c *sesapi.Config) { c.ConfigurationSets = types })
	to := []string{"ana@example.com", "bounce@simulator.amazonses.com", "complaint@simulator.amazonses.com"}
	l.send(bulk(to...))
	equal(t, "events", l.published(), []string{"Send", "Send", "Bounce", "Send"})
	in := bulk(to...)
	in.ConfigurationSetName = aws.String("quiet")
	l.send(in)
	in.ConfigurationSetName = nil
	l.send(in)
	equal(t, "events", l.published(), nil)
	if total, _ := l.Find(sesapi.Query{Limit: -1}); total != 9 {
		t.Errorf("%d mails", total)
	}
}

func TestOneMailToManyIsOneSendEvent(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if _, err := l.client.SendEmail(t.Context(), simple("ana@example.com", "bounce@simulator.amazonses.com")); err != nil {
		t.Fatal(err)
	}
	equal(t, "destination", l.events[0].Detail.Mail.Destination, []string{"ana@example.com", "bounce@simulator.amazonses.com"})
	equal(t, "events", l.published(), []string{"Send", "Delivery", "Bounce"})
}

// Events are best effort: a bus that fails does not unsend a mail, and what is logged names nobody.
func TestFailingBus(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	l := newLab(t, func(c *sesapi.Config) {
		c.Log = slogTo(&log)
		c.Publish = func(context.Context, ...[]byte) error { return errors.New("bus is down") }
	})
	if got := l.send(bulk("ana@example.com")); got != "SUCCESS 1" {
		t.Error(got)
	}
	if !strings.Contains(log.String(), "bus is down") || slices.ContainsFunc([]string{"ana", "juniper"}, func(s string) bool { return strings.Contains(log.String(), s) }) {
		t.Errorf("log %s", log.String())
	}
}
