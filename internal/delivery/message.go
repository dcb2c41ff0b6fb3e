package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
)

// A Message is what the queues and schedules of delivery carry. It is a hint: the ledger says what is to be done.
type Message struct {
	Kind    string `json:"kind"`              // KindShard, KindStart or KindSweep
	Digest  string `json:"digest"`            // its ID
	Shard   int    `json:"shard,omitempty"`   // KindShard
	Version int64  `json:"version,omitempty"` // KindStart, KindSweep: of the schedule
}

// The kinds of messages.
const (
	KindShard = "shard" // to deliver: work on a shard
	KindStart = "start" // to dispatch: a digest's hour has come
	KindSweep = "sweep" // to dispatch: a minute has passed while a digest goes out
)

// ShardMessage returns the message that asks for work on a shard.
func ShardMessage(ref ShardRef) []byte {
	return encode(Message{Kind: KindShard, Digest: ref.Digest, Shard: ref.Shard})
}

// SweepMessage returns the payload of the sweeper of a digest's version.
func SweepMessage(digest string, version int64) []byte {
	return encode(Message{Kind: KindSweep, Digest: digest, Version: version})
}

func encode(m Message) []byte {
	b, _ := json.Marshal(m) // strings and integers only
	return b
}

// errKind says that a message is not one of delivery's.
var errKind = errors.New("delivery message of an unknown kind")

// ParseMessage reads a message. It reports what is wrong without repeating the message.
func ParseMessage(body []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return Message{}, fmt.Errorf("delivery message is not JSON of the known shape: %w", errKind)
	}
	switch m.Kind {
	case KindShard, KindStart, KindSweep:
	default:
		return Message{}, errKind
	}
	if !digestID.MatchString(m.Digest) || m.Shard < 0 || m.Shard >= MaxShards {
		return Message{}, fmt.Errorf("%s message without a digest or with a shard out of range", m.Kind)
	}
	return m, nil
}
