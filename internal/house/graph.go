package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// module is the path of this module.
const module = "tidings"

// A Package is what the rules need of `go list -json`.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string
	Imports    []string
	Standard   bool
}

// A Graph is packages by import path.
type Graph map[string]Package

// ReadGraph reads the output of `go list -deps -json`.
func ReadGraph(r io.Reader) (Graph, error) {
	g := Graph{}
	d := json.NewDecoder(r)
	for {
		var p Package
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return g, nil
		case err != nil:
			return nil, fmt.Errorf("decode go list's output: %w", err)
		}
		g[p.ImportPath] = p
	}
}

// own returns the paths of this module's packages, sorted.
func (g Graph) own() []string {
	var paths []string
	for path := range g {
		if path == module || strings.HasPrefix(path, module+"/") {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// chain returns the shortest way of imports from a package to one that match accepts, both included, nil when there is none.
func (g Graph) chain(from string, match func(path string) bool) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at != from && match(at) {
			var way []string
			for ; at != ""; at = before[at] {
				way = append(way, at)
			}
			slices.Reverse(way)
			return way
		}
		for _, next := range g[at].Imports {
			if _, seen := before[next]; !seen {
				before[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// under reports whether a path is a package or below it.
func under(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return path == root || strings.HasPrefix(path, root+"/") })
}

// internal returns the import paths of this module's internal packages of the names.
func internal(names ...string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = module + "/internal/" + n
	}
	return paths
}
