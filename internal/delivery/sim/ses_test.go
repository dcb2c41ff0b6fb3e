package sim

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"tidings/internal/delivery"
)

// A mailbox says how an address and SES get along.
type mailbox string

const (
	normal     mailbox = "normal"
	hard       mailbox = "bounces for good"
	soft       mailbox = "bounces for now"
	complains  mailbox = "complains"
	dropped    mailbox = "SES rejects the recipient"
	poison     mailbox = "SES refuses every call with it"
	unrendered mailbox = "SES can't render"
)

// A message is one that SES has accepted.
type message struct {
	to      string
	digest  string // "": a single mail
	ref     delivery.BatchRef
	attempt int
	slot    int64
	at      time.Time
	proof   []*proof // its events
}

// A proof is one event of a message, on its way into the ledger.
type proof struct {
	body      []byte
	lost      bool
	enqueued  time.Time // in feedback's queue
	processed time.Time // feedback has acknowledged it
	dead      time.Time // in the dead-letter queue
	kills     int       // of its handlers, still to come
}

// An sesModel is SES: what it accepts stands in its own record, by which all else is judged.
type sesModel struct {
	*world
	rate, quota float64
	skew        time.Duration
	accepted    []*message
	times       []time.Time // of each recipient
	single      int         // mails that are no digest's
	refusedOld  int
	paused      time.Time     // the account's sending, until
	callEvery   time.Duration // that bulk calls may come; 0: as often as they like
	lastCall    time.Time
	anySign     bool // a breakage: signatures are never too old
	copies      map[string][]*message
}

// A request is a call of SES.
type request struct {
	delivery.Bulk
	each bool // a single send
}

// take is what SES does with a call.
func (s *sesModel) take(b request) ([]delivery.Result, error) {
	refuse := func(v delivery.Verdict, code string) ([]delivery.Result, error) {
		return nil, &delivery.SendError{Verdict: v, Code: code}
	}
	if age := s.now().Add(s.skew).Sub(b.SignedAt); age > 5*time.Minute && !s.anySign {
		s.refusedOld++
		return refuse(delivery.Throttled, "InvalidSignatureException")
	}
	if s.paused.After(s.now()) {
		return refuse(delivery.Halt, "SendingPausedException")
	}
	if slices.ContainsFunc(b.Entries, func(e delivery.Entry) bool { return s.people.box(e.To) == poison }) {
		return refuse(delivery.Refused, "BadRequestException")
	}
	n := len(b.Entries)
	if float64(s.within(24*time.Hour)+n) > s.quota {
		return refuse(delivery.Quota, "LimitExceededException")
	}
	if float64(s.within(time.Second)+n) > s.rate {
		return refuse(delivery.Throttled, "TooManyRequestsException")
	}
	if !b.each {
		if s.now().Before(s.lastCall.Add(s.callEvery)) {
			return refuse(delivery.Throttled, "TooManyRequestsException")
		}
		s.lastCall = s.now()
	}
	results := make([]delivery.Result, n)
	for i, e := range b.Entries {
		if s.people.box(e.To) == dropped {
			results[i] = delivery.Result{Status: "MESSAGE_REJECTED"}
			continue
		}
		s.accept(b, e)
		results[i] = delivery.Result{Status: "SUCCESS", MessageID: "m"}
	}
	return results, nil
}

// land is take at a time when nobody waits for the answer any more.
func (s *sesModel) land(b request) {
	before := len(s.accepted)
	_, err := s.take(b)
	s.note("SES: a call of batch %s, attempt %s, lands late: %d accepted, %v", b.Tags["batch"], b.Tags["attempt"], len(s.accepted)-before, err)
}

func (s *sesModel) within(d time.Duration) int {
	from := s.now().Add(-d)
	i := len(s.times)
	for i > 0 && s.times[i-1].After(from) {
		i--
	}
	return len(s.times) - i
}

