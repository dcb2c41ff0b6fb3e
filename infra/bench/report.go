package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A measurement is one line of what the bench found.
type measurement struct {
	Name    string         `json:"measurement"`
	Value   float64        `json:"value"`
	Unit    string         `json:"unit"`
	Target  string         `json:"target,omitempty"` // as DESIGN §7 puts it; empty: for information
	Reached *bool          `json:"reached,omitempty"`
	Details map[string]any `json:"details,omitempty"`
}

// A report writes measurements as lines of JSON at once, and as a table at the end.
type report struct {
	out io.Writer
	all []measurement
}

func (r *report) add(m measurement) {
	r.all = append(r.all, m)
	line, _ := json.Marshal(m) // numbers and strings only
	fmt.Fprintf(r.out, "%s\n", line)
}

// atLeast and atMost add a measurement with a target.
func (r *report) atLeast(name string, value, target float64, unit string, details map[string]any) {
	ok := value >= target
	r.add(measurement{name, value, unit, fmt.Sprintf("≥ %v", target), &ok, details})
}

func (r *report) atMost(name string, value, target float64, unit string, details map[string]any) {
	ok := value <= target
	r.add(measurement{name, value, unit, fmt.Sprintf("≤ %v", target), &ok, details})
}

func (r *report) info(name string, value float64, unit string, details map[string]any) {
	r.add(measurement{Name: name, Value: value, Unit: unit, Details: details})
}

// table prints all measurements for people.
func (r *report) table() {
	fmt.Fprintln(r.out)
	for _, m := range r.all {
		verdict := ""
		if m.Reached != nil {
			verdict = map[bool]string{true: "reached", false: "MISSED"}[*m.Reached]
		}
		fmt.Fprintf(r.out, "%-62s %12s %-22s %-10s %s\n", m.Name, figure(m.Value), m.Unit, m.Target, verdict)
	}
}

// figure writes a number with four digits that count.
func figure(v float64) string {
	s := fmt.Sprintf("%.4g", v)
	if strings.Contains(s, "e") {
		return fmt.Sprintf("%.0f", v)
	}
	return s
}
