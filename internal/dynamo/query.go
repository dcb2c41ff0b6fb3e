package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tidings/internal/table"
)

// Query implements table.Table. DynamoDB answers a key to continue from when the limit is reached, whether
// anything follows or not; so one item more is asked for, which tells. It answers none when that item
// lies on the range's very end. A page that is ended by its bytes may still have a cursor after which
// nothing follows.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := t.query(ctx, q)
	if err != nil {
		index := string(q.Index)
		if q.Index == table.Main {
			index = "table"
		}
		return table.Page{}, fmt.Errorf("dynamo: query %s of %s: %w", index, q.Partition, err)
	}
	return page, nil
}

func (t *Table) query(ctx context.Context, q table.Query) (table.Page, error) {
	in, err := t.queryInput(q)
	if err != nil {
		return table.Page{}, err
	}
	in.ReturnConsumedCapacity = capacity(ctx)
	var out *dynamodb.QueryOutput
	err = t.retry(ctx, func() (err error) {
		out, err = t.client.Query(ctx, in)
		return err
	})
	if err != nil {
		return table.Page{}, err
	}
	reportRead(ctx, out.ConsumedCapacity)
	var page table.Page
	for _, values := range out.Items[:min(len(out.Items), q.Limit)] {
		item, err := fromValues(values)
		if err != nil {
			return table.Page{}, err
		}
		page.Items = append(page.Items, item)
	}
	if more := len(out.Items) > q.Limit || len(out.LastEvaluatedKey) > 0; more && len(page.Items) > 0 {
		_, sort := q.Index.Keys()
		last := page.Items[len(page.Items)-1]
		at := table.Position{Key: table.KeyOf(last)}
		at.Sort, _ = last[sort].(string)
		page.Cursor = table.EncodeCursor(q, at)
	}
	return page, nil
}

func (t *Table) queryInput(q table.Query) (*dynamodb.QueryInput, error) {
	if err := table.CheckQuery(q); err != nil {
		return nil, err
	}
	partition, sort := q.Index.Keys()
	in := &dynamodb.QueryInput{
		TableName: &t.name, Limit: aws.Int32(int32(q.Limit) + 1), ScanIndexForward: aws.Bool(!q.Descending), ConsistentRead: &q.Consistent,
	}
	if q.Index != table.Main {
		in.IndexName = aws.String(string(q.Index))
	}
	cond := expression.Key(partition).Equal(expression.Value(q.Partition))
	from, to := expression.Value(q.From), expression.Value(q.To)
	switch {
	case q.From != "" && q.To != "":
		cond = cond.And(expression.Key(sort).Between(from, to))
	case q.From != "":
		cond = cond.And(expression.Key(sort).GreaterThanEqual(from))
	case q.To != "":
		cond = cond.And(expression.Key(sort).LessThanEqual(to))
	}
	expr, err := expression.NewBuilder().WithKeyCondition(cond).Build()
	if err != nil {
		return nil, fmt.Errorf("build expression: %w", err)
	}
	in.KeyConditionExpression = expr.KeyCondition()
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = expr.Names(), expr.Values()
	if q.Cursor == "" {
		return in, nil
	}
	at, err := table.DecodeCursor(q)
	if err != nil {
		return nil, err
	}
	start := map[string]types.AttributeValue{partition: toValue(q.Partition), sort: toValue(at.Sort)}
	start[table.PK], start[table.SK] = toValue(at.Key.PK), toValue(at.Key.SK)
	in.ExclusiveStartKey = start
	return in, nil
}
