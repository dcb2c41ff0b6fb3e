package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/internal/dynamo"
	"tidings/internal/table"
)

var key = table.Key{PK: "p", SK: "s"}

func other(sk string) table.Key { return table.Key{PK: "p", SK: sk} }

func it(k table.Key) table.Item { return table.Item{table.PK: k.PK, table.SK: k.SK} }

// calls are the port's calls, each with an answer that satisfies it.
var calls = []struct {
	name, done string
	call       func(ctx context.Context, tab *dynamo.Table) error
}{
	{"get", `{"Item":{"pk":{"S":"p"},"sk":{"S":"s"}}}`, func(ctx context.Context, tab *dynamo.Table) error {
		_, err := tab.Get(ctx, key)
		return err
	}},
	{"batch get", `{"Responses":{"t":[]}}`, func(ctx context.Context, tab *dynamo.Table) error {
		_, err := tab.BatchGet(ctx, []table.Key{key})
		return err
	}},
	{"query", `{"Items":[]}`, func(ctx context.Context, tab *dynamo.Table) error {
		_, err := tab.Query(ctx, table.Query{Partition: "p", Limit: 1})
		return err
	}},
	{"put", `{}`, func(ctx context.Context, tab *dynamo.Table) error {
		_, err := tab.Write(ctx, table.Put(it(key)))
		return err
	}},
	{"update", `{"Attributes":{}}`, func(ctx context.Context, tab *dynamo.Table) error {
		_, err := tab.Write(ctx, table.Update(key, table.Add("n", 1)))
		return err
	}},
	{"delete", `{}`, func(ctx context.Context, tab *dynamo.Table) error {
		_, err := tab.Write(ctx, table.Delete(key))
		return err
	}},
	{"transaction", `{}`, transaction},
	{"batch put", `{"UnprocessedItems":{}}`, func(ctx context.Context, tab *dynamo.Table) error {
		return tab.BatchPut(ctx, []table.Item{it(key)})
	}},
}

func transaction(ctx context.Context, tab *dynamo.Table) error {
	_, err := tab.Write(ctx, table.Put(it(key)).When(table.Absent(table.PK)), table.Delete(other("2")))
	return err
}

var busy = []answer{
	{code: "ThrottlingException", message: "Rate exceeded"},
	{code: "ProvisionedThroughputExceededException", message: "The level of configured provisioned throughput for the table was exceeded."},
	{code: "RequestLimitExceeded", message: "Throughput exceeds the current throughput limit for your account."},
	{code: "TransactionConflictException", message: "Transaction is ongoing for the item"},
}

func TestBusyThenDone(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scripted(t, append(slices.Clone(busy), answer{body: c.done}), func(t *testing.T, s *server, tab *dynamo.Table) {
				if err := c.call(t.Context(), tab); err != nil {
					t.Error(err)
				}
				if len(s.requests) != len(busy)+1 {
					t.Errorf("%d requests, want %d", len(s.requests), len(busy)+1)
				}
			})
		})
	}
}

func TestBusyForEver(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scripted(t, busy[:1], func(t *testing.T, s *server, tab *dynamo.Table) {
				start := time.Now()
				if err := c.call(t.Context(), tab); !errors.Is(err, table.ErrBusy) {
					t.Errorf("error %v, want ErrBusy", err)
				}
				if took := time.Since(start); len(s.requests) != 8 || took > 3*time.Second {
					t.Errorf("%d requests in %v, want 8 within 3 s", len(s.requests), took)
				}
			})
		})
	}
}

func TestNotRetried(t *testing.T) {
	for _, a := range []answer{
		{code: "ValidationException", message: "One or more parameter values were invalid"},
		{code: "ResourceNotFoundException", message: "Requested resource not found"},
		{code: "AccessDeniedException", message: "not authorized to perform dynamodb:GetItem"},
	} {
		for _, c := range calls {
			t.Run(c.name+" "+a.code, func(t *testing.T) {
				t.Parallel()
				scripted(t, []answer{a}, func(t *testing.T, s *server, tab *dynamo.Table) {
					err := c.call(t.Context(), tab)
					if err == nil || errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrInvalid) != (a.code == "ValidationException") {
						t.Errorf("error %v", err)
					}
					if len(s.requests) != 1 {
						t.Errorf("%d requests", len(s.requests))
					}
				})
			})
		}
	}
}

func TestDeadlineWhileBusy(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scripted(t, busy[:1], func(t *testing.T, _ *server, tab *dynamo.Table) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				start := time.Now()
				err := c.call(ctx, tab)
				// The first waits may be over before the deadline: then the next call meets it.
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want the deadline", err)
				}
				if took := time.Since(start); took > 20*time.Millisecond {
					t.Errorf("ended %v after the start, the deadline was 20 ms", took)
				}
			})
		})
	}
}

func cancelled(reasons string) answer {
	return answer{code: "TransactionCanceledException", message: "Transaction cancelled", reasons: reasons}
}

