package delivery

import (
	"context"
	"fmt"
	"time"
)

// throttleWaits are the waits after which a single mail is tried again when it is certain that SES was only too busy: a
// visitor waits for it. After the last, the queue has it come again.
var throttleWaits = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

// maxCopies bounds how many copies somebody may get because answers were lost. A second copy is better than none; a fifth
// is not, and the form can be filled in again.
const maxCopies = 3

// send hands a mail to SES. It returns nil when there is nothing more to do: sent, or refused for good. what and id say in
// the log whom or what it is about.
func (s *Singles) send(ctx context.Context, m Received, single Single, what, id string) error {
	for try := 0; ; try++ {
		err := s.Post.SendOne(ctx, single)
		if err == nil {
			return nil
		}
		verdict, code := verdictOf(err)
		switch {
		case verdict == Refused:
			s.Log.WarnContext(ctx, "SES refuses a mail for good", what, id, "code", code)
			return nil
		case verdict == Ambiguous && m.Receives >= maxCopies:
			s.Log.WarnContext(ctx, "answers about a mail were lost; it is not sent once more", what, id, "code", code)
			return nil
		case verdict != Throttled || try == len(throttleWaits):
			return fmt.Errorf("%s %s: %w", what, id, err)
		}
		if err := s.Sleep(ctx, throttleWaits[try]); err != nil {
			return fmt.Errorf("%s %s: %w", what, id, err)
		}
	}
}
