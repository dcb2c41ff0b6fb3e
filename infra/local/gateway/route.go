package gateway

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// A route is a parsed route key.
type route struct {
	key      string
	method   string // ANY for all
	segments []segment
	function Function
}

// A segment of a path is a literal, a variable {name} or, at the end, a greedy variable {name+}.
type segment struct {
	literal, name string
	greedy        bool
}

type routes []*route

var variable = regexp.MustCompile(`^\{([A-Za-z0-9_.-]+)(\+?)\}$`)

// parseRoute reads a key such as "ANY /editor/api/{proxy+}".
func parseRoute(key string) (*route, error) {
	method, path, ok := strings.Cut(key, " ")
	if !ok || !strings.HasPrefix(path, "/") || method == "" {
		return nil, fmt.Errorf("route %q is not a method and a path", key)
	}
	r := &route{key: key, method: method}
	parts := split(path)
	for i, p := range parts {
		s := segment{literal: p}
		if m := variable.FindStringSubmatch(p); m != nil {
			s = segment{name: m[1], greedy: m[2] != ""}
		} else if strings.ContainsAny(p, "{}") {
			return nil, fmt.Errorf("route %q: %q is neither a literal nor a variable", key, p)
		}
		if s.greedy && i != len(parts)-1 {
			return nil, fmt.Errorf("route %q: a greedy variable stands at the end", key)
		}
		r.segments = append(r.segments, s)
	}
	return r, nil
}

// split cuts a path at its slashes; "/" has no segments.
func split(path string) []string {
	if path = strings.TrimPrefix(path, "/"); path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// check refuses two routes that no request could tell apart.
func (all routes) check() error {
	seen := map[string]string{}
	for _, r := range all {
		shape := r.method
		for _, s := range r.segments {
			shape += "/" + s.literal
			if s.name != "" {
				shape += "{}"
			}
			if s.greedy {
				shape += "+"
			}
		}
		if other, ok := seen[shape]; ok {
			return fmt.Errorf("routes %q and %q are the same", other, r.key)
		}
		seen[shape] = r.key
	}
	return nil
}

// match picks the most specific route for a method and an escaped path: a full match before one with a greedy variable, a
// literal before a variable from left to right, the method itself before ANY. nil: there is none.
func (all routes) match(method, path string) (*route, map[string]string) {
	var (
		best   *route
		params map[string]string
		parts  []string
	)
	for _, p := range split(path) {
		d, err := url.PathUnescape(p)
		if err != nil {
			return nil, nil
		}
		parts = append(parts, d)
	}
	for _, r := range all {
		if r.method != method && r.method != "ANY" {
			continue
		}
		if p, ok := r.fits(parts); ok && (best == nil || r.before(best)) {
			best, params = r, p
		}
	}
	return best, params
}

// fits returns the values of the route's variables, when the path is the route's.
func (r *route) fits(parts []string) (map[string]string, bool) {
	params := map[string]string{}
	for i, s := range r.segments {
		switch {
		case i >= len(parts) || parts[i] == "":
			return nil, false
		case s.greedy:
			params[s.name] = strings.Join(parts[i:], "/")
			return params, true
		case s.name != "":
			params[s.name] = parts[i]
		case s.literal != parts[i]:
			return nil, false
		}
	}
	return params, len(parts) == len(r.segments)
}

// before reports whether r is more specific than another route that fits the same path.
func (r *route) before(other *route) bool {
	if a, b := r.greedy(), other.greedy(); a != b {
		return b
	}
	for i := range min(len(r.segments), len(other.segments)) {
		if a, b := r.segments[i].name == "", other.segments[i].name == ""; a != b {
			return a
		}
	}
	if len(r.segments) != len(other.segments) { // both greedy: the longer one leaves less to its variable
		return len(r.segments) > len(other.segments)
	}
	return r.method != "ANY" && other.method == "ANY"
}

func (r *route) greedy() bool {
	return len(r.segments) > 0 && r.segments[len(r.segments)-1].greedy
}
