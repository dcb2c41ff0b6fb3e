package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A template is a compiled input transformer. (EventBridge user guide, "Input transformation"; a variable within a quoted
// string becomes a part of the string, one outside becomes a JSON value.) Only templates that are JSON are understood here.
type template struct {
	parts []part
}

// A part is a text, or a variable in place of it.
type part struct {
	text   string
	path   []step // nil: it is a text
	quoted bool   // within a string
}

// A step of a path is a field's name, or an index.
type step struct {
	name  string
	index int // when name is empty
}

var (
	variable = regexp.MustCompile(`<([A-Za-z0-9_.-]+)>`)
	segment  = regexp.MustCompile(`^(?:\.([A-Za-z0-9_-]+)|\[([0-9]{1,9})\])`)
)

func compileTemplate(text string, paths map[string]string) (*template, error) {
	steps := map[string][]step{}
	for name, path := range paths {
		if strings.HasPrefix(name, "aws.") {
			return nil, fmt.Errorf("variable %s: the name is EventBridge's", name)
		}
		var err error
		if steps[name], err = compilePath(path); err != nil {
			return nil, fmt.Errorf("variable %s: %w", name, err)
		}
	}
	t := &template{}
	var q quotes
	for at := 0; at < len(text); {
		m := variable.FindStringSubmatchIndex(text[at:])
		if m == nil {
			m = []int{len(text) - at, len(text) - at, 0, 0}
		}
		literal := text[at : at+m[0]]
		if err := q.read(literal); err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{text: literal})
		if m[0] < m[1] {
			name := text[at+m[2] : at+m[3]]
			path, ok := steps[name]
			if !ok {
				return nil, fmt.Errorf("<%s> is no variable of the paths", name)
			}
			t.parts = append(t.parts, part{path: path, quoted: q.inside})
			q.variable = q.inside
		}
		at += m[1]
	}
	if sample := t.fill(nil); !json.Valid(sample) {
		return nil, fmt.Errorf("the template is not JSON, and nothing else is understood here")
	}
	return t, nil
}

// quotes follows a template's text in and out of JSON strings.
type quotes struct {
	inside   bool
	escaped  bool
	variable bool // the string holds a variable
	closed   bool // the last thing that was read is the end of such a string
}

func (q *quotes) read(text string) error {
	for _, r := range text {
		switch {
		case q.closed && r == ':':
			return fmt.Errorf("a variable can't stand in an object's key")
		case q.escaped:
			q.escaped = false
		case q.inside && r == '\\':
			q.escaped = true
		case r == '"':
			q.inside = !q.inside
			q.closed = !q.inside && q.variable
			q.variable = false
		case !q.inside && r != ' ' && r != '\n' && r != '\t' && r != '\r':
			q.closed = false
		}
	}
	return nil
}

// compilePath reads a path: $, fields, and indexes, such as $.detail.mail.tags.digest[0].
func compilePath(path string) ([]step, error) {
	rest, ok := strings.CutPrefix(path, "$")
	steps := []step{}
	for ok && rest != "" {
		m := segment.FindStringSubmatch(rest)
		if m == nil {
			ok = false
			break
		}
		index, _ := strconv.Atoi(m[2]) // digits, or empty beside a name
		steps = append(steps, step{m[1], index})
		rest = rest[len(m[0]):]
	}
	if !ok {
		return nil, fmt.Errorf("path %q is not made of $, .field and [index]", path)
	}
	return steps, nil
}

// find follows a path; ok is false when the event lacks it.
func find(v any, path []step) (_ any, ok bool) {
	for _, s := range path {
		switch within := v.(type) {
		case map[string]any:
			if v, ok = within[s.name]; !ok || s.name == "" {
				return nil, false
			}
		case []any:
			if s.name != "" || s.index >= len(within) {
				return nil, false
			}
			v = within[s.index]
		default:
			return nil, false
		}
	}
	return v, true
}

// fill returns the template with an event's values. What the event lacks is an empty string.
func (t *template) fill(envelope map[string]any) []byte {
	var b bytes.Buffer
	for _, p := range t.parts {
		if p.path == nil {
			b.WriteString(p.text)
			continue
		}
		v, ok := find(envelope, p.path)
		if !ok {
			v = ""
		}
		text, isText := v.(string)
		switch {
		case !p.quoted:
			b.Write(encode(v))
		case isText:
			b.Write(inner(encode(text)))
		default: // a number, or an object in its JSON, as a part of the string
			b.Write(inner(encode(string(encode(v)))))
		}
	}
	return b.Bytes()
}

// encode writes JSON as it is wanted in a message: nothing escaped that need not be.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(`""`) // can't happen: v was decoded from JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// inner is a JSON string without its quotes.
func inner(encoded []byte) []byte { return encoded[1 : len(encoded)-1] }
