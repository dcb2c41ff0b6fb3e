package sesapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"unique"
)

// Keep reads what was accepted before from a file, if there is one, and keeps there from now on what is accepted: mails, the use of the
// quota, and the settings with what is left of their faults. It comes before the first call. A last record that is torn is cut off: its
// call had no answer, and took no effect.
//
// Events of calls that had not been published when the process ended are published now, so that each is published at least once.
// Those of a call that was on its way while the inbox was cleared are not kept.
func (s *Server) Keep(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keep mails: %w", err)
	}
	r := reading{server: s, journal: &journal{path: path, file: f}, bodies: map[int]unique.Handle[body]{}, pending: map[int64]*accepted{}}
	if err := r.all(); err != nil {
		return errors.Join(fmt.Errorf("keep mails: %w", err), f.Close())
	}
	r.journal.bodies = make(map[unique.Handle[body]]int, len(r.bodies))
	for n, b := range r.bodies {
		r.journal.bodies[b] = n
	}
	s.journal = r.journal
	s.limits.sent = window{slices.Clone(r.journal.used.seconds), r.journal.used.sum}
	for _, n := range slices.Sorted(maps.Keys(r.pending)) {
		s.report(ctx, r.pending[n], s.eventsOf(r.pending[n]))
	}
	return nil
}

// StopKeeping closes the file. Calls that come all the same are refused.
func (s *Server) StopKeeping() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// A reading fills a server and its journal from the journal's file.
type reading struct {
	server  *Server
	journal *journal
	bodies  map[int]unique.Handle[body]
	pending map[int64]*accepted // calls whose events are not known to be published
}

// all reads the file and cuts off what a kill left of its last record.
func (r *reading) all() error {
	j := r.journal
	in := bufio.NewReaderSize(j.file, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == nil {
			if err = r.line(line); err == nil {
				j.end += int64(len(line))
				continue
			}
			if _, last := in.Peek(1); last != io.EOF {
				return fmt.Errorf("%s, line %d: %w (remove the file to begin with an empty inbox)", j.path, n, err)
			}
		} else if err != io.EOF {
			return fmt.Errorf("read %s: %w", j.path, err)
		}
		if len(line) == 0 {
			return nil
		}
		r.server.Log.Warn("last record of the kept mails is torn, and cut off", "bytes", len(line))
		return j.file.Truncate(j.end)
	}
}

// line takes one record in. Its errors repeat nothing of it.
func (r *reading) line(line []byte) error {
	var rec record
	if json.Unmarshal(line, &rec) != nil || !bytes.HasPrefix(line, []byte("{")) {
		return errNoRecord
	}
	switch {
	case rec.Body != nil:
		return r.body(rec.Body)
	case rec.Call != nil:
		return r.call(rec.Call)
	case rec.Done != 0:
		delete(r.pending, rec.Done)
	case rec.Settings != nil:
		if rec.Settings.check() != nil {
			return errNoRecord
		}
		r.server.settings = rec.Settings.clone()
	case rec.Used != nil:
		for _, u := range rec.Used {
			r.journal.used.add(u.At, u.N)
		}
	default:
		return errNoRecord
	}
	return nil
}

func (r *reading) body(k *keptBody) error {
	if k.N != len(r.bodies)+1 {
		return errNoRecord
	}
	r.bodies[k.N] = k.handle()
	return nil
}

func (r *reading) call(k *keptCall) error {
	c, err := k.accepted(r.bodies)
	if err != nil {
		return err
	}
	r.journal.calls = max(r.journal.calls, c.n)
	r.journal.count(c)
	r.server.box.add(c.delivered())
	if !c.quiet {
		r.pending[c.n] = c
	}
	return nil
}
