package sesapi

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"time"

	"tidings/internal/fault"
)

// Settings are the account's limits and the faults that are to happen. They can be changed while calls are made.
type Settings struct {
	MaxSendRate        float64  `json:"maxSendRate"`        // recipients a second; one second's worth can be had at once
	Max24HourSend      float64  `json:"max24HourSend"`      // recipients in a rolling 24 hours; -1: unlimited
	BulkCallsPerSecond float64  `json:"bulkCallsPerSecond"` // calls of SendBulkEmail; 0: unlimited
	Latency            Duration `json:"latency"`            // of every call, before it takes effect
	Faults             []Fault  `json:"faults"`             // the first that matches a call and has not been used up happens
}

// DefaultSettings are those of an account that just left the sandbox, but for a rate that keeps demonstrations short.
func DefaultSettings() Settings {
	return Settings{MaxSendRate: 200, Max24HourSend: 50000, Faults: []Fault{}}
}

// maxWait bounds latencies and delays: longer than any client waits, and than a signature lives.
const maxWait = time.Hour

// A Duration is written like "1.5s" in JSON.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 || v > maxWait {
		return fault.New(fault.Invalid, `A duration is written like "1.5s", and is between 0s and 1h.`)
	}
	*d = Duration(v)
	return nil
}

// Settings returns the settings in force. A fault's Count is what is left of it.
func (s *Server) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings.clone()
}

func (t Settings) clone() Settings {
	t.Faults = append([]Fault{}, t.Faults...)
	return t
}

// Change merges a JSON object with some of Settings' members into the settings in force; a list of faults replaces the
// one before. It returns the settings then in force; an unknown member or an impossible value is a fault, and changes nothing.
func (s *Server) Change(body []byte) (Settings, error) {
	notSettings := fault.New(fault.Invalid, "Send a JSON object with maxSendRate, max24HourSend, bulkCallsPerSecond, latency and faults, or some of them.")
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) { // null would decode
		return Settings{}, notSettings
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.settings.clone()
	next.Faults = nil // or the elements that are there would be decoded into
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&next); err != nil {
		if fault.Is(err, fault.Invalid) {
			return Settings{}, err
		}
		return Settings{}, notSettings
	}
	if _, err := d.Token(); err != io.EOF {
		return Settings{}, fault.New(fault.Invalid, "The body holds more than one JSON value.")
	}
	if next.Faults == nil {
		next.Faults = slices.Clone(s.settings.Faults)
	}
	if err := next.check(); err != nil {
		return Settings{}, err
	}
	if err := s.journal.settings(next); err != nil {
		return Settings{}, err
	}
	s.settings = next
	return next.clone(), nil
}

func (t Settings) check() error {
	const most = 1e9
	switch {
	case !(t.MaxSendRate > 0 && t.MaxSendRate <= most):
		return fault.Field(fault.Invalid, "maxSendRate", "The rate is more than 0 recipients a second.")
	case !(t.Max24HourSend == -1 || t.Max24HourSend >= 0 && t.Max24HourSend <= most):
		return fault.Field(fault.Invalid, "max24HourSend", "The quota is a number of recipients, or -1 for none.")
	case !(t.BulkCallsPerSecond >= 0 && t.BulkCallsPerSecond <= most):
		return fault.Field(fault.Invalid, "bulkCallsPerSecond", "The calls a second are 0, for unlimited, or more.")
	}
	for _, f := range t.Faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}
