package main

import (
	"sync"
	"time"

	"tidings/internal/table"
)

// A bill counts what AWS charges for.
type bill struct {
	mu          sync.Mutex
	invocations map[string]int     // by function
	gbSeconds   map[string]float64 // by function
	sqs         int                // requests
	events      int                // that SES publishes
	schedules   int                // invocations
}

func newBill() *bill { return &bill{invocations: map[string]int{}, gbSeconds: map[string]float64{}} }

// invoked counts an invocation. Lambda charges by the millisecond, rounded up.
func (b *bill) invoked(function string, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.invocations[function]++
	b.gbSeconds[function] += (took + time.Millisecond - 1).Truncate(time.Millisecond).Seconds() * memory[function]
}

func (b *bill) add(field *int, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*field += n
}

// polling counts the receives by which Lambda finds queues empty: five pollers a queue, 20 s each.
func (b *bill) polling(queues int, took time.Duration) {
	b.add(&b.sqs, queues*5*int(took/(20*time.Second)))
}

// per makes the bill, per million recipients, from that of n.
func (b *bill) per(n int, units table.Units) (dollars float64, details map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := 1e6 / float64(n)
	total := units.Total()
	lambda := 0.0
	for f, count := range b.invocations {
		lambda += float64(count)*priceInvocation + b.gbSeconds[f]*priceGBSecond
	}
	write, read := total.Write*priceWriteUnit*k, total.Read*priceReadUnit*k
	sqs, events, schedules := float64(b.sqs)*priceSQS*k, float64(b.events)*priceEvent*k, float64(b.schedules)*priceSchedule*k
	scaled := func(m map[string]float64) map[string]float64 {
		out := map[string]float64{}
		for name, v := range m {
			out[name] = round(v * k)
		}
		return out
	}
	calls := map[string]float64{}
	for f, count := range b.invocations {
		calls[f] = float64(count)
	}
	return write + read + sqs + events + schedules + lambda*k, map[string]any{
		"dollars": map[string]float64{
			"dynamodb writes": round(write), "dynamodb reads": round(read), "sqs": round(sqs), "lambda": round(lambda * k), "scheduler": round(schedules),
			"eventbridge": round(events),
		},
		"if SES's events are opt-in data events, eventbridge adds": round(float64(b.events) * priceEventOptIn * k),
		"write units": round(total.Write * k), "read units": round(total.Read * k), "table calls": round(float64(total.Calls) * k),
		"sqs requests": round(float64(b.sqs) * k), "events": round(float64(b.events) * k), "schedule invocations": round(float64(b.schedules) * k),
		"lambda invocations": scaled(calls), "lambda GB-s": scaled(b.gbSeconds),
		"units by operation": map[string]table.Use{
			"get": units.Get, "batch get": units.BatchGet, "query": units.Query, "write": units.Write, "transaction": units.Transact,
		},
	}
}

// round keeps four decimals.
func round(v float64) float64 { return float64(int64(v*1e4+0.5)) / 1e4 }
