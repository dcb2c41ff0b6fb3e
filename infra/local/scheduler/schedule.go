package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tidings/internal/table"
)

// A schedule is one schedule, in memory and as an item of the table.
type schedule struct {
	key        string // within the table's partition: of the template "T#name", of a group "G#group/name"
	version    string // of what stands under the key
	function   string
	deadLetter string
	payload    []byte
	expression string // "at" for once
	zone       string
	due        time.Time // when it fires next; kept until that is over

	repeats recurrence // nil: once
	stop    func()     // takes it off the clock
}

const (
	partition = "SCHEDULE"
	once      = "at"
	minutely  = "rate(1 minute)"
)

// Attributes of the item.
const (
	attrVersion    = "version"
	attrFunction   = "function"
	attrDeadLetter = "deadLetter"
	attrPayload    = "payload"
	attrExpression = "expression"
	attrZone       = "zone"
	attrDue        = "due" // Unix milliseconds
)

func itemKey(key string) table.Key { return table.Key{PK: partition, SK: key} }

func (s *schedule) item() table.Item {
	item := table.Item{
		table.PK: partition, table.SK: s.key, attrVersion: s.version, attrFunction: s.function, attrDeadLetter: s.deadLetter,
		attrExpression: s.expression, attrZone: s.zone, attrDue: s.due.UnixMilli(),
	}
	if s.payload != nil {
		item[attrPayload] = s.payload
	}
	return item
}

// scheduleOf reads what item made.
func scheduleOf(item table.Item) (*schedule, error) {
	s := &schedule{stop: func() {}}
	s.key, _ = item[table.SK].(string)
	s.version, _ = item[attrVersion].(string)
	s.function, _ = item[attrFunction].(string)
	s.deadLetter, _ = item[attrDeadLetter].(string)
	s.payload, _ = item[attrPayload].([]byte)
	s.expression, _ = item[attrExpression].(string)
	s.zone, _ = item[attrZone].(string)
	due, ok := item[attrDue].(int64)
	if !ok || s.version == "" {
		return nil, fmt.Errorf("schedule %s lacks an attribute", s.key)
	}
	s.due = time.UnixMilli(due).UTC()
	if s.expression == once {
		return s, nil
	}
	var err error
	if s.repeats, err = parse(s.expression, s.zone); err != nil {
		return nil, fmt.Errorf("schedule %s: %w", s.key, err)
	}
	return s, nil
}

// event is what the function is given: the payload, or what EventBridge Scheduler makes where there is none.
func (s *schedule) event(id string, due time.Time) ([]byte, error) {
	if s.payload != nil {
		return s.payload, nil
	}
	return json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "000000000000",
		"time": due.UTC().Format(time.RFC3339), "region": "us-east-1", "detail": "{}",
		"resources": []string{"arn:aws:scheduler:us-east-1:000000000000:schedule/" + s.key[2:]},
	})
}

// drop removes a schedule from the table, if it is still of the version.
func (s *Service) drop(ctx context.Context, key, version string) error {
	_, err := s.Table.Write(ctx, table.Delete(itemKey(key)).When(table.Eq(attrVersion, version)))
	if _, refused := table.Refused(err, 0); refused {
		return nil
	}
	return err
}

// note keeps when a schedule fires next, if it is still of the version.
func (s *Service) note(ctx context.Context, key, version string, due time.Time) error {
	_, err := s.Table.Write(ctx, table.Update(itemKey(key), table.Set(attrDue, due.UnixMilli())).When(table.Eq(attrVersion, version)))
	if _, refused := table.Refused(err, 0); refused {
		return nil
	}
	return err
}
