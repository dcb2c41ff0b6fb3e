package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tidings/internal/table"
)

// capacity asks for the capacity units only when someone counts them.
func capacity(ctx context.Context) types.ReturnConsumedCapacity {
	if table.Metered(ctx) {
		return types.ReturnConsumedCapacityIndexes
	}
	return types.ReturnConsumedCapacityNone
}

func reportRead(ctx context.Context, c *types.ConsumedCapacity) {
	if c != nil && c.CapacityUnits != nil {
		table.Report(ctx, table.Capacity{Read: *c.CapacityUnits})
	}
}

func reportWrite(ctx context.Context, c *types.ConsumedCapacity) {
	if c == nil || c.CapacityUnits == nil {
		return
	}
	units := table.Capacity{Write: *c.CapacityUnits}
	for _, index := range c.GlobalSecondaryIndexes {
		if index.CapacityUnits != nil {
			units.Index += *index.CapacityUnits
		}
	}
	table.Report(ctx, units)
}

func reportWrites(ctx context.Context, all []types.ConsumedCapacity) {
	for i := range all {
		reportWrite(ctx, &all[i])
	}
}
