package table

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that engines return, wrapped with the operation and the key.
var (
	ErrNotFound = errors.New("item not found")
	ErrBusy     = errors.New("table busy: conflict or throttle")
	ErrCursor   = errors.New("cursor does not belong to this query")
	ErrInvalid  = errors.New("invalid table request")
)

// A RefusedError says which operations of a Write did not hold their condition. Nothing was written.
type RefusedError struct {
	Failed []Refusal
}

// A Refusal is one operation whose condition did not hold.
type Refusal struct {
	Op   int  // index into the operations of the Write
	Item Item // the item it met; nil when there was none
}

func (e *RefusedError) Error() string {
	var b strings.Builder
	b.WriteString("condition refused for operation")
	for _, f := range e.Failed {
		fmt.Fprintf(&b, " %d", f.Op)
	}
	return b.String()
}

// Refused reports whether err is a refusal of the given operation, and the item which that met.
func Refused(err error, op int) (Item, bool) {
	if r, ok := errors.AsType[*RefusedError](err); ok {
		for _, f := range r.Failed {
			if f.Op == op {
				return f.Item, true
			}
		}
	}
	return nil, false
}

// An OpKind says what an Op does.
type OpKind int

// The four kinds of operations.
const (
	OpPut OpKind = iota + 1
	OpUpdate
	OpDelete
	OpCheck
)

// An Op is one operation of a Write. Use Put, Update, Delete and Check to make one.
type Op struct {
	Kind    OpKind
	Key     Key
	Item    Item     // OpPut: with PK and SK
	Actions []Action // OpUpdate: at most one per attribute, none of PK or SK
	If      Cond     // nil: no condition; OpCheck needs one
}

// Put stores an item in place of any that has its key.
func Put(item Item) Op {
	pk, _ := item[PK].(string)
	sk, _ := item[SK].(string)
	return Op{Kind: OpPut, Key: Key{pk, sk}, Item: item}
}

// Update changes attributes of an item, which it creates when there is none.
func Update(key Key, actions ...Action) Op { return Op{Kind: OpUpdate, Key: key, Actions: actions} }

// Delete removes an item; it is no error when there is none.
func Delete(key Key) Op { return Op{Kind: OpDelete, Key: key} }

// Check writes nothing and only demands that a condition hold.
func Check(key Key, c Cond) Op { return Op{Kind: OpCheck, Key: key, If: c} }

// When returns the operation with a condition. A second one is joined by And.
func (o Op) When(c Cond) Op {
	if o.If != nil {
		c = And(o.If, c)
	}
	o.If = c
	return o
}

// An ActionKind says what an Action does.
type ActionKind int

// The six kinds of actions.
const (
	ActSet           ActionKind = iota + 1 // attribute = value
	ActSetIfAbsent                         // attribute = value, unless there is one
	ActRemove                              // attribute is gone; no error when it was absent
	ActAdd                                 // number += value; an absent one counts as 0
	ActAddToSet                            // set ∪= value; an absent one counts as empty
	ActDeleteFromSet                       // set \= value; an emptied set's attribute is removed
)

// An Action changes one attribute within an Update.
type Action struct {
	Kind  ActionKind
	Name  string
	Value Value
}

// Set gives an attribute a value.
func Set(name string, v Value) Action { return Action{ActSet, name, v} }

// SetIfAbsent gives an attribute a value unless it has one.
func SetIfAbsent(name string, v Value) Action { return Action{ActSetIfAbsent, name, v} }

// Remove takes an attribute away.
func Remove(name string) Action { return Action{ActRemove, name, nil} }

// Add adds to a number.
func Add(name string, n int64) Action { return Action{ActAdd, name, n} }

// AddToSet adds the elements of a StringSet or an IntSet.
func AddToSet(name string, set Value) Action { return Action{ActAddToSet, name, set} }

// DeleteFromSet removes the elements of a StringSet or an IntSet.
func DeleteFromSet(name string, set Value) Action { return Action{ActDeleteFromSet, name, set} }

// A Cond is a condition on one item, made by the functions below.
type Cond interface{ cond() }

// A CompareOp is a comparison operator.
type CompareOp string

// The comparison operators. As in DynamoDB, Eq and the orderings are false when the attribute is absent
// or of another type, and Ne is then true; only strings, numbers and bytes are ordered.
const (
	OpEq CompareOp = "="
	OpNe CompareOp = "<>"
	OpLt CompareOp = "<"
	OpLe CompareOp = "<="
	OpGt CompareOp = ">"
	OpGe CompareOp = ">="
)

// The nodes of a condition. Engines switch over them.
type (
	// ExistsCond holds when the attribute is present, or absent when Not is set.
	ExistsCond struct {
		Name string
		Not  bool
	}
	// CompareCond compares an attribute with a value.
	CompareCond struct {
		Name  string
		Op    CompareOp
		Value Value
	}
	// ContainsCond holds when a set has the element, or a string the substring.
	ContainsCond struct {
		Name  string
		Value Value // string or int64
	}
	// BoolCond joins conditions: "and", "or" (1 or more) or "not" (exactly 1).
	BoolCond struct {
		Op    string
		Conds []Cond
	}
)

func (ExistsCond) cond()   {}
func (CompareCond) cond()  {}
func (ContainsCond) cond() {}
func (BoolCond) cond()     {}

// Exists holds when the item has the attribute; Exists(PK) when there is an item.
func Exists(name string) Cond { return ExistsCond{Name: name} }

// Absent holds when the item lacks the attribute; Absent(PK) when there is no item.
func Absent(name string) Cond { return ExistsCond{Name: name, Not: true} }

// Eq holds when the attribute equals the value, in type and content.
func Eq(name string, v Value) Cond { return CompareCond{name, OpEq, v} }

// Ne holds when the attribute differs from the value, or is absent.
func Ne(name string, v Value) Cond { return CompareCond{name, OpNe, v} }

// Lt holds when the attribute is present and less than the value.
func Lt(name string, v Value) Cond { return CompareCond{name, OpLt, v} }

// Le holds when the attribute is present and not greater than the value.
func Le(name string, v Value) Cond { return CompareCond{name, OpLe, v} }

// Gt holds when the attribute is present and greater than the value.
func Gt(name string, v Value) Cond { return CompareCond{name, OpGt, v} }

// Ge holds when the attribute is present and not less than the value.
func Ge(name string, v Value) Cond { return CompareCond{name, OpGe, v} }

// Contains holds when the attribute is a set with the element, or a string with the substring.
func Contains(name string, element Value) Cond { return ContainsCond{name, element} }

// And holds when all conditions do.
func And(c ...Cond) Cond { return BoolCond{"and", c} }

// Or holds when one of the conditions does.
func Or(c ...Cond) Cond { return BoolCond{"or", c} }

// Not holds when the condition does not.
func Not(c Cond) Cond { return BoolCond{"not", []Cond{c}} }
