package delivery

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tidings/internal/digest"
)

// markNotSent holds the slots of an attempt for which SES's answer makes it certain that nothing was sent.
const markNotSent = "n" // + attempt

// unsent reports whether it is certain that none of the slots was sent by the batch's last attempt: there was none, it did not
// hold them, or SES refused them for now. Earlier attempts were resolved before the last one was written.
func (b Batch) unsent(slots []int64) bool {
	refused := b.Marks[Mark(markNotSent+strconv.Itoa(b.Attempt))]
	for _, s := range slots {
		if slices.Contains(b.Slots, s) && !slices.Contains(refused, s) {
			return false
		}
	}
	return true
}

// A result is what an attempt came to.
type result struct {
	slots   []int64 // of the attempt
	marks   Marks   // to record
	verdict Verdict
	code    string // SES's, when it refused
	halves  bool   // the call was refused whole: try its halves
	made    bool   // a call was made
}

// refused judges an attempt whose call had no results.
func (r *run) refused(b Batch, res *result, err error) {
	res.made = true
	res.verdict, res.code = verdictOf(err)
	r.Log.Warn("bulk call refused or unanswered", "digest", b.Ref.Digest, "shard", b.Ref.Shard, "batch", b.Ref.Batch, "attempt", b.Attempt, "code", res.code)
	switch {
	case res.verdict == Ambiguous:
	case res.verdict == Refused && len(res.slots) == 1:
		res.marks.add(MarkDropped, res.slots...)
	default:
		res.marks.add(Mark(markNotSent+strconv.Itoa(b.Attempt)), res.slots...)
		res.halves = res.verdict == Refused
	}
}

// answered judges an attempt whose call had results. The order of results is not documented, so a slot is matched with
// its result only when all results mean the same; in a mixed answer slots wait for their events, or for the grace.
func (r *run) answered(b Batch, res *result, results []Result) {
	res.made = true
	res.verdict = Ambiguous
	if len(results) == len(res.slots) {
		res.verdict, res.code = verdicts[results[0].Status], results[0].Status
		for _, x := range results {
			if verdicts[x.Status] != res.verdict {
				res.verdict, res.code = Ambiguous, "mixed answer"
				break
			}
		}
	}
	switch res.verdict {
	case Accepted:
		res.marks.add(Mark(markAnswered+strconv.Itoa(b.Attempt)), res.slots...)
	case Dropped:
		res.marks.add(MarkDropped, res.slots...)
	case Ambiguous:
		r.Log.Warn("bulk answer leaves slots open", "digest", b.Ref.Digest, "shard", b.Ref.Shard, "batch", b.Ref.Batch, "attempt", b.Attempt, "code", res.code)
	default:
		res.marks.add(Mark(markNotSent+strconv.Itoa(b.Attempt)), res.slots...)
	}
}

// maxAmbiguous is how many ambiguous answers in a row pause a digest: something is wrong, and each costs a grace.
const maxAmbiguous = 3

// throttled is how long a worker leaves SES alone after a throttle.
const throttled = 2 * time.Second

// consequence draws for the whole digest what an answer means for it.
func (r *run) consequence(ctx context.Context, res result) error {
	if !res.made {
		return nil
	}
	if res.verdict != Ambiguous || res.code == "mixed answer" {
		r.ambiguous = 0
	}
	switch res.verdict {
	case Throttled:
		return stop{throttled}
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
