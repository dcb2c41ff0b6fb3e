// Package dynamo keeps a table in Amazon DynamoDB: it translates package table's operations into
// requests, and DynamoDB's answers and exceptions into that package's, and decides nothing itself.
//
// A Write of one operation is a plain PutItem, UpdateItem or DeleteItem, at half the price of a
// transaction; several, or a single Check, are a TransactWriteItems.
//
// Beware of the plain ones when they have a condition: if the answer gets lost, the SDK sends the
// request again, which then meets its own effect and may be refused by it. DynamoDB has no idempotency
// token for them. A store that must tell "refused" from "already mine" writes a token of its own into
// the item and looks for it in the item that the refusal shows. An Add without a condition may, in the
// same way, be added twice. Transactions carry a ClientRequestToken and have neither problem.
package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tidings/internal/table"
)

// putChunk is the most items of one BatchWriteItem.
const putChunk = 25

// Table is a table.Table in DynamoDB.
type Table struct {
	client  *dynamodb.Client
	name    string
	backoff *retry.ExponentialJitterBackoff
}

var _ table.Table = (*Table)(nil)

// New returns the table of that name, which must exist (in AWS the template makes it; see Create). The
// client's retries come first: only what they leave over is retried here.
func New(client *dynamodb.Client, tableName string) *Table {
	return &Table{client, tableName, retry.NewExponentialJitterBackoff(maxBackoff)}
}

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, key table.Key) (table.Item, error) {
	if err := table.CheckKey(key); err != nil {
		return nil, fmt.Errorf("dynamo: get: %w", err)
	}
	var out *dynamodb.GetItemOutput
	err := t.retry(ctx, func() (err error) {
		out, err = t.client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &t.name, Key: keyValues(key), ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: capacity(ctx),
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dynamo: get %s/%s: %w", key.PK, key.SK, err)
	}
	reportRead(ctx, out.ConsumedCapacity)
	if len(out.Item) == 0 {
		return nil, fmt.Errorf("dynamo: get %s/%s: %w", key.PK, key.SK, table.ErrNotFound)
	}
	item, err := fromValues(out.Item)
	if err != nil {
		return nil, fmt.Errorf("dynamo: get %s/%s: %w", key.PK, key.SK, err)
	}
	return item, nil
}

// BatchGet implements table.Table.
func (t *Table) BatchGet(ctx context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	if err := table.CheckKeys(keys); err != nil {
		return nil, fmt.Errorf("dynamo: batch get: %w", err)
	}
	found := make(map[table.Key]table.Item, len(keys))
	want := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		want[i] = keyValues(k)
	}
	err := t.drain(ctx, len(want), func() (left int, err error) {
		want, err = t.getSome(ctx, want, found)
		return len(want), err
	})
	if err != nil {
		return nil, fmt.Errorf("dynamo: batch get of %d keys: %w", len(keys), err)
	}
	return found, nil
}

// getSome adds to found and returns the keys that DynamoDB left unprocessed.
func (t *Table) getSome(ctx context.Context, want []map[string]types.AttributeValue, found map[table.Key]table.Item) ([]map[string]types.AttributeValue, error) {
	out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{t.name: {Keys: want, ConsistentRead: aws.Bool(true)}},
		ReturnConsumedCapacity: capacity(ctx),
	})
	if err != nil {
		return want, err
	}
	for i := range out.ConsumedCapacity {
		reportRead(ctx, &out.ConsumedCapacity[i])
	}
	for _, values := range out.Responses[t.name] {
		item, err := fromValues(values)
		if err != nil {
			return want, err
		}
		found[table.KeyOf(item)] = item
	}
	return out.UnprocessedKeys[t.name].Keys, nil
}

// BatchPut implements table.Table.
func (t *Table) BatchPut(ctx context.Context, items []table.Item) error {
	if err := table.CheckItems(items); err != nil {
		return fmt.Errorf("dynamo: batch put: %w", err)
	}
	for done := 0; done < len(items); done += putChunk {
		chunk := items[done:min(done+putChunk, len(items))]
		puts := make([]types.WriteRequest, len(chunk))
		for i, item := range chunk {
			puts[i].PutRequest = &types.PutRequest{Item: toValues(item)}
		}
		err := t.drain(ctx, len(puts), func() (left int, err error) {
			puts, err = t.putSome(ctx, puts)
			return len(puts), err
		})
		if err != nil {
			return fmt.Errorf("dynamo: batch put of %d items: %w", len(items), err)
		}
	}
	return nil
}

// putSome returns the requests that DynamoDB left unprocessed.
func (t *Table) putSome(ctx context.Context, puts []types.WriteRequest) ([]types.WriteRequest, error) {
	out, err := t.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{t.name: puts}, ReturnConsumedCapacity: capacity(ctx),
	})
	if err != nil {
		return puts, err
	}
	reportWrites(ctx, out.ConsumedCapacity)
	return out.UnprocessedItems[t.name], nil
}
