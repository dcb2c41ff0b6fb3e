package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"tidings/infra/local/doors"
)

// openDoors lets the API's functions run elsewhere, in SAM's containers for example, against this stack: they share its table, which is
// then on a DynamoDB, its queues, keys and schedules. The workers stay in this process.
func (s *Stack) openDoors(context.Context) error {
	if s.options.AWS == "" {
		return nil
	}
	if s.options.DynamoDB == "" {
		return errors.New("-aws: give -dynamodb too, since functions that run elsewhere can't reach a file of this process")
	}
	environ, err := s.environElsewhere()
	if err != nil {
		return err
	}
	keys, err := s.data.once("keys.json", func() ([]byte, error) { return nil, errors.New("the keys are gone") })
	if err != nil {
		return err
	}
	l, err := listen("aws", s.options.AWS)
	if err != nil {
		return err
	}
	queues := map[string]doors.Queue{}
	for _, q := range s.template.Queues {
		queues[q.URL] = s.queues.Queue(q.URL)
	}
	d := doors.New(doors.Config{
		NewID: s.newID, Now: s.clock.Now, Log: s.log, Queues: queues,
		Parameters: map[string][]byte{environ["KEYS_PARAMETER"]: keys}, Schedules: s.schedulesElsewhere,
	})
	mux := http.NewServeMux()
	mux.Handle("/", d)
	mux.HandleFunc("GET /environ", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(environ)
	})
	server := &server{listener: l}
	server.serve(mux, s.log)
	s.AWS = server.url()
	s.closers = append(s.closers, server.close)
	return nil
}

// environElsewhere is the environment of all functions together: in the template a variable has one value wherever it stands.
func (s *Stack) environElsewhere() (map[string]string, error) {
	all := map[string]string{}
	for _, f := range s.template.Functions {
		for name, value := range environ(f) {
			if old, ok := all[name]; ok && old != value {
				return nil, fmt.Errorf("-aws: %s differs between the template's functions", name)
			}
			all[name] = value
		}
	}
	all["TABLE_NAME"] = s.data.get().Table
	return all, nil
}

// schedulesElsewhere are the schedules of a group. What is only deleted needs no target.
func (s *Stack) schedulesElsewhere(group, target, deadLetter string) doors.Schedules {
	function := s.functionOf(target)
	if function == "" && target != "" {
		return nil
	}
	return s.schedules.Group(group, function, deadLetter)
}
