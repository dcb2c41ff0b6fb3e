package sesapi

import (
	"slices"
	"strings"
	"sync"
)

// A box holds the accepted mails.
type box struct {
	mu    sync.RWMutex
	mails []*Mail // oldest first
	byID  map[string]*Mail
}

func (b *box) add(list []*Mail) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID == nil {
		b.byID = map[string]*Mail{}
	}
	b.mails = append(b.mails, list...)
	for _, m := range list {
		b.byID[m.ID] = m
	}
}

// A Query chooses mails.
type Query struct {
	To      string // a recipient's whole address, whatever its case; empty: any
	Subject string // a part of the subject, whatever its case; empty: any
	Before  string // only mails older than the one of this ID; empty: from the newest on
	Limit   int    // at most so many matches; negative: all
}

// Find returns how many mails match To and Subject, and those of them that are asked for, newest first.
func (s *Server) Find(q Query) (total int, list []*Mail) {
	s.box.mu.RLock()
	mails := s.box.mails // only ever appended to or replaced
	s.box.mu.RUnlock()
	reached := q.Before == ""
	for _, m := range slices.Backward(mails) {
		if q.matches(m) {
			if total++; reached && (q.Limit < 0 || len(list) < q.Limit) {
				list = append(list, m)
			}
		}
		reached = reached || m.ID == q.Before
	}
	return total, list
}

func (q Query) matches(m *Mail) bool {
	if q.To != "" && !slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(to, q.To) }) {
		return false
	}
	return q.Subject == "" || strings.Contains(strings.ToLower(m.Subject()), strings.ToLower(q.Subject))
}

// Mail returns the mail of an ID.
func (s *Server) Mail(id string) (*Mail, bool) {
	s.box.mu.RLock()
	defer s.box.mu.RUnlock()
	m, ok := s.box.byID[id]
	return m, ok
}

// Clear forgets all mails. The quota stays used.
func (s *Server) Clear() error {
	s.mu.Lock() // the settings that the journal begins with are those in force
	defer s.mu.Unlock()
	if j := s.journal; j != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		if err := j.restart(s.settings, s.Now()); err != nil {
			return err
		}
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails, s.box.byID = nil, nil
	return nil
}
