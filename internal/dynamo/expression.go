package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"tidings/internal/table"
)

// compile builds the condition and update expressions of an operation; either may be missing.
func compile(op table.Op) (expression.Expression, error) {
	if op.If == nil && op.Kind != table.OpUpdate {
		return expression.Expression{}, nil
	}
	b := expression.NewBuilder()
	if op.If != nil {
		cond, err := condition(op.If)
		if err != nil {
			return expression.Expression{}, err
		}
		b = b.WithCondition(cond)
	}
	if op.Kind == table.OpUpdate {
		b = b.WithUpdate(update(op.Actions))
	}
	expr, err := b.Build()
	if err != nil {
		return expression.Expression{}, fmt.Errorf("build expression: %w", err)
	}
	return expr, nil
}

func update(actions []table.Action) expression.UpdateBuilder {
	var u expression.UpdateBuilder
	for _, a := range actions {
		name := expression.NameNoDotSplit(a.Name)
		value := expression.Value(toValue(a.Value))
		switch a.Kind {
		case table.ActSet:
			u = u.Set(name, value)
		case table.ActSetIfAbsent:
			u = u.Set(name, expression.IfNotExists(name, value))
		case table.ActRemove:
			u = u.Remove(name)
		case table.ActAdd, table.ActAddToSet:
			u = u.Add(name, value)
		case table.ActDeleteFromSet:
			u = u.Delete(name, value)
		}
	}
	return u
}

func condition(c table.Cond) (expression.ConditionBuilder, error) {
	switch c := c.(type) {
	case table.ExistsCond:
		if c.Not {
			return expression.AttributeNotExists(expression.NameNoDotSplit(c.Name)), nil
		}
		return expression.AttributeExists(expression.NameNoDotSplit(c.Name)), nil
	case table.CompareCond:
		return comparison(c)
	case table.ContainsCond:
		return expression.Contains(expression.NameNoDotSplit(c.Name), toValue(c.Value)), nil
	case table.BoolCond:
		return joined(c)
	}
	return expression.ConditionBuilder{}, fmt.Errorf("%w: unknown condition %T", table.ErrInvalid, c)
}

func comparison(c table.CompareCond) (expression.ConditionBuilder, error) {
	name, value := expression.NameNoDotSplit(c.Name), expression.Value(toValue(c.Value))
	switch c.Op {
	case table.OpEq:
		return name.Equal(value), nil
	case table.OpNe:
		return name.NotEqual(value), nil
	case table.OpLt:
		return name.LessThan(value), nil
	case table.OpLe:
		return name.LessThanEqual(value), nil
	case table.OpGt:
		return name.GreaterThan(value), nil
	case table.OpGe:
		return name.GreaterThanEqual(value), nil
	}
	return expression.ConditionBuilder{}, fmt.Errorf("%w: unknown comparison %q", table.ErrInvalid, c.Op)
}

// joined translates and, or and not. DynamoDB has no "and" of one condition, and refuses redundant
// parentheses, so that one stands for itself.
func joined(c table.BoolCond) (expression.ConditionBuilder, error) {
	subs := make([]expression.ConditionBuilder, len(c.Conds))
	for i, sub := range c.Conds {
		var err error
		if subs[i], err = condition(sub); err != nil {
			return expression.ConditionBuilder{}, err
		}
	}
	switch {
	case c.Op == "not":
		return subs[0].Not(), nil
	case len(subs) == 1:
		return subs[0], nil
	case c.Op == "or":
		return subs[0].Or(subs[1], subs[2:]...), nil
	}
	return subs[0].And(subs[1], subs[2:]...), nil
}
