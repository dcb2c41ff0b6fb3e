package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidings/internal/table"
)

func TestReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &report{out: &out}
	r.atLeast("fast", 98.4, 98, "%", map[string]any{"people": 3})
	r.atMost("dear", 1.2, 1, "$", nil)
	r.info("size", 123456, "bytes", nil)
	r.table()
	lines := strings.Split(out.String(), "\n")
	var m measurement
	if err := json.Unmarshal([]byte(lines[0]), &m); err != nil || m.Name != "fast" || m.Target != "≥ 98" || !*m.Reached || m.Details["people"] != 3.0 {
		t.Errorf("%+v, %v", m, err)
	}
	if strings.Contains(lines[2], "target") || strings.Contains(lines[2], "reached") {
		t.Errorf("information has a target: %s", lines[2])
	}
	for i, want := range []string{`^fast +98\.4 % +≥ 98 +reached$`, `^dear +1\.2 \$ +≤ 1 +MISSED$`, `^size +123456 bytes *$`} {
		if !regexp.MustCompile(want).MatchString(lines[4+i]) {
			t.Errorf("row %d is %q", i, lines[4+i])
		}
	}
}

// TestBill reckons by hand what half a million recipients made.
func TestBill(t *testing.T) {
	t.Parallel()
	b := newBill()
	b.invoked("deliver", 1999*time.Microsecond) // 2 ms at half a GB
	b.invoked("deliver", 0)
	b.add(&b.sqs, 1_000_000)
	b.add(&b.events, 500_000)
	b.add(&b.schedules, 500_000)
	b.polling(2, time.Minute)
	units := table.Units{Write: table.Use{Calls: 1, Capacity: table.Capacity{Write: 1e6}}, BatchGet: table.Use{Capacity: table.Capacity{Read: 4e6}}}
	got, details := b.per(500_000, units)
	want := 2*(1e6*priceWriteUnit+4e6*priceReadUnit+1_000_030*priceSQS+0.5*1e6*priceSchedule) + 2*(2*priceInvocation+0.001*priceGBSecond)
	if diff := got - want; diff > 1e-9 || diff < -1e-9 {
		t.Errorf("%v dollars, want %v", got, want)
	}
	if details["sqs requests"] != 2_000_060.0 || details["events"] != 1e6 || details["if SES's events are opt-in data events, eventbridge adds"] != 1.0 {
		t.Errorf("details %v", details)
	}
	if _, err := json.Marshal(details); err != nil {
		t.Error(err)
	}
}

// TestMemory compares what the bill reckons with and the template's MemorySize.
func TestMemory(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]string{"dispatch": "256", "deliver": "512", "feedback": "256"}
	for name, want := range sizes {
		_, rest, _ := strings.Cut(string(src), "CodeUri: functions/"+name+"/")
		rest, _, _ = strings.Cut(rest, "CodeUri:")
		rest, _, _ = strings.Cut(rest, "Resources, data")
		size := "256" // of Globals
		if m := regexp.MustCompile(`\n      MemorySize: (\d+)`).FindStringSubmatch(rest); m != nil {
			size = m[1]
		}
		if size != want {
			t.Errorf("%s has %s MB, the bill reckons with %s", name, size, want)
		}
		if got := map[string]float64{"256": 0.25, "512": 0.5}[want]; memory[name] != got {
			t.Errorf("%s is billed with %v GB", name, memory[name])
		}
	}
	if !regexp.MustCompile(`\n    MemorySize: 256\n`).Match(src) {
		t.Error("Globals have another MemorySize")
	}
	if !regexp.MustCompile(`MaxWorkers:\n[^\n]*\n    Type: Number\n    Default: 64\n`).Match(src) {
		t.Errorf("MaxWorkers' default is not %d", maxWorkers)
	}
}
