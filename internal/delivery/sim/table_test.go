package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/internal/audience"
	"tidings/internal/table"
)

// A tableOf is a process's way to the table.
type tableOf struct{ p *process }

var errLost = errors.New("connection reset")

// family names the kind of an item: the first part of its partition key and of its sort key.
func family(k table.Key) string {
	pk, _, _ := strings.Cut(k.PK, "#")
	sk, _, _ := strings.Cut(k.SK, "#")
	if len(sk) > 1 {
		sk = sk[:1]
	}
	return pk + " " + sk
}

// opName names a write by its first operation.
func opName(ops []table.Op) string {
	name := "write " + family(ops[0].Key)
	if a := ops[0].Actions; len(a) > 0 && !strings.HasSuffix(name, " O") {
		name += fmt.Sprintf(" %d %s", a[0].Kind, a[0].Name)
	}
	if len(ops) > 1 {
		name += fmt.Sprint(" of ", len(ops))
		if len(ops) > 3 {
			name = name[:strings.LastIndex(name, " ")] + " many"
		}
	}
	return name
}

const tableFrom, tableTo = time.Millisecond, 8 * time.Millisecond

func (t tableOf) read(op string, do func() error) error {
	return t.p.call(op, tableFrom, tableTo, func(f fault) error {
		if f == tableBusy {
			return fmt.Errorf("%w: throttled", table.ErrBusy)
		}
		return do()
	}, tableBusy)
}

// Get implements table.Table.
func (t tableOf) Get(ctx context.Context, key table.Key) (item table.Item, err error) {
	err = t.read("get "+family(key), func() error { item, err = t.p.db.Get(ctx, key); return err })
	return item, err
}

// BatchGet implements table.Table.
func (t tableOf) BatchGet(ctx context.Context, keys []table.Key) (items map[table.Key]table.Item, err error) {
	err = t.read("batch get "+family(keys[0]), func() error { items, err = t.p.db.BatchGet(ctx, keys); return err })
	return items, err
}

// Query implements table.Table. The audience index lags.
func (t tableOf) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	name, _, _ := strings.Cut(q.Partition, "#")
	err = t.read("query "+name, func() error {
		if q.Index == table.Audience {
			if page, err = t.p.lagging(ctx, q); len(page.Items) > 0 {
				t.p.recent = page.Items
			}
		} else {
			page, err = t.p.db.Query(ctx, q)
		}
		return err
	})
	return page, err
}

// BatchPut implements table.Table.
func (t tableOf) BatchPut(ctx context.Context, items []table.Item) error {
	return t.p.call("batch put", tableFrom, tableTo, func(fault) error { return t.p.db.BatchPut(ctx, items) })
}

// Write implements table.Table. A write whose answer is lost may be retried by the engine's adapter, and meets its own effect.
func (t tableOf) Write(ctx context.Context, ops ...table.Op) (item table.Item, err error) {
	if m := t.p.mutation.write; m != nil {
		return m(t, ctx, ops)
	}
	return t.write(ctx, ops)
}

func (t tableOf) write(ctx context.Context, ops []table.Op) (item table.Item, err error) {
	err = t.p.call(opName(ops), tableFrom, tableTo, func(f fault) error {
		switch f {
		case tableBusy:
			return fmt.Errorf("%w: conflict", table.ErrBusy)
		case tableFails:
			return errLost
		}
		item, err = t.p.commit(ctx, ops)
		switch {
		case f == tableLost:
			item, err = nil, errLost
		case f == tableTwice:
			t.p.park(t.p.between(10*time.Millisecond, 400*time.Millisecond))
			item, err = t.p.commit(ctx, ops)
		}
		return err
	}, tableBusy, tableFails, tableLost, tableTwice)
	return item, err
}

// commit writes, and notes what that means for people.
func (p *process) commit(ctx context.Context, ops []table.Op) (table.Item, error) {
	before := map[string]bool{}
	for _, op := range ops {
		if id, ok := profileOf(op); ok {
			before[id] = p.listed(ctx, id)
		}
	}
	item, err := p.db.Write(ctx, ops...)
	p.effect = p.now()
	if strings.HasPrefix(ops[0].Key.PK, "DIG#") && ops[0].Key.SK == "A" {
		p.editors.changed()
	}
	for id, was := range before {
		if err != nil {
			continue
		}
		p.people.changed(ctx, id)
		if p.listed(ctx, id) != was && p.adversary.wants(indexLag, "") {
			p.index[id] = lag{was, p.now().Add(p.between(time.Second, 290*time.Second))}
		}
	}
	return item, err
}

// profileOf returns whose profile an operation changes.
func profileOf(op table.Op) (string, bool) {
	id, ok := strings.CutPrefix(op.Key.PK, "S#")
	return id, ok && op.Key.SK == "A" && op.Kind != table.OpCheck
}

func (w *world) listed(ctx context.Context, id string) bool {
	item, err := w.db.Get(ctx, table.Key{PK: "S#" + id, SK: "A"})
	return err == nil && item["apk"] != nil
}

// A lag is what the index still says of somebody, until a time.
type lag struct {
	listed bool
	until  time.Time
}

// lagging reads the audience index as it was.
func (w *world) lagging(ctx context.Context, q table.Query) (table.Page, error) {
	limit := q.Limit
	q.Limit = table.MaxQuery
	page, err := w.db.Query(ctx, q)
	if err != nil {
		return page, err
	}
	var ids []string
	for _, item := range page.Items {
		id := item["ask"].(string)
		if l, ok := w.index[id]; !ok || l.listed || !l.until.After(w.now()) {
			ids = append(ids, id)
		}
	}
	for id, l := range w.index {
		if l.listed && l.until.After(w.now()) && id >= q.From && fmt.Sprintf("A#%02d", audience.Partition(id)) == q.Partition && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	page = table.Page{}
	for _, id := range ids[:min(limit, len(ids))] {
		page.Items = append(page.Items, table.Item{table.PK: "S#" + id, table.SK: "A", "apk": q.Partition, "ask": id})
	}
	return page, nil
}
