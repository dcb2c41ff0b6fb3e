package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tidings/internal/table"
)

// Write implements table.Table.
func (t *Table) Write(ctx context.Context, ops ...table.Op) (table.Item, error) {
	item, err := t.write(ctx, ops)
	if err == nil {
		return item, nil
	}
	if refused, ok := errors.AsType[*table.RefusedError](err); ok && table.Metered(ctx) {
		table.Report(ctx, table.RefusedUnits(ops, refused))
	}
	where := ""
	if len(ops) > 0 {
		where = " " + ops[0].Key.PK + "/" + ops[0].Key.SK
	}
	return nil, fmt.Errorf("dynamo: write%s (%d operations): %w", where, len(ops), err)
}

func (t *Table) write(ctx context.Context, ops []table.Op) (item table.Item, err error) {
	if err := table.CheckWrite(ops); err != nil {
		return nil, err
	}
	if table.Transactional(ops) {
		return nil, t.transact(ctx, ops)
	}
	op := ops[0]
	expr, err := compile(op)
	if err != nil {
		return nil, err
	}
	err = t.retry(ctx, func() (err error) {
		switch op.Kind {
		case table.OpPut:
			item, err = t.put(ctx, op, expr)
		case table.OpUpdate:
			item, err = t.update(ctx, op, expr)
		case table.OpDelete:
			item, err = t.delete(ctx, op, expr)
		}
		return err
	})
	return item, err
}

func (t *Table) put(ctx context.Context, op table.Op, expr expression.Expression) (table.Item, error) {
	out, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.name, Item: toValues(op.Item), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld, ReturnConsumedCapacity: capacity(ctx),
	})
	if err != nil {
		return nil, err
	}
	reportWrite(ctx, out.ConsumedCapacity)
	return table.Clone(op.Item), nil
}

func (t *Table) update(ctx context.Context, op table.Op, expr expression.Expression) (table.Item, error) {
	out, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.name, Key: keyValues(op.Key), UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld, ReturnConsumedCapacity: capacity(ctx),
	})
	if err != nil {
		return nil, err
	}
	reportWrite(ctx, out.ConsumedCapacity)
	return fromValues(out.Attributes)
}

func (t *Table) delete(ctx context.Context, op table.Op, expr expression.Expression) (table.Item, error) {
	out, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &t.name, Key: keyValues(op.Key), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValues: types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld, ReturnConsumedCapacity: capacity(ctx),
	})
	if err != nil {
		return nil, err
	}
	reportWrite(ctx, out.ConsumedCapacity)
	if len(out.Attributes) == 0 {
		return nil, nil
	}
	return fromValues(out.Attributes)
}

// transact runs a transaction. All attempts share one token, so an attempt whose answer was lost is not
// carried out again. The token comes from the client's options, since the SDK would draw another for
// each call.
func (t *Table) transact(ctx context.Context, ops []table.Op) error {
	token, err := t.client.Options().IdempotencyTokenProvider.GetIdempotencyToken()
	if err != nil {
		return err
	}
	items := make([]types.TransactWriteItem, len(ops))
	for i, op := range ops {
		if items[i], err = t.transactItem(op); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	var out *dynamodb.TransactWriteItemsOutput
	err = t.retry(ctx, func() (err error) {
		out, err = t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: items, ClientRequestToken: &token, ReturnConsumedCapacity: capacity(ctx),
		})
		return err
	})
	if err == nil {
		reportWrites(ctx, out.ConsumedCapacity)
	}
	return err
}

func (t *Table) transactItem(op table.Op) (types.TransactWriteItem, error) {
	expr, err := compile(op)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	const allOld = types.ReturnValuesOnConditionCheckFailureAllOld
	switch op.Kind {
	case table.OpPut:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &t.name, Item: toValues(op.Item), ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValuesOnConditionCheckFailure: allOld,
		}}, nil
	case table.OpUpdate:
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &t.name, Key: keyValues(op.Key), UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValuesOnConditionCheckFailure: allOld,
		}}, nil
	case table.OpDelete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &t.name, Key: keyValues(op.Key), ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValuesOnConditionCheckFailure: allOld,
		}}, nil
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &t.name, Key: keyValues(op.Key), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValuesOnConditionCheckFailure: allOld,
	}}, nil
}
