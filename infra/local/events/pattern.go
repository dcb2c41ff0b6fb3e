package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// An object is a compiled event pattern, or an object within one. (EventBridge user guide, "Event patterns": an event matches when
// it has every field of the pattern, with one of the values of its list; where the event has an array, with one of its elements.)
type object map[string]matcher

// A matcher is an object or values.
type matcher interface{ matches(v any) bool }

// values are those of which a field has to have one, in their canonical form.
type values map[string]bool

func compilePattern(pattern map[string]any) (object, error) {
	if len(pattern) == 0 {
		return nil, fmt.Errorf("an object of the pattern is empty")
	}
	o := object{}
	for name, want := range pattern {
		if strings.HasPrefix(name, "$") {
			return nil, fmt.Errorf("%s is not understood here", name)
		}
		var err error
		switch want := want.(type) {
		case map[string]any:
			o[name], err = compilePattern(want)
		case []any:
			o[name], err = compileValues(want)
		default:
			err = fmt.Errorf("neither an object nor a list")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return o, nil
}

func compileValues(list []any) (values, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("the list is empty")
	}
	vs := values{}
	for _, v := range list {
		c, ok := canonical(v)
		if !ok {
			return nil, fmt.Errorf("content filters such as prefix, exists or numeric are not understood here")
		}
		vs[c] = true
	}
	return vs, nil
}

// canonical writes a scalar so that equal ones are equal strings, whoever decoded them.
func canonical(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "null", true
	case string:
		return "s" + v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return number(float64(v)), true
	case int64:
		return number(float64(v)), true
	case uint64:
		return number(float64(v)), true
	case float64:
		return number(v), true
	case json.Number:
		f, err := v.Float64()
		return number(f), err == nil
	}
	return "", false
}

func number(f float64) string { return "n" + strconv.FormatFloat(f, 'g', -1, 64) }

func (o object) matches(v any) bool {
	if list, ok := v.([]any); ok {
		return anyMatches(o, list)
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for name, m := range o {
		if field, ok := fields[name]; !ok || !m.matches(field) {
			return false
		}
	}
	return true
}

func (vs values) matches(v any) bool {
	if list, ok := v.([]any); ok {
		return anyMatches(vs, list)
	}
	c, ok := canonical(v)
	return ok && vs[c]
}

func anyMatches(m matcher, list []any) bool {
	for _, v := range list {
		if m.matches(v) {
			return true
		}
	}
	return false
}
