package sim

import (
	"container/heap"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing/synctest"
	"time"
)

// A loop is the seeded scheduler: an agenda of what happens when, on the virtual clock of a synctest bubble. It lets one task run
// until it parks or ends before it looks at the agenda again, so that a seed decides everything.
type loop struct {
	rng     *rand.Rand
	epoch   time.Time
	agenda  agenda
	seq     int
	parked  map[*process]chan struct{}
	history []byte
	ids     int
	over    bool
}

// An entry is something that happens at a time.
type entry struct {
	at  time.Time
	seq int
	do  func()
}

type agenda []entry

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func (l *loop) now() time.Time { return time.Now() } // the bubble's

// at puts something on the agenda, after what stands there for the same moment.
func (l *loop) at(t time.Time, do func()) {
	l.seq++
	heap.Push(&l.agenda, entry{t, l.seq, do})
}

func (l *loop) after(d time.Duration, do func()) { l.at(l.now().Add(d), do) }

// run works through the agenda until done reports that nothing more is wanted, or nothing is left, or until a time.
func (l *loop) run(end time.Time, done func() bool) {
	for len(l.agenda) > 0 && !done() {
		e := heap.Pop(&l.agenda).(entry)
		if e.at.After(end) {
			break
		}
		time.Sleep(e.at.Sub(l.now()))
		e.do()
		synctest.Wait()
	}
	l.over = true
	for len(l.parked) > 0 { // let them go: they find that they are dead
		for p, resume := range l.parked {
			p.dead = true
			delete(l.parked, p)
			close(resume)
			break
		}
		synctest.Wait()
	}
}

// note writes a line of the history.
func (l *loop) note(format string, args ...any) {
	l.history = fmt.Appendf(l.history, "%12.6f ", l.now().Sub(l.epoch).Seconds())
	l.history = fmt.Appendf(l.history, format, args...)
	l.history = append(l.history, '\n')
}

// Write takes the log lines of the code under test into the history.
func (l *loop) Write(line []byte) (int, error) {
	l.history = append(append(l.history, "             log "...), line...)
	return len(line), nil
}

func (l *loop) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// newID makes IDs that sort by age, as ULIDs do.
func (l *loop) newID() string {
	l.ids++
	return fmt.Sprintf("id%08d", l.ids)
}

// between draws a duration.
func (l *loop) between(from, to time.Duration) time.Duration {
	return from + time.Duration(l.rng.Int64N(int64(to-from)+1))
}

func (l *loop) chance(p float64) bool { return l.rng.Float64() < p }

// A process is a sandbox of a function: it has its own memory and its own clock, and does one thing at a time.
type process struct {
	*world
	fn      string
	name    string
	skew    time.Duration
	dead    bool
	effect  time.Time // of its last table write
	witness *testimony
	// inFlight is what happens when the process dies in a call that has left it already.
	inFlight func()
	*functions
}

// Now is the process's own clock.
func (p *process) Now() time.Time { return p.now().Add(p.skew).UTC() }

// park stops the process for a while. A process that died meanwhile never comes back.
func (p *process) park(d time.Duration) {
	resume := make(chan struct{})
	p.parked[p] = resume
	p.after(d, func() {
		if p.parked[p] == resume {
			delete(p.parked, p)
			close(resume)
		}
	})
	<-resume
	if p.dead {
		runtime.Goexit()
	}
}

// crash ends the process here and now, as SIGKILL does: no code of it runs any more, except deferred calls, whose ports
// are closed.
func (p *process) crash(at string) {
	p.dead = true
	p.note("%s CRASHES %s", p.name, at)
	runtime.Goexit()
}

// start runs an invocation in the process, as the next thing that happens, and calls end when it is over: crashed when the process
// died in it.
func (p *process) start(f func() error, end func(crashed bool, err error)) {
	p.after(0, func() { go p.invoke(f, end) })
}

func (p *process) invoke(f func() error, end func(crashed bool, err error)) {
	crashed, err := true, error(nil)
	defer func() {
		if x := recover(); x != nil {
			p.violate("panic in %s: %v\n%s", p.name, x, debug.Stack())
			p.dead = true
		}
		if p.dead {
			crashed = true
		}
		if !p.over {
			end(crashed, err)
		}
	}()
	err = f()
	crashed = false
}
