package sesapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// SES renders an inline template with simple substitutions only: each {{name}} is replaced once by its value, as it is. Nothing is
// escaped, a value is not read again, and Handlebars' blocks and triple braces are names that no value has.

// next cuts a template at its next substitution. open is false when there is none; closed is false when it has no end.
func next(s string) (before, name, after string, open, closed bool) {
	before, rest, open := strings.Cut(s, "{{")
	if !open {
		return s, "", "", false, false
	}
	name, after, closed = strings.Cut(rest, "}}")
	return before, strings.TrimSpace(name), after, true, closed
}

// A need is what a template asks of the data.
type need struct {
	names  []string
	broken bool // it has a substitution without an end, which no data helps
}

// needs lists the names in a body's three parts.
func needs(b body) need {
	var n need
	for _, s := range []string{b.subject, b.html, b.text} {
		for {
			_, name, after, open, closed := next(s)
			if !open {
				break
			}
			if !closed {
				n.broken = true
				break
			}
			if !slices.Contains(n.names, name) {
				n.names = append(n.names, name)
			}
			s = after
		}
	}
	return n
}

// failure returns why a template cannot be rendered with the values, in SES's words, or "".
func (n need) failure(values map[string]string) string {
	if n.broken {
		return "The template has a substitution that is not closed."
	}
	for _, name := range n.names {
		if _, ok := values[name]; !ok {
			return fmt.Sprintf("Attribute '%s' is not present in the rendering data.", name)
		}
	}
	return ""
}

// substitute renders one part whose needs are met.
func substitute(s string, values map[string]string) string {
	if !strings.Contains(s, "{{") {
		return s
	}
	var out strings.Builder
	out.Grow(len(s) + 256)
	for {
		before, name, after, open, _ := next(s)
		out.WriteString(before)
		if !open {
			return out.String()
		}
		out.WriteString(values[name])
		s = after
	}
}

// checkData refuses template data that is not a JSON object.
func checkData(data string) *apiError {
	if len(data) > maxData {
		return badRequest("Template data is larger than %d bytes.", maxData)
	}
	if data == "" {
		return nil
	}
	var v map[string]json.RawMessage
	if json.Unmarshal([]byte(data), &v) != nil || v == nil {
		return badRequest("Template data is not a JSON object.")
	}
	return nil
}

// values returns the values of data that was checked, later ones over earlier ones. Text, numbers and booleans are values; null, lists
// and objects are nothing that a simple substitution could show.
func values(data ...string) map[string]string {
	out := map[string]string{}
	for _, object := range data {
		if object == "" {
			continue
		}
		var members map[string]any
		d := json.NewDecoder(strings.NewReader(object))
		d.UseNumber()
		if d.Decode(&members) != nil {
			continue
		}
		for name, v := range members {
			switch v := v.(type) {
			case string:
				out[name] = v
			case json.Number:
				out[name] = v.String()
			case bool:
				out[name] = fmt.Sprint(v)
			default:
				delete(out, name)
			}
		}
	}
	return out
}