// accept takes one message and publishes its events.
func (s *sesModel) accept(b request, e delivery.Entry) {
	number := func(text string) int { n, _ := strconv.Atoi(text); return n }
	m := &message{
		to: e.To, digest: b.Tags["digest"], attempt: number(b.Tags["attempt"]), slot: int64(number(e.Tags["slot"])), at: s.now(),
		ref: delivery.BatchRef{ShardRef: delivery.ShardRef{Digest: b.Tags["digest"], Shard: number(b.Tags["shard"])}, Batch: int64(number(b.Tags["batch"]))},
	}
	s.accepted, s.times = append(s.accepted, m), append(s.times, s.now())
	s.copies[m.digest+" "+m.to] = append(s.copies[m.digest+" "+m.to], m)
	if m.digest != probe {
		s.judge.accepted(m)
	}
	tags := maps.Clone(b.Tags)
	maps.Copy(tags, e.Tags)
	tags["at"] = s.now().Add(s.skew).UTC().Format("2006-01-02T15:04:05.000Z")
	type later struct {
		kind     string
		from, to time.Duration
		more     map[string]string
	}
	send := later{delivery.EventSend, 300 * time.Millisecond, 3 * time.Second, nil}
	arrived := later{delivery.EventDelivery, time.Second, 30 * time.Second, nil}
	events := []later{send, arrived}
	switch s.people.box(e.To) {
	case hard:
		events[1] = later{delivery.EventBounce, 2 * time.Second, 90 * time.Second, map[string]string{"bounceType": "Permanent"}}
	case soft:
		events[1] = later{delivery.EventBounce, 2 * time.Second, 5 * time.Minute, map[string]string{"bounceType": "Transient"}}
	case complains:
		events = append(events, later{delivery.EventComplaint, 10 * time.Second, 20 * time.Minute, nil})
	case unrendered:
		events = []later{{delivery.EventRenderingFailure, time.Second, 20 * time.Second, nil}}
	}
	for _, l := range events {
		fields := maps.Clone(tags)
		maps.Copy(fields, l.more)
		fields["type"] = l.kind
		body, err := json.Marshal(fields)
		if err != nil {
			panic(err)
		}
		p := &proof{body: body}
		m.proof = append(m.proof, p)
		s.publish(p, s.between(l.from, l.to))
	}
}

const probe = "probe" // the digest tag of the witness's probes

// publish sends an event through EventBridge, which does its best.
func (s *sesModel) publish(p *proof, delay time.Duration) {
	switch s.adversary.pick("event", eventLost, eventLate, eventTwice, eventKills) {
	case eventKills:
		p.kills = 1 + s.rng.IntN(4)
	case eventLost:
		p.lost = true
		return
	case eventLate:
		delay += s.between(time.Minute, 30*time.Minute)
	case eventTwice:
		s.publish(p, s.between(0, 10*time.Minute))
	}
	if silent := s.adversary.silent; s.now().After(silent[0]) && s.now().Before(silent[1]) {
		delay += silent[1].Sub(s.now())
	}
	s.after(delay, func() { s.events.push(p.body, 0, p) })
}

// account is what GetAccount says.
func (s *sesModel) account(at time.Time) delivery.Account {
	return delivery.Account{Rate: s.rate, Quota: s.quota, Sent: float64(s.within(24 * time.Hour)), Enabled: true, ReadTime: at}
}

// An sesOf is a process's way to SES, with the adapter's cache of the account.
type sesOf struct {
	p     *process
	cache delivery.Account
}

// Account implements delivery.Sender.
func (s *sesOf) Account(context.Context) (delivery.Account, error) {
	now := s.p.Now()
	if age := now.Sub(s.cache.ReadTime); !s.cache.ReadTime.IsZero() && age >= 0 && age < time.Minute {
		return s.cache, nil
	}
	var got delivery.Account
	err := s.p.call("SES account", 10*time.Millisecond, 80*time.Millisecond, func(f fault) error {
		if f == sesAccount {
			return errLost
		}
		got = s.p.ses.account(now)
		return nil
	}, sesAccount)
	if err == nil {
		s.cache = got
	}
	return got, err
}

func ambiguous(code string) error {
	return &delivery.SendError{Verdict: delivery.Ambiguous, Code: code}
}

// SendBulk implements delivery.Sender.
func (s *sesOf) SendBulk(_ context.Context, b delivery.Bulk) (results []delivery.Result, err error) {
	p := s.p
	p.judge.calls(p, b)
	results, err = s.request("SES bulk", request{b, false}, 300*time.Millisecond, delivery.SendBound, sesHalt, sesFailed, sesMixed)
	p.note("%s SES answers batch %s, attempt %s: %d results, %v", p.name, b.Tags["batch"], b.Tags["attempt"], len(results), err)
	return results, err
}

