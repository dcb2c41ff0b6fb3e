package kill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"tidings/infra/bench/rig"
	"tidings/internal/delivery"
	"tidings/internal/store"
)

const (
	// perCall is the chance that a process dies at one moment of one call of those that a batch is not made of, higher at a moment where no
	// process of deliver died yet. For a batch's own calls see core.
	perCall, perNewMoment = 0.005, 0.05
	// perInvocation is the chance that an invocation of deliver is ended at any time within the first two seconds.
	perInvocation, within = 0.3, 2 * time.Second
)

// ofABatch are the calls that each batch is made of.
var ofABatch = []string{
	"dynamodb TransactWriteItems", "dynamodb BatchGetItem", "dynamodb UpdateItem (attempt)", "ses SendBulkEmail",
	"dynamodb UpdateItem (outcome)", "dynamodb UpdateItem (shard)",
}

// core is the chance that a process dies at one moment of a batch's own calls: the kills are used up at about two thirds of the list.
func core() float64 {
	return min(0.2, 1.5*float64(*kills)/float64(2*len(ofABatch)*max(1, *people/delivery.MaxEntries)))
}

// A killer kills processes while it is armed.
type killer struct {
	w *world

	mu     sync.Mutex
	chance *rand.Rand
	off    bool
	n      int
	at     map[string]int // kills by moment
}

func newKiller(w *world) *killer {
	return &killer{w: w, chance: rand.New(rand.NewPCG(*seed, 0)), at: map[string]int{}}
}

func (k *killer) disarm() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.off = true
}

func (k *killer) killed() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.n
}

// points lists how often processes died at each moment.
func (k *killer) points() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var b strings.Builder
	for _, at := range slices.Sorted(maps.Keys(k.at)) {
		fmt.Fprintf(&b, "\n%4d killed %s", k.at[at], at)
	}
	return b.String()
}

// tap implements rig.Tap.
func (k *killer) tap(c rig.Call, after bool) bool {
	at := c.Process.Function + " before "
	if after {
		at = c.Process.Function + " after "
	}
	op := opOf(c)
	if at += op; !*patient && hopeless(op, after) {
		return false
	}
	chance, unseen := perCall, perCall
	if c.Process.Function == "deliver" {
		unseen = perNewMoment
		if slices.Contains(ofABatch, op) {
			chance, unseen = core(), max(core(), perNewMoment)
		}
	}
	if !k.choose(at, chance, unseen) {
		return false
	}
	k.kill(c.Process)
	return true
}

// began has an invocation end at some time.
func (k *killer) began(p *rig.Process, _ []byte) {
	if !*patient || p.Function != "deliver" || !k.choose("deliver at any time", perInvocation, perInvocation) {
		return
	}
	k.mu.Lock()
	in := time.Duration(k.chance.Int64N(int64(within)))
	k.mu.Unlock()
	time.AfterFunc(in, p.Kill)
}

// choose decides whether a process dies at a moment. The patient killer lets the first batches be sent, for which all others wait.
func (k *killer) choose(at string, chance, unseen float64) bool {
	if *patient && k.w.r.Count("deliver ses SendBulkEmail") < 8 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at[at] == 0 {
		chance = unseen
	}
	if k.off || k.n >= *kills || k.chance.Float64() >= chance {
		return false
	}
	k.n++
	k.at[at]++
	return true
}

func (k *killer) kill(p *rig.Process) {
	event := p.Event()
	p.Kill()
	if !*patient && p.Function == "deliver" {
		k.bury(event)
	}
}

// opOf names a call, and tells the ledger's writes apart by what they are for: their items' keys stand in the request.
func opOf(c rig.Call) string {
	op := c.Service + " " + c.Op
	if c.Op != "UpdateItem" && c.Op != "PutItem" && c.Op != "GetItem" {
		return op
	}
	for _, item := range []struct{ key, name string }{
		{`"S":"B#`, "attempt"}, {`"S":"O#`, "outcome"}, {`"S":"RATE"`, "share"}, {`"S":"L#witness"`, "witness"},
		{`"S":"L#`, "shard"}, {`"S":"P"`, "progress"}, {`"S":"C"`, "content"}, {`"S":"DIG#`, "digest"},
	} {
		if bytes.Contains(c.Body, []byte(item.key)) {
			return op + " (" + item.name + ")"
		}
	}
	return op
}

// hopeless are the moments between an attempt and its call.
func hopeless(op string, after bool) bool {
	return op == "ses SendBulkEmail" && !after || op == "dynamodb UpdateItem (attempt)" && after
}

// bury gives back the leases that a dead worker held, as it would have done itself at the end of its time.
func (k *killer) bury(event []byte) {
	var ev events.SQSEvent
	if err := json.Unmarshal(event, &ev); err != nil {
		return // it was idle
	}
	ctx := context.Background()
	for _, rec := range ev.Records {
		m, err := delivery.ParseMessage([]byte(rec.Body))
		if err != nil {
			continue
		}
		shards, err := k.w.ledger.Shards(ctx, m.Digest)
		if err != nil || m.Shard >= len(shards) || shards[m.Shard].Owner == "" {
			continue
		}
		dead := shards[m.Shard]
		rates := store.Rates{Table: k.w.r.Table, Now: time.Now}
		if err := rates.Return(ctx, dead.Owner, time.Now()); err != nil {
			k.w.Error(err)
		}
		if err := k.w.ledger.Release(ctx, dead, time.Time{}); err != nil {
			k.w.Error(err)
		}
	}
}
