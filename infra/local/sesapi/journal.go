package sesapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
	"unique"
)

// A journal is a file that records are added to, a line of JSON each (see record). What one call brings is one write(2), made before
// the call is answered, and never synced: the kernel has it from then on, so it outlives the process however that ends, SIGKILL
// included, but not a loss of power. A kill within the write leaves a last line that is not whole; reading cuts it off.
type journal struct {
	path string

	mu     sync.Mutex // held also while what was written is put into the box, so that Clear empties both or neither
	file   *os.File
	end    int64 // of the last whole record
	broken error // a record that failed could not be taken back
	calls  int64 // the last call's number
	bodies map[unique.Handle[body]]int
	used   window // of the quota, by the calls written
	buf    bytes.Buffer
}

// add writes records whole, or takes them back and fails.
func (j *journal) add(records ...record) error {
	if j.broken != nil {
		return j.broken
	}
	if err := encode(&j.buf, records); err != nil {
		return err
	}
	n, err := j.file.Write(j.buf.Bytes())
	if err == nil {
		j.end += int64(n)
		return nil
	}
	if cut := j.file.Truncate(j.end); cut != nil { // what comes behind half a record could not be read
		j.broken = errors.Join(err, cut)
	}
	return fmt.Errorf("write to %s: %w", j.path, err)
}

// encode writes records as lines.
func encode(buf *bytes.Buffer, records []record) error {
	const keep = 1 << 20 // a buffer that one large call made is not held for ever
	if buf.Cap() > keep {
		*buf = bytes.Buffer{}
	}
	buf.Reset()
	e := json.NewEncoder(buf)
	e.SetEscapeHTML(false)
	for _, r := range records {
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("encode a record: %w", err)
		}
	}
	return nil
}

// call writes an accepted call and numbers it. A template is written at its first call only.
func (j *journal) call(c *accepted) error {
	kept, common := newKeptCall(c), c.mails[0].call
	kept.N = j.calls + 1
	var records []record
	if common.template {
		kept.Template = j.bodies[common.body]
		if kept.Template == 0 {
			kept.Template = len(j.bodies) + 1
			records = append(records, record{Body: newKeptBody(kept.Template, common.body)})
		}
	}
	if err := j.add(append(records, record{Call: kept})...); err != nil {
		return err
	}
	if common.template {
		j.bodies[common.body] = kept.Template
	}
	j.calls, c.n = kept.N, kept.N
	j.count(c)
	return nil
}

// count adds a call's recipients to the quota's use.
func (j *journal) count(c *accepted) {
	at := c.mails[0].AcceptedAt
	j.used.total(at) // forgets
	j.used.add(at, c.recipients())
}

// done writes that a call's events were published.
func (j *journal) done(n int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.add(record{Done: n})
}

// settings writes settings.
func (j *journal) settings(t Settings) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.add(record{Settings: &t})
}

// restart begins the file anew, with the settings and the quota's use, and without the mails. j.mu is held.
func (j *journal) restart(t Settings, now time.Time) error {
	records := []record{{Settings: &t}}
	if j.used.total(now) > 0 {
		records = append(records, record{Used: newKeptUse(j.used)})
	}
	if err := encode(&j.buf, records); err != nil {
		return err
	}
	fresh := j.path + ".new"
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin %s anew: %w", j.path, err)
	}
	n, err := f.Write(j.buf.Bytes())
	if err == nil {
		err = os.Rename(fresh, j.path) // whoever kills the process before finds all the mails, and after it none
	}
	if err != nil {
		return errors.Join(fmt.Errorf("begin %s anew: %w", j.path, err), f.Close())
	}
	j.file.Close() // whose content is gone already
	j.file, j.end, j.broken, j.bodies = f, int64(n), nil, map[unique.Handle[body]]int{}
	return nil
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}
