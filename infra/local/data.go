package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A dataDir is where the stack keeps what outlives it: table.db (Tidings' table, unless that is on DynamoDB), stack.db (queues and
// schedules), mails.jsonl (the inbox, and what SES knows; not of a temporary one), keys.json, issuer.pem, and state.json.
type dataDir struct {
	path      string
	temporary bool // nobody asked for it to be kept

	mu    sync.Mutex
	state state
}

// A state is what the stack knows of itself.
type state struct {
	Table   string        `json:"table"`       // on a DynamoDB, which may hold tables of other data
	Offset  time.Duration `json:"clockOffset"` // nanoseconds that the clock is ahead of real time
	Samples bool          `json:"samples"`     // sample articles were loaded; deleted ones stay away
}

// openData opens or makes a folder; without a path it makes a temporary one.
func openData(path string, newID func() string) (*dataDir, error) {
	d := &dataDir{path: path, temporary: path == ""}
	if d.temporary {
		var err error
		if d.path, err = os.MkdirTemp("", "tidings-"); err != nil {
			return nil, fmt.Errorf("make a temporary folder: %w", err)
		}
	} else if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	b, err := os.ReadFile(d.file("state.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.state.Table = "tidings-" + newID()
		err = d.change(func(*state) {})
	case err == nil:
		err = json.Unmarshal(b, &d.state)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("-data: %s: %w", d.file("state.json"), err), d.close())
	}
	return d, nil
}

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// get returns the state as it is now.
func (d *dataDir) get() state {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// change changes the state and keeps it.
func (d *dataDir) change(f func(*state)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.state)
	b, err := json.MarshalIndent(d.state, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(d.file("state.json"), append(b, '\n'))
}

// once returns a file's content; it is made at the first time.
func (d *dataDir) once(name string, make func() ([]byte, error)) ([]byte, error) {
	b, err := os.ReadFile(d.file(name))
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("-data: %w", err)
	}
	if b, err = make(); err != nil {
		return nil, err
	}
	return b, writeFile(d.file(name), b)
}

// close removes a temporary folder.
func (d *dataDir) close() error {
	if !d.temporary {
		return nil
	}
	return os.RemoveAll(d.path)
}

// writeFile replaces a file whole: whoever kills the stack in between finds the old one.
func writeFile(path string, b []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
