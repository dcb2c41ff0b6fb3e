package dynamo

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tidings/internal/table"
)

func keyValues(k table.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{table.PK: toValue(k.PK), table.SK: toValue(k.SK)}
}

func toValues(item table.Item) map[string]types.AttributeValue {
	values := make(map[string]types.AttributeValue, len(item))
	for name, v := range item {
		values[name] = toValue(v)
	}
	return values
}

// toValue translates a value that table's checks have let through.
func toValue(v table.Value) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case int64:
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []byte:
		if v == nil {
			v = []byte{} // the SDK would leave a nil value out
		}
		return &types.AttributeValueMemberB{Value: v}
	case table.StringSet:
		return &types.AttributeValueMemberSS{Value: v}
	case table.IntSet:
		numbers := make([]string, len(v))
		for i, n := range v {
			numbers[i] = strconv.FormatInt(n, 10)
		}
		return &types.AttributeValueMemberNS{Value: numbers}
	}
	return nil
}

func fromValues(values map[string]types.AttributeValue) (table.Item, error) {
	item := make(table.Item, len(values))
	for name, av := range values {
		v, err := fromValue(av)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		item[name] = v
	}
	return item, nil
}

func fromValue(av types.AttributeValue) (table.Value, error) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return av.Value, nil
	case *types.AttributeValueMemberN:
		return strconv.ParseInt(av.Value, 10, 64)
	case *types.AttributeValueMemberBOOL:
		return av.Value, nil
	case *types.AttributeValueMemberB:
		if av.Value == nil {
			return []byte{}, nil
		}
		return av.Value, nil
	case *types.AttributeValueMemberSS:
		set := table.StringSet(av.Value)
		slices.Sort(set)
		return set, nil
	case *types.AttributeValueMemberNS:
		set := make(table.IntSet, len(av.Value))
		for i, s := range av.Value {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return nil, err
			}
			set[i] = n
		}
		slices.Sort(set)
		return set, nil
	}
	return nil, fmt.Errorf("type %T, which package table does not have", av)
}
