package sim

import (
	"context"
	"time"

	"tidings/internal/digest"
	"tidings/internal/store"
)

// editors make one digest, schedule it, change their minds, and in the end let it go out.
type editors struct {
	*world
	id      string
	stopped time.Time // pause or cancel was answered with 200; zero: not, or resumed since
	resumes int
	ended   time.Time // first seen
	looked  time.Time
	status  digest.Status // in the table
	since   time.Time     // it is so
}

func newEditors(w *world) *editors { return &editors{world: w} }

// act does something in a process of its own, again when it fails.
func (e *editors) act(name string, do func(ctx context.Context, p *process) error, tries int) {
	p := e.process("editor")
	p.note("%s: %s", p.name, name)
	p.start(func() error { return do(context.Background(), p) }, func(crashed bool, err error) {
		p.note("%s ends: crashed %v, %v", p.name, crashed, err)
		if (crashed || err != nil) && tries > 1 {
			e.after(e.between(time.Second, 30*time.Second), func() { e.act(name, do, tries-1) })
		}
	})
}

// plan draws what editors do.
func (e *editors) plan() {
	e.after(0, func() { e.act("create and schedule", e.create, 40) })
	for range e.rng.IntN(3) {
		e.after(e.between(0, 5*time.Minute), func() { e.act("change and schedule again", e.change, 1) })
	}
	for range e.rng.IntN(4) {
		e.after(e.between(time.Minute, 30*time.Minute), func() { e.act("pause", e.pause, 1) })
		e.after(e.between(time.Minute, 40*time.Minute), func() { e.act("resume", e.resume, 1) })
	}
	if e.chance(0.12) {
		e.after(e.between(time.Minute, 40*time.Minute), func() { e.act("cancel", e.cancel, 2) })
	}
	for range 3 {
		e.after(e.between(time.Minute, 30*time.Minute), func() { e.act("look", e.look, 1) })
	}
	e.after(e.between(2*time.Minute, 5*time.Minute), e.mend)
}

func (e *editors) when(p *process) digest.When {
	if e.chance(0.3) {
		return digest.When{Now: true}
	}
	at := p.Now().Add(e.between(time.Minute, 6*time.Minute))
	return digest.When{SendAt: at.Truncate(time.Second).Format("2006-01-02T15:04:05"), Timezone: "UTC"}
}

func (e *editors) create(ctx context.Context, p *process) error {
	if e.id == "" {
		title, articles := "News", []string{"one"}
		d, err := p.service.Create(ctx, digest.Change{Title: &title, Articles: &articles})
		if err != nil {
			return err
		}
		if e.id == "" { // nobody was faster
			e.id = d.ID
		}
	}
	d, err := p.service.Get(ctx, e.id)
	if err != nil || d.Status != digest.Draft {
		return err
	}
	_, err = p.service.Schedule(ctx, e.id, nil, e.when(p))
	return err
}

func (e *editors) change(ctx context.Context, p *process) error {
	if e.id == "" {
		return nil
	}
	intro := e.newID()
	if _, err := p.service.Update(ctx, e.id, nil, digest.Change{Intro: &intro}); err != nil {
		return err
	}
	_, err := p.service.Schedule(ctx, e.id, nil, e.when(p))
	return err
}

func (e *editors) pause(ctx context.Context, p *process) error {
	_, err := p.service.Pause(ctx, e.id, nil)
	if err == nil && e.truth() == digest.Paused {
		e.stopped = e.now()
		p.note("paused, with 200")
	}
	return err
}

func (e *editors) resume(ctx context.Context, p *process) error {
	e.stopped = time.Time{} // from the moment that it may be so
	_, err := p.service.Resume(ctx, e.id, nil)
	return err
}

func (e *editors) cancel(ctx context.Context, p *process) error {
	_, err := p.service.Cancel(ctx, e.id, nil)
	if err == nil {
		e.stopped = e.now()
		p.note("cancelled, with 200")
	}
	return err
}

// look reads the progress while the digest goes out.
func (e *editors) look(ctx context.Context, p *process) error {
	if e.id == "" {
		return nil
	}
	progress, err := p.counter.Progress(ctx, e.id)
	if err == nil {
		e.judge.progress(progress)
	}
	return err
}

// mend is what editors do who look from time to time: what was not scheduled is, what is paused goes on, and what pauses again and
// again is cancelled.
func (e *editors) mend() {
	switch e.truth() {
	case digest.Paused:
		if e.now().After(e.adversary.until) {
			e.resumes++
		}
		if e.resumes > 6 {
			e.act("cancel", e.cancel, 3)
		} else {
			e.act("resume", e.resume, 3)
		}
	case digest.Draft, digest.Scheduled, "": // to look at it sets its alarm, if it has none
		e.act("create and schedule", e.create, 3)
	}
	if !e.over() {
		e.after(e.between(2*time.Minute, 8*time.Minute), e.mend)
	}
}

// truth is the digest's status in the table.
func (e *editors) truth() digest.Status {
	d, err := store.Digests{Table: e.db}.Get(context.Background(), e.id)
	if err != nil {
		return ""
	}
	return d.Status
}

// changed notes the status that the table has.
func (e *editors) changed() {
	if s := e.truth(); s != e.status {
		e.status, e.since = s, e.now()
		e.note("the digest is %s", s)
	}
}

// over reports whether the digest has ended: a cancelled one when its ledger is complete.
func (e *editors) over() bool {
	c, err := store.Deliveries{Digests: store.Digests{Table: e.db}}.Control(context.Background(), e.id)
	return err == nil && c.Status.Ended() && !c.Active()
}

// rest reports whether all is quiet: the digest has ended a good while ago, and no event is under way.
func (e *editors) rest() bool {
	if e.now().Before(e.adversary.until) || !e.ended.IsZero() && e.now().Before(e.ended.Add(time.Hour)) {
		return false
	}
	if e.now().Before(e.looked.Add(20 * time.Second)) {
		return false
	}
	e.looked = e.now()
	if !e.over() {
		return false
	}
	if e.ended.IsZero() {
		e.ended = e.now()
		return false
	}
	return len(e.events.letters) == 0 && len(e.events.dead) == 0
}
