package tabletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tidings/internal/table"
)

// Format writes a program in the form of Go, a step a line, to be read and to be made a test of.
func Format(program []Step) string {
	var b strings.Builder
	for i, s := range program {
		fmt.Fprintf(&b, "%3d  %s\n", i, formatStep(s))
	}
	return b.String()
}

func formatStep(s Step) string {
	switch s.Do {
	case DoGet:
		return "Get(" + formatKey(s.Keys[0]) + ")"
	case DoBatchGet:
		return "BatchGet(" + join(s.Keys, formatKey) + ")"
	case DoWrite:
		return "Write(" + join(s.Ops, formatOp) + ")"
	case DoBatchPut:
		return "BatchPut(" + join(s.Items, formatItem) + ")"
	case DoQuery:
		return fmt.Sprintf("slot%d = Query(%s)", s.Slot, formatQuery(s.Query))
	case DoContinue:
		return fmt.Sprintf("slot%d = Query(slot%d with %s)", s.Slot, s.Slot, formatQuery(s.Query))
	case DoWalk:
		return "every page of Query(" + formatQuery(s.Query) + ")"
	}
	return "read everything"
}

func join[T any](of []T, format func(T) string) string {
	parts := make([]string, len(of))
	for i, v := range of {
		parts[i] = format(v)
	}
	return strings.Join(parts, ", ")
}

func formatKey(k table.Key) string { return fmt.Sprintf("Key{%q, %q}", k.PK, k.SK) }

func formatItem(it table.Item) string {
	return "Item{" + join(slices.Sorted(maps.Keys(it)), func(name string) string {
		return fmt.Sprintf("%q: %s", name, formatValue(it[name]))
	}) + "}"
}

func formatValue(v table.Value) string {
	switch v := v.(type) {
	case int64:
		return fmt.Sprintf("int64(%d)", v)
	case []byte:
		return fmt.Sprintf("[]byte(%q)", v)
	case table.StringSet:
		return fmt.Sprintf("StringSet{%s}", join(v, func(s string) string { return fmt.Sprintf("%q", s) }))
	case table.IntSet:
		return fmt.Sprintf("IntSet{%s}", join(v, func(n int64) string { return fmt.Sprint(n) }))
	}
	return fmt.Sprintf("%#v", v)
}

func formatOp(op table.Op) string {
	var s string
	switch op.Kind {
	case table.OpPut:
		s = "Put(" + formatItem(op.Item) + ")"
	case table.OpUpdate:
		s = "Update(" + strings.Join(append([]string{formatKey(op.Key)}, formatActions(op.Actions)...), ", ") + ")"
	case table.OpDelete:
		s = "Delete(" + formatKey(op.Key) + ")"
	case table.OpCheck:
		return "Check(" + formatKey(op.Key) + ", " + formatCond(op.If) + ")"
	}
	if op.If != nil {
		s += ".When(" + formatCond(op.If) + ")"
	}
	return s
}

func formatActions(actions []table.Action) []string {
	verbs := map[table.ActionKind]string{
		table.ActSet: "Set", table.ActSetIfAbsent: "SetIfAbsent", table.ActRemove: "Remove", table.ActAdd: "Add",
		table.ActAddToSet: "AddToSet", table.ActDeleteFromSet: "DeleteFromSet",
	}
	var all []string
	for _, a := range actions {
		switch a.Kind {
		case table.ActRemove:
			all = append(all, fmt.Sprintf("Remove(%q)", a.Name))
		case table.ActAdd:
			all = append(all, fmt.Sprintf("Add(%q, %d)", a.Name, a.Value))
		default:
			all = append(all, fmt.Sprintf("%s(%q, %s)", verbs[a.Kind], a.Name, formatValue(a.Value)))
		}
	}
	return all
}

func formatCond(c table.Cond) string {
	verbs := map[string]string{
		"=": "Eq", "<>": "Ne", "<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge", "and": "And", "or": "Or", "not": "Not",
	}
	switch c := c.(type) {
	case table.ExistsCond:
		if c.Not {
			return fmt.Sprintf("Absent(%q)", c.Name)
		}
		return fmt.Sprintf("Exists(%q)", c.Name)
	case table.CompareCond:
		return fmt.Sprintf("%s(%q, %s)", verbs[string(c.Op)], c.Name, formatValue(c.Value))
	case table.ContainsCond:
		return fmt.Sprintf("Contains(%q, %s)", c.Name, formatValue(c.Value))
	case table.BoolCond:
		return verbs[c.Op] + "(" + join(c.Conds, formatCond) + ")"
	}
	return "nil"
}

func formatQuery(q table.Query) string {
	var parts []string
	add := func(format string, v any, given bool) {
		if given {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	add("Index: %q", q.Index, q.Index != table.Main)
	add("Partition: %q", q.Partition, q.Partition != "")
	add("From: %q", q.From, q.From != "")
	add("To: %q", q.To, q.To != "")
	add("Limit: %d", q.Limit, true)
	add("Descending: %v", true, q.Descending)
	add("Consistent: %v", true, q.Consistent)
	return "Query{" + strings.Join(parts, ", ") + "}"
}
