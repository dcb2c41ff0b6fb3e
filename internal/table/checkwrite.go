package table

import "fmt"

// CheckWrite demands operations that an engine can run as one Write.
func CheckWrite(ops []Op) error {
	if len(ops) == 0 || len(ops) > MaxOps {
		return invalid("%d operations in one write, 1 to %d are allowed", len(ops), MaxOps)
	}
	var seen map[Key]bool
	if len(ops) > 1 {
		seen = make(map[Key]bool, len(ops))
	}
	bytes := 0
	for i, op := range ops {
		if err := checkOp(op); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		if seen[op.Key] {
			return invalid("operation %d has the key of another", i)
		}
		if seen != nil {
			seen[op.Key] = true
			bytes += Size(op.Item)
		}
	}
	if bytes > MaxWriteBytes {
		return invalid("write of %d bytes, at most %d", bytes, MaxWriteBytes)
	}
	return nil
}

func checkOp(op Op) error {
	if err := CheckKey(op.Key); err != nil {
		return err
	}
	switch op.Kind {
	case OpPut:
		if KeyOf(op.Item) != op.Key {
			return invalid("put of an item under another key")
		}
		if err := CheckItem(op.Item); err != nil {
			return err
		}
	case OpUpdate:
		if err := checkActions(op.Actions); err != nil {
			return err
		}
	case OpDelete:
	case OpCheck:
		if op.If == nil {
			return invalid("check without a condition")
		}
	default:
		return invalid("unknown kind of operation %d", op.Kind)
	}
	if op.If == nil {
		return nil
	}
	nodes := 0
	return checkCond(op.If, &nodes)
}

func checkActions(actions []Action) error {
	if len(actions) == 0 || len(actions) > MaxActions {
		return invalid("%d actions in one update, 1 to %d are allowed", len(actions), MaxActions)
	}
	seen := make(map[string]bool, len(actions))
	for _, a := range actions {
		if a.Name == PK || a.Name == SK {
			return invalid("update of key attribute %q", a.Name)
		}
		if seen[a.Name] {
			return invalid("two actions on attribute %q", a.Name)
		}
		seen[a.Name] = true
		if err := checkAction(a); err != nil {
			return err
		}
	}
	return nil
}

func checkAction(a Action) error {
	switch a.Kind {
	case ActRemove:
		return checkName(a.Name)
	case ActSet, ActSetIfAbsent:
	case ActAdd:
		if _, ok := a.Value.(int64); !ok {
			return invalid("add of %T to attribute %q", a.Value, a.Name)
		}
	case ActAddToSet, ActDeleteFromSet:
		switch a.Value.(type) {
		case StringSet, IntSet:
		default:
			return invalid("set action with %T on attribute %q", a.Value, a.Name)
		}
	default:
		return invalid("unknown kind of action %d", a.Kind)
	}
	// The checks of special attributes also keep numbers and sets out of index keys and card.
	return checkAttribute(a.Name, a.Value)
}

func checkCond(c Cond, nodes *int) error {
	if *nodes++; *nodes > MaxCondNodes {
		return invalid("condition of more than %d nodes", MaxCondNodes)
	}
	switch c := c.(type) {
	case ExistsCond:
		return checkName(c.Name)
	case CompareCond:
		if err := checkName(c.Name); err != nil {
			return err
		}
		if err := checkValue(c.Name, c.Value); err != nil {
			return err
		}
		return checkComparison(c)
	case ContainsCond:
		if err := checkName(c.Name); err != nil {
			return err
		}
		switch c.Value.(type) {
		case string, int64:
			return checkValue(c.Name, c.Value)
		}
		return invalid("contains %T on attribute %q", c.Value, c.Name)
	case BoolCond:
		return checkBool(c, nodes)
	}
	return invalid("unknown condition %T", c)
}

// checkComparison keeps the orderings to the types that have one, as DynamoDB does.
func checkComparison(c CompareCond) error {
	switch c.Op {
	case OpEq, OpNe:
		return nil
	case OpLt, OpLe, OpGt, OpGe:
		switch c.Value.(type) {
		case string, int64, []byte:
			return nil
		}
		return invalid("attribute %q compared by %q with %T", c.Name, c.Op, c.Value)
	}
	return invalid("unknown comparison %q", c.Op)
}

func checkBool(c BoolCond, nodes *int) error {
	switch {
	case c.Op == "not" && len(c.Conds) == 1:
	case (c.Op == "and" || c.Op == "or") && len(c.Conds) >= 1:
	default:
		return invalid("%q of %d conditions", c.Op, len(c.Conds))
	}
	for _, sub := range c.Conds {
		if err := checkCond(sub, nodes); err != nil {
			return err
		}
	}
	return nil
}