func TestCancelledTransactions(t *testing.T) {
	const met = `{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":"7"}}}`
	const conflict = `{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}`
	const throttled = `{"Code":"ThrottlingError","Message":"Throughput exceeds the current capacity"}`
	const impossible = `{"Code":"ValidationError","Message":"An operand in the update expression has an incorrect data type"}`
	const none = `{"Code":"None"}`
	for _, c := range []struct {
		name, first, second string
		requests            int
		check               func(err error) bool
	}{
		{"conflict", none, conflict, 2, func(err error) bool { return err == nil }},
		{"throttle", throttled, none, 2, func(err error) bool { return err == nil }},
		{"refused while another conflicts", met, conflict, 2, func(err error) bool { return err == nil }},
		{"refused", met, none, 1, func(err error) bool {
			item, ok := table.Refused(err, 0)
			return ok && item["n"] == table.Value(int64(7))
		}},
		{"impossible beside refused and conflict", met, impossible, 1, func(err error) bool { return errors.Is(err, table.ErrInvalid) }},
		{"unknown reason", none, `{"Code":"ItemCollectionSizeLimitExceeded","Message":"too large"}`, 1, func(err error) bool {
			_, refused := errors.AsType[*table.RefusedError](err)
			return err != nil && !refused && !errors.Is(err, table.ErrBusy)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scripted(t, []answer{cancelled("[" + c.first + "," + c.second + "]"), {body: `{}`}}, func(t *testing.T, s *server, tab *dynamo.Table) {
				if err := transaction(t.Context(), tab); !c.check(err) {
					t.Errorf("error %v", err)
				}
				if len(s.requests) != c.requests {
					t.Errorf("%d requests, want %d", len(s.requests), c.requests)
				}
				for _, r := range s.requests {
					if r.ClientRequestToken == "" || r.ClientRequestToken != s.requests[0].ClientRequestToken {
						t.Errorf("attempts with tokens %q and %q, want one token", s.requests[0].ClientRequestToken, r.ClientRequestToken)
					}
				}
			})
		})
	}
}

// unprocessed answers a batch of which the named keys are left.
func unprocessed(field, format string, keys ...string) answer {
	if len(keys) == 0 {
		return answer{body: `{}`}
	}
	list := ""
	for i, k := range keys {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf(format, k)
	}
	if field == "UnprocessedKeys" {
		return answer{body: `{"UnprocessedKeys":{"t":{"Keys":[` + list + `]}}}`}
	}
	return answer{body: `{"UnprocessedItems":{"t":[` + list + `]}}`}
}

func TestDrain(t *testing.T) {
	for _, c := range []struct {
		name, field, format string
		call                func(ctx context.Context, tab *dynamo.Table) error
	}{
		{"batch get", "UnprocessedKeys", `{"pk":{"S":"p"},"sk":{"S":%q}}`, func(ctx context.Context, tab *dynamo.Table) error {
			_, err := tab.BatchGet(ctx, []table.Key{other("1"), other("2"), other("3")})
			return err
		}},
		{"batch put", "UnprocessedItems", `{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"S":%q}}}}`, func(ctx context.Context, tab *dynamo.Table) error {
			return tab.BatchPut(ctx, []table.Item{it(other("1")), it(other("2")), it(other("3"))})
		}},
	} {
		left := func(keys ...string) answer { return unprocessed(c.field, c.format, keys...) }
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			script := []answer{left("1", "2", "3"), left("2", "3"), busy[0], left("3"), left("3"), left()}
			scripted(t, script, func(t *testing.T, s *server, tab *dynamo.Table) {
				if err := c.call(t.Context(), tab); err != nil {
					t.Error(err)
				}
				if len(s.requests) != len(script) {
					t.Errorf("%d requests, want %d", len(s.requests), len(script))
				}
				if first, last := len(s.requests[0].RequestItems["t"]), len(s.requests[5].RequestItems["t"]); last >= first {
					t.Errorf("the last request has %d bytes, the first %d: what was done is asked for again", last, first)
				}
			})
		})
		t.Run(c.name+" without progress", func(t *testing.T) {
			t.Parallel()
			scripted(t, []answer{left("1", "2", "3"), left("3")}, func(t *testing.T, s *server, tab *dynamo.Table) {
				if err := c.call(t.Context(), tab); !errors.Is(err, table.ErrBusy) {
					t.Errorf("error %v, want ErrBusy", err)
				}
				if len(s.requests) < 8 || len(s.requests) > 12 {
					t.Errorf("%d requests", len(s.requests))
				}
			})
		})
	}
}

// The answer to a BatchGet comes in parts: all of them are in the result.
func TestBatchGetJoinsParts(t *testing.T) {
	script := []answer{
		{body: `{"Responses":{"t":[{"pk":{"S":"p"},"sk":{"S":"1"}}]},"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"p"},"sk":{"S":"2"}}]}}}`},
		{body: `{"Responses":{"t":[{"pk":{"S":"p"},"sk":{"S":"2"}}]}}`},
	}
	scripted(t, script, func(t *testing.T, _ *server, tab *dynamo.Table) {
		found, err := tab.BatchGet(t.Context(), []table.Key{other("1"), other("2"), other("absent")})
		if err != nil || len(found) != 2 || found[other("1")] == nil || found[other("2")] == nil {
			t.Errorf("%v, %v", found, err)
		}
	})
}

// 60 items are three requests of at most 25.
func TestBatchPutChunks(t *testing.T) {
	scripted(t, []answer{{body: `{}`}}, func(t *testing.T, s *server, tab *dynamo.Table) {
		var items []table.Item
		for i := range 60 {
			items = append(items, it(other(fmt.Sprint(i))))
		}
		if err := tab.BatchPut(t.Context(), items); err != nil || len(s.requests) != 3 {
			t.Errorf("%d requests, %v", len(s.requests), err)
		}
	})
}

// A value that package table does not have is an error, not a hole in an item.
func TestForeignValues(t *testing.T) {
	for _, v := range []string{`{"NULL":true}`, `{"L":[]}`, `{"M":{}}`, `{"BS":["AA=="]}`, `{"N":"1.5"}`, `{"N":"99999999999999999999"}`, `{"NS":["1","x"]}`} {
		scripted(t, []answer{{body: `{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"v":` + v + `}}`}}, func(t *testing.T, _ *server, tab *dynamo.Table) {
			if got, err := tab.Get(t.Context(), key); err == nil {
				t.Errorf("%s: %v", v, got)
			}
		})
	}
}
