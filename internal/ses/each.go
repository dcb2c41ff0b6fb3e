package ses

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"tidings/internal/delivery"
	"tidings/internal/mail"
)

// eachAtOnce is how many single calls are under way at a time: with SES's usual 50 to 100 ms that is more than one worker's
// share of the rate.
const eachAtOnce = 16

// SendEach makes one SendEmail call for each entry, all signed at the bulk's time. The content is rendered here, as SES renders that of
// a bulk call. It implements delivery.EachSender.
func (s *Bulk) SendEach(ctx context.Context, b delivery.Bulk) []delivery.Answer {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, signedAt{}, b.SignedAt), sendTimeout)
	defer cancel()
	answers := make([]delivery.Answer, len(b.Entries))
	for i := range answers {
		answers[i] = delivery.Answer{Verdict: delivery.NotMade, Code: "NotMade"}
	}
	var taken atomic.Int64
	var over atomic.Bool
	var all sync.WaitGroup
	for range min(eachAtOnce, len(b.Entries)) {
		all.Go(func() {
			for i := int(taken.Add(1)) - 1; i < len(b.Entries) && !over.Load(); i = int(taken.Add(1)) - 1 {
				if s.now().Sub(b.SignedAt) > delivery.CallWithin {
					return
				}
				if answers[i] = s.sendEntry(ctx, b, b.Entries[i]); answers[i].ForAll() {
					over.Store(true)
				}
			}
		})
	}
	all.Wait()
	return answers
}

// sendEntry sends one entry of a bulk by itself.
func (s *Bulk) sendEntry(ctx context.Context, b delivery.Bulk, e delivery.Entry) delivery.Answer {
	c, err := mail.Render(mail.Content{Subject: b.Content.Subject, HTML: b.Content.HTML, Text: b.Content.Text}, e.Data)
	if err != nil {
		return delivery.Answer{Verdict: delivery.Refused, Code: "RenderingFailed"}
	}
	tags := maps.Clone(b.Tags)
	maps.Copy(tags, e.Tags)
	_, err = s.Send(ctx, Mail{From: s.From, To: e.To, Subject: c.Subject, HTML: c.HTML, Text: c.Text, Headers: e.Headers, Tags: tags})
	if err == nil {
		return delivery.Answer{Verdict: delivery.Accepted}
	}
	if refused, ok := errors.AsType[*delivery.SendError](err); ok {
		return delivery.Answer{Verdict: refused.Verdict, Code: refused.Code}
	}
	return delivery.Answer{Verdict: delivery.Ambiguous, Code: "NoAnswer"}
}
