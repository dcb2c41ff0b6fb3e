package delivery

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"tidings/internal/digest"
)

// markNotSent holds the slots of an attempt for which it is certain that nothing was sent.
const markNotSent = "n" // + attempt

// markHinted holds as many slots of an attempt as SES has said to have taken, in an answer that does not surely tell which.
const markHinted = "h" // + attempt

// mark returns a mark of the batch's last attempt.
func (b Batch) mark(prefix string) Mark { return Mark(prefix + strconv.Itoa(b.Attempt)) }

// unsent reports whether it is certain that none of the slots was sent by the batch's last attempt: there was none, it did not
// hold them, or SES refused them for now. Earlier attempts were resolved before the last one was written.
func (b Batch) unsent(slots []int64) bool {
	refused := b.Marks[b.mark(markNotSent)]
	for _, s := range slots {
		if slices.Contains(b.Slots, s) && !slices.Contains(refused, s) {
			return false
		}
	}
	return true
}

// silent reports whether fewer slots of the last attempt have events than SES has said to have taken of them, if it is not known
// which they are: then the absence of an event means nothing.
func (b Batch) silent() bool {
	return len(b.Marks[b.mark(markSeen)]) < len(b.Marks[b.mark(markHinted)])
}

// A result is what an attempt came to.
type result struct {
	slots   []int64 // of the attempt
	marks   Marks   // to record
	verdict Verdict // on all slots
	code    string  // SES's word for it
	some    Verdict // in a mixed answer: the certain refusal of some that matters most for the whole digest
	took    bool    // in a mixed answer: SES took some
	whole   bool    // the call was refused, and not the recipients in it
	each    bool    // each slot had a call of its own, and has its own answer
	alone   []int64 // slots that SES refused alone in their call
	again   []int64 // each: slots that may be attempted again
}

// weigh takes one of the answers to a mixed attempt into account.
func (res *result) weigh(v Verdict) {
	if v == Halt || v == Quota && res.some != Halt || v == Throttled && res.some == Ambiguous {
		res.some = v
	}
	res.took = res.took || v == Accepted
}

// refused judges an attempt whose call had no results.
func (r *run) refused(b Batch, res *result, err error) {
	res.verdict, res.code = verdictOf(err)
	r.Log.Warn("bulk call refused or unanswered", "digest", b.Ref.Digest, "shard", b.Ref.Shard, "batch", b.Ref.Batch, "attempt", b.Attempt, "code", res.code)
	if res.whole = res.verdict != Ambiguous; res.whole {
		res.marks.add(b.mark(markNotSent), res.slots...)
	}
	if res.verdict == Refused && len(res.slots) == 1 {
		res.alone = res.slots
	}
}

// answered judges an attempt whose call had results. The order of results is not documented, so a slot is matched with
// its result only when all results mean the same; in a mixed answer slots wait for their events, or for the grace.
func (r *run) answered(b Batch, res *result, results []Result) {
	var worst string
	var hinted []int64
	res.verdict, res.code = Ambiguous, "incomplete answer"
	if len(results) == len(res.slots) {
		res.verdict, res.code = verdicts[results[0].Status], results[0].Status
	}
	for i, x := range results {
		v := verdicts[x.Status]
		if v != res.verdict {
			res.verdict, res.code = Ambiguous, "mixed answer"
		}
		if res.weigh(v); v == res.some && v != Ambiguous {
			worst = x.Status
		}
		if v == Accepted && i < len(res.slots) {
			hinted = append(hinted, res.slots[i])
		}
	}
	if res.verdict == Ambiguous && res.some != Ambiguous {
		res.code = worst
	}
	switch res.verdict {
	case Accepted:
		res.marks.add(b.mark(markAnswered), res.slots...)
	case Dropped:
		res.marks.add(MarkDropped, res.slots...)
	case Ambiguous:
		if len(hinted) > 0 {
			res.marks.add(b.mark(markHinted), hinted...)
		}
		r.Log.Warn("bulk answer leaves slots open", "digest", b.Ref.Digest, "shard", b.Ref.Shard, "batch", b.Ref.Batch, "attempt", b.Attempt, "code", res.code)
	default:
		res.marks.add(b.mark(markNotSent), res.slots...)
	}
}

// maxAmbiguous is how many ambiguous answers in a row pause a digest: something is wrong, and each costs a grace.
const maxAmbiguous = 3

// consequence draws for the whole digest what an answer means for it.
func (r *run) consequence(ctx context.Context, res result) error {
	if len(res.slots) == 0 {
		return nil // everyone was skipped
	}
	verdict := res.verdict
	if verdict != Ambiguous || res.took || res.some != Ambiguous {
		r.ambiguous = 0
		if verdict == Ambiguous {
			verdict = res.some
		}
		if verdict == Ambiguous {
			return nil // a mixed answer in which nothing is wrong with the digest
		}
	}
	switch verdict {
	case Accepted:
		r.taken(res)
	case Throttled:
		r.busy(res)
	case NotMade:
		return stop{0}
	case Quota:
		return r.wait(ctx)
	case Halt:
		return r.stopDigest(ctx, fmt.Sprintf("SES refuses to send: %s. %s", res.code, adviceFor(res.code)))
	case Ambiguous:
		if r.ambiguous++; r.ambiguous >= maxAmbiguous {
			return r.stopDigest(ctx, "SES left three calls in a row without a clear answer. What was sent is being found out; resume when SES is well again.")
		}
	}
	return nil
}

// stopDigest pauses the digest with the reason.
func (r *run) stopDigest(ctx context.Context, reason string) error {
	if err := r.Digests.Move(ctx, r.shard.Ref.Digest, digest.Paused, reason); err != nil {
		return err
	}
	return stop{onHold}
}

// wait has the digest wait for the daily quota.
func (r *run) wait(ctx context.Context) error {
	if err := r.Digests.Move(ctx, r.shard.Ref.Digest, digest.Waiting, "The daily quota of SES is used up for now. Sending goes on by itself when there is room."); err != nil {
		return err
	}
	return stop{onHold}
}

// adviceFor says what to do about an answer of SES that halts a digest.
func adviceFor(code string) string {
	switch code {
	case "ACCOUNT_SUSPENDED", "AccountSuspendedException":
		return "The account is suspended: open the SES console and answer AWS's case."
	case "ACCOUNT_SENDING_PAUSED", "SendingPausedException":
		return "Sending is paused for the account: look at its reputation in the SES console, then resume."
	case "CONFIGURATION_SET_SENDING_PAUSED":
		return "Sending is paused for the configuration set: enable it, then resume."
	case "MAIL_FROM_DOMAIN_NOT_VERIFIED", "MailFromDomainNotVerifiedException":
		return "The MAIL FROM domain is not verified: check its DNS records, then resume."
	}
	return "Check the sender's identity, the configuration set and the function's permissions, then resume."
}