// request makes one call, which takes at most so long when all is well, and so long when there is no answer.
func (s *sesOf) request(op string, b request, most, bound time.Duration, more ...fault) (results []delivery.Result, err error) {
	p, ses := s.p, s.p.ses
	p.inFlight = func() { ses.land(b) }
	err = p.call(op, most/20, most, func(f fault) error {
		p.inFlight = nil
		switch f {
		case sesLate:
			p.after(p.between(time.Second, 8*time.Minute), func() { ses.land(b) })
			p.park(bound)
			return ambiguous("NoAnswer")
		case sesNever:
			p.park(bound)
			return ambiguous("NoAnswer")
		case sesLanded:
			ses.land(b)
			p.park(p.between(0, bound))
			return ambiguous("NoAnswer")
		case sesErrorDone:
			ses.land(b)
			return ambiguous("UnexpectedAnswer")
		case sesError:
			return ambiguous("UnexpectedAnswer")
		case sesThrottle:
			return &delivery.SendError{Verdict: delivery.Throttled, Code: "TooManyRequestsException"}
		case sesHalt:
			ses.paused = p.now().Add(p.between(0, 3*time.Minute))
		case sesFailed, sesMixed:
			results, err = ses.partly(b, f)
			return err
		}
		results, err = ses.take(b)
		return err
	}, append([]fault{sesLate, sesNever, sesLanded, sesError, sesErrorDone, sesThrottle}, more...)...)
	p.inFlight = nil
	return results, err
}

// SendEach implements delivery.EachSender, one call after the other.
func (s *sesOf) SendEach(_ context.Context, b delivery.Bulk) []delivery.Answer {
	p, answers := s.p, make([]delivery.Answer, len(b.Entries))
	begun := p.Now()
	for i := range answers {
		answers[i] = delivery.Answer{Verdict: delivery.NotMade, Code: "NotMade"}
	}
	for i, e := range b.Entries {
		left := delivery.SendBound - p.Now().Sub(begun)
		if p.Now().Sub(b.SignedAt) > delivery.CallWithin || left <= 0 {
			break
		}
		one := b
		one.Entries = []delivery.Entry{e}
		p.judge.calls(p, one)
		results, err := s.request("SES each", request{one, true}, 20*time.Millisecond, left)
		answers[i] = delivery.Answer{Verdict: delivery.Accepted}
		if refused, ok := errors.AsType[*delivery.SendError](err); ok {
			answers[i] = delivery.Answer{Verdict: refused.Verdict, Code: refused.Code}
		} else if results[0].Status != "SUCCESS" { // of a single send, that is an error
			answers[i] = delivery.Answer{Verdict: delivery.Refused, Code: "MessageRejected"}
		}
		if answers[i].ForAll() {
			break
		}
	}
	return answers
}

// partly takes some entries and answers with statuses that tell little, out of order.
func (s *sesModel) partly(b request, f fault) ([]delivery.Result, error) {
	var taken []int
	all := s.rng.IntN(3)
	for i := range b.Entries {
		if all == 0 || all == 1 && s.chance(0.5) {
			taken = append(taken, i)
		}
	}
	some := b
	some.Entries = nil
	for _, i := range taken {
		some.Entries = append(some.Entries, b.Entries[i])
	}
	if len(taken) > 0 {
		if _, err := s.take(some); err != nil {
			return nil, err
		}
	}
	results := make([]delivery.Result, len(b.Entries))
	for i := range results {
		word := []string{"FAILED", "TRANSIENT_FAILURE"}[s.rng.IntN(2)]
		if f == sesMixed {
			switch {
			case slices.Contains(taken, i):
				word = "SUCCESS"
				if s.people.box(b.Entries[i].To) == dropped {
					word = "MESSAGE_REJECTED"
				}
			case s.chance(0.5):
				word = "ACCOUNT_THROTTLED"
			}
		}
		results[i].Status = word
	}
	s.rng.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	return results, nil
}

// SendOne implements delivery.Post.
func (s *sesOf) SendOne(_ context.Context, m delivery.Single) error {
	p := s.p
	return p.call("SES single", 20*time.Millisecond, 200*time.Millisecond, func(f fault) error {
		switch f {
		case sesNever:
			return ambiguous("NoAnswer")
		case sesThrottle:
			return &delivery.SendError{Verdict: delivery.Throttled, Code: "TooManyRequestsException"}
		}
		p.ses.single++
		p.ses.times = append(p.ses.times, p.now())
		p.people.mailed(m)
		if f == sesLanded {
			return ambiguous("NoAnswer")
		}
		return nil
	}, sesNever, sesThrottle, sesLanded)
}
