package delivery

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// The types of SES's events that mean something here ("eventType" of its EventBridge events). Others, as DeliveryDelay,
// only prove that SES accepted the message.
const (
	EventSend             = "Send"
	EventDelivery         = "Delivery"
	EventReject           = "Reject"
	EventRenderingFailure = "Rendering Failure"
	EventBounce           = "Bounce"
	EventComplaint        = "Complaint"
)

// An Event is one event of SES, without anything personal.
type Event struct {
	Type         string
	At           time.Time // when SES took the message; zero when the event does not tell
	Digest       string    // empty: not a digest's mail
	Ref          BatchRef  // the rest is zero then, and for probes
	Attempt      int
	Slot         int64
	BounceType   string // Permanent, Transient or Undetermined
	FeedbackType string // of a complaint
}

// mark is the mark that any event of the attempt is.
func (ev Event) mark() Mark { return Mark(markSeen + strconv.Itoa(ev.Attempt)) }

// digestID is what a digest tag may be: a ULID, or the probe's.
var digestID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// ParseEvent reads an event as the template's input transformer passes it on: a flat object of strings, empty where SES's
// event has nothing. Its errors repeat nothing of it.
func ParseEvent(body []byte) (Event, error) {
	var raw struct {
		Type         string `json:"type"`
		At           string `json:"at"`
		Digest       string `json:"digest"`
		Shard        string `json:"shard"`
		Batch        string `json:"batch"`
		Attempt      string `json:"attempt"`
		Slot         string `json:"slot"`
		BounceType   string `json:"bounceType"`
		FeedbackType string `json:"feedbackType"`
	}
	if err := json.Unmarshal(body, &raw); err != nil || raw.Type == "" {
		return Event{}, fmt.Errorf("event is not JSON of the known shape")
	}
	ev := Event{Type: raw.Type, Digest: raw.Digest, BounceType: raw.BounceType, FeedbackType: raw.FeedbackType}
	if at, err := time.Parse(time.RFC3339, raw.At); err == nil {
		ev.At = at.UTC()
	}
	if ev.Digest == "" || ev.Digest == probeDigest {
		return ev, nil
	}
	shard, err1 := strconv.ParseUint(raw.Shard, 10, 16)
	batch, err2 := strconv.ParseUint(raw.Batch, 10, 31)
	attempt, err3 := strconv.ParseUint(raw.Attempt, 10, 31)
	slot, err4 := strconv.ParseUint(raw.Slot, 10, 16)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || !digestID.MatchString(ev.Digest) ||
		shard >= MaxShards || attempt < 1 || slot >= MaxEntries {
		return Event{}, fmt.Errorf("event names no place in the ledger")
	}
	ev.Ref, ev.Attempt, ev.Slot = BatchRef{ShardRef{ev.Digest, int(shard)}, int64(batch)}, int(attempt), int64(slot)
	return ev, nil
}
