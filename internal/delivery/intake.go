package delivery

import (
	"context"
	"errors"
	"log/slog"
)

// An Intake hands the messages of deliver's two queues to those whom they are for: shards to the worker, mails to Singles. Whatever
// can't be done is named in the answer, so that the others of a batch are not done again, and ends in its queue's dead-letter
// queue with the reason in the log, under the message's ID.
type Intake struct {
	Worker  *Worker
	Singles *Singles
	Log     *slog.Logger
}

// Handle works through messages and returns the IDs of those that are to come again.
func (in *Intake) Handle(ctx context.Context, messages []Received) (failed []string) {
	var mails []Received
	for _, received := range messages {
		m, err := ParseMessage(received.Body)
		if errors.Is(err, errKind) {
			mails = append(mails, received) // Singles says what is wrong with it, if anything is
			continue
		}
		if err == nil {
			err = in.shard(ctx, m)
		}
		if err != nil {
			in.Log.ErrorContext(ctx, "shard failed", "message", received.ID, "digest", m.Digest, "shard", m.Shard, "receives", received.Receives, "error", err)
			failed = append(failed, received.ID)
		}
	}
	return append(failed, in.Singles.Handle(ctx, mails)...)
}

func (in *Intake) shard(ctx context.Context, m Message) error {
	if m.Kind != KindShard {
		return errors.New("message of " + m.Kind + " is dispatch's, not deliver's")
	}
	return in.Worker.Run(ctx, ShardRef{Digest: m.Digest, Shard: m.Shard})
}
