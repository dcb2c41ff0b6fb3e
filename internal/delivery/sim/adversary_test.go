package sim

import (
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// A fault is a kind of what the adversary does.
type fault string

// The faults.
const (
	crashBefore fault = "crash before the effect"
	crashAfter  fault = "crash after the effect"
	stall       fault = "stall and resume"
	slow        fault = "delay"
	tableBusy   fault = "table: busy, nothing written"
	tableFails  fault = "table: error, nothing written"
	tableLost   fault = "table: written, answer lost"
	tableTwice  fault = "table: written, answer lost, retried"
	portFails   fault = "queue or scheduler: error"
	portLost    fault = "queue or scheduler: done, answer lost"

	sesNever     fault = "SES: time-out, never lands"
	sesLate      fault = "SES: time-out, lands later"
	sesLanded    fault = "SES: done, answer lost"
	sesError     fault = "SES: 5xx, nothing done"
	sesErrorDone fault = "SES: 5xx, done all the same"
	sesThrottle  fault = "SES: throttled"
	sesFailed    fault = "SES: FAILED or TRANSIENT_FAILURE for all"
	sesMixed     fault = "SES: mixed answer, out of order"
	sesHalt      fault = "SES: account paused"
	sesAccount   fault = "SES: GetAccount fails"

	msgDuplicate fault = "queue: message twice"
	msgReorder   fault = "queue: out of order"
	msgDelay     fault = "queue: late"
	alarmTwice   fault = "scheduler: rings twice"
	alarmLate    fault = "scheduler: rings late"
	eventLost    fault = "event lost"
	eventLate    fault = "event late"
	eventTwice   fault = "event twice"
	eventKills   fault = "event kills its handlers"
	eventSilence fault = "events silenced for a time"
	indexLag     fault = "index lags"
	clockSkew    fault = "clock is off"
)

// certain faults are drawn for each thing they can happen to; those of ports at each port call.
var anyPort = []fault{crashBefore, crashAfter, stall, slow}

// A spot is a fault at a function, or at a port call.
type spot struct {
	f     fault
	where string
}

// An adversary decides what goes wrong. Each seed has its own taste: which faults it likes, how much, and at which port calls
// most, so that rare port calls are met as well as frequent ones.
type adversary struct {
	w      *world
	rates  map[fault]float64
	until  time.Time     // it acts
	limits map[fault]int // of a fault, at each function
	counts map[fault]int
	done   map[spot]int
	salt   byte
	silent [2]time.Time // no event arrives between
	// ambushes is how often people and editors act at the very moment at which something goes wrong.
	ambushes float64
}

var allFaults = []fault{
	crashBefore, crashAfter, stall, slow, tableBusy, tableFails, tableLost, tableTwice, portFails, portLost,
	sesNever, sesLate, sesLanded, sesError, sesErrorDone, sesThrottle, sesFailed, sesMixed, sesHalt, sesAccount,
	msgDuplicate, msgReorder, msgDelay, alarmTwice, alarmLate, eventLost, eventLate, eventTwice, eventKills, eventSilence, indexLag, clockSkew,
}

func newAdversary(w *world) *adversary {
	a := &adversary{w: w, rates: map[fault]float64{}, limits: map[fault]int{}, counts: map[fault]int{}, done: map[spot]int{}, salt: byte(w.rng.IntN(256))}
	taste := w.rng.Float64() // of faults that it likes
	for _, f := range allFaults {
		rate := math.Pow(10, -3+2.2*w.rng.Float64()) // 0.1 % to 16 %
		switch {
		case strings.HasPrefix(string(f), "SES"):
			rate = math.Pow(10, -1.3+1.0*w.rng.Float64()) // there are few calls
		case strings.HasPrefix(string(f), "scheduler"), strings.HasPrefix(string(f), "queue: "), f == indexLag, f == eventKills:
			rate *= 4
		}
		if often := f == crashBefore || f == crashAfter || f == stall; w.chance(taste) || often && w.chance(0.7) {
			a.rates[f] = rate
		}
	}
	a.limits[crashBefore], a.limits[crashAfter], a.limits[stall] = 1+w.rng.IntN(6), 1+w.rng.IntN(6), 1+w.rng.IntN(6)
	a.limits[sesHalt] = 1
	if w.chance(0.5) {
		a.ambushes = w.rng.Float64() / 2
	}
	a.until = w.epoch.Add(w.between(5*time.Minute, 50*time.Minute))
	if a.rates[eventSilence] > 0 {
		from := w.epoch.Add(w.between(0, 20*time.Minute))
		a.silent = [2]time.Time{from, from.Add(w.between(time.Minute, 30*time.Minute))}
		a.count(eventSilence)
	}
	return a
}

func (a *adversary) count(f fault) { a.counts[f]++ }

// wants draws whether a fault happens now, at a place that the adversary may like in particular.
func (a *adversary) wants(f fault, place string) bool {
	fn, _, _ := strings.Cut(place, " ")
	rate, limit, at := a.rates[f], a.limits[f], spot{f, fn}
	if rate == 0 || a.w.now().After(a.until) {
		return false
	}
	switch {
	case strings.Contains(place, " query A"):
		rate *= 0.05 // most calls are these, and each is like the other
	case limit > 0 && a.likes(f, place):
		rate, limit, at = 0.3, 2, spot{f, place}
	case limit > 0 && fn != "deliver" && fn != "feedback":
		rate /= 4
	case limit == 0 && fn == "feedback":
		rate *= 4 // it has few calls, and much depends on each
	}
	if limit > 0 && a.done[at] >= limit || !a.w.chance(rate) {
		return false
	}
	a.count(f)
	a.done[at]++
	return true
}

// likes reports whether a port call is one of those at which this seed's processes die and freeze most.
func (a *adversary) likes(f fault, place string) bool {
	if f == stall && strings.HasSuffix(place, " sleep") {
		return true // the only place from which a worker goes on as if nothing had been
	}
	h := fnv.New32a()
	h.Write(append([]byte(place+string(f)), a.salt))
	return h.Sum32()>>8%4 == 0
}

// pick draws one of some faults, "" for none.
func (a *adversary) pick(place string, from ...fault) fault {
	for _, i := range a.w.rng.Perm(len(from)) {
		if a.wants(from[i], place) {
			return from[i]
		}
	}
	return ""
}

// stallFor draws how long a process is frozen: beyond each of the bounds that matter, or just about.
func (a *adversary) stallFor(op string) time.Duration {
	w := a.w
	if op == "sleep" && w.chance(0.7) { // until another worker has the shard
		return w.between(110*time.Second, 4*time.Minute)
	}
	return []time.Duration{
		w.between(time.Second, 9*time.Second), w.between(9900*time.Millisecond, 10100*time.Millisecond), w.between(11*time.Second, 40*time.Second),
		w.between(time.Minute, 4*time.Minute), w.between(290*time.Second, 310*time.Second), w.between(6*time.Minute, 25*time.Minute),
	}[w.rng.IntN(6)]
}

// ambush has people leave, and editors pause, in the next seconds.
func (w *world) ambush() {
	if !w.chance(w.adversary.ambushes) {
		return
	}
	for range w.rng.IntN(4) {
		if n := len(w.people.all); n > 0 {
			one := w.people.all[w.rng.IntN(n)]
			if r := w.recent; len(r) > 0 && w.chance(0.7) {
				one = w.people.byID[r[w.rng.IntN(len(r))]["ask"].(string)]
			}
			w.after(w.between(0, 3*time.Second), func() { w.people.act(one, "leave", leave, 1) })
		}
	}
	if w.chance(0.3) {
		w.after(w.between(0, 3*time.Second), func() { w.editors.act("pause", w.editors.pause, 1) })
		w.after(w.between(time.Minute, 8*time.Minute), func() { w.editors.act("resume", w.editors.resume, 1) })
	}
}

// coverage counts at which port calls processes were killed.
type coverage map[string]*siteCount

type siteCount struct{ calls, before, after int }

func (c coverage) at(site string) *siteCount {
	if c[site] == nil {
		c[site] = &siteCount{}
	}
	return c[site]
}

func (c coverage) add(other coverage) {
	for site, n := range other {
		s := c.at(site)
		s.calls, s.before, s.after = s.calls+n.calls, s.before+n.before, s.after+n.after
	}
}

func (c coverage) sites() []string { return slices.Sorted(maps.Keys(c)) }

// call is how each port call of each process goes: it takes its time, and the adversary may kill or freeze the process
// before its effect and after it. A fault in more is one that do makes itself.
func (p *process) call(op string, from, to time.Duration, do func(f fault) error, more ...fault) error {
	if p.dead {
		p.crash("again")
	}
	site := p.fn + " " + op
	count := p.coverage.at(site)
	count.calls++
	f := p.adversary.pick(site, slices.Concat(anyPort, more)...)
	p.note("%s %s %s", p.name, op, f)
	if f != "" && p.fn == "deliver" {
		p.ambush()
	}
	d := p.between(from, to)
	late := false
	switch f {
	case stall:
		if late = p.chance(0.5); late {
			break
		}
		d += p.adversary.stallFor(op)
	case slow:
		d += p.between(0, 5*time.Second)
	}
	p.park(d / 2)
	if f == crashBefore {
		count.before++
		if lands := p.inFlight; lands != nil && p.chance(0.5) { // it had left already
			p.after(p.between(0, 8*time.Minute), lands)
		}
		p.crash("before " + op)
	}
	err := do(f)
	if f == crashAfter {
		count.after++
		p.crash("after " + op)
	}
	d /= 2
	if late {
		d += p.adversary.stallFor(op)
	}
	p.park(d)
	return err
}
