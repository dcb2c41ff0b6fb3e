package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tidings/internal/table"
)

// createWait is how long Create waits for the table to become active.
const createWait = time.Minute

// Create makes the table with both indexes, paid per request, and has items deleted after their ttl.
// It is no error when there is such a table already. Only the local stack and tests use it: in AWS the
// template makes the table.
func Create(ctx context.Context, client *dynamodb.Client, tableName string) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &tableName, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: definitions("pk", "sk", "apk", "ask", "lpk", "lsk"), KeySchema: schema(table.Main),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String(string(table.Audience)), KeySchema: schema(table.Audience),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
			{IndexName: aws.String(string(table.List)), KeySchema: schema(table.List),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{table.Card}}},
		},
	})
	var exists *types.ResourceInUseException
	if errors.As(err, &exists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("dynamo: create table %s: %w", tableName, err)
	}
	active := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	if err := active.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &tableName}, createWait); err != nil {
		return fmt.Errorf("dynamo: wait for table %s: %w", tableName, err)
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &tableName,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(table.TTL), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("dynamo: enable TTL of table %s: %w", tableName, err)
	}
	return nil
}

func schema(index table.Index) []types.KeySchemaElement {
	partition, sort := index.Keys()
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

func definitions(names ...string) []types.AttributeDefinition {
	all := make([]types.AttributeDefinition, len(names))
	for i := range names {
		all[i] = types.AttributeDefinition{AttributeName: &names[i], AttributeType: types.ScalarAttributeTypeS}
	}
	return all
}
