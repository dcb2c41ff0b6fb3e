package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A mainLines is the longest main.go of a function.
const mainLines = 40

// waits are the functions of package time that wait in real time. An adapter may: how long it holds back from a throttled
// service is between the two, while every wait of Tidings follows the injected clock.
var waits = []string{"Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// impure names, for each library, what may be mentioned only where the world is wired; all of it when the list is empty.
// A mention counts, not only a call: `Now: time.Now` is a clock that nobody injected.
var impure = map[string][]string{
	"time":                     append([]string{"Now", "Since", "Until"}, waits...),
	"crypto/rand":              nil,
	"math/rand":                nil,
	"math/rand/v2":             nil,
	"github.com/oklog/ulid/v2": {"Make", "Now", "DefaultEntropy", "MustNewDefault"},
}

// Sources lists what in the packages' own files (tests apart) breaks rule 6: time and chance are injected. Packages that only tests
// use, named …test, are free.
func Sources(g Graph) ([]string, error) {
	var broken []string
	for _, path := range g.own() {
		p := g[path]
		if under(path, slices.Concat(app, infra)...) || strings.HasSuffix(p.Name, "test") {
			continue
		}
		for _, name := range p.GoFiles {
			file := filepath.Join(p.Dir, name)
			src, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read source: %w", err)
			}
			found, err := impurities(path+"/"+name, src, under(path, adapters...))
			if err != nil {
				return nil, err
			}
			broken = append(broken, found...)
		}
	}
	return broken, nil
}

// impurities lists the mentions of the clock and of chance in one file, waits apart where they are allowed.
func impurities(name string, src []byte, mayWait bool) ([]string, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse source: %w", err)
	}
	local := map[string]string{} // the name a library has in this file → its path
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if _, listed := impure[path]; err != nil || !listed {
			continue
		}
		local[importName(spec, path)] = path
	}
	var broken []string
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok {
			path, listed := local[x.Name]
			if names := impure[path]; listed && (names == nil || slices.Contains(names, sel.Sel.Name)) && !(mayWait && slices.Contains(waits, sel.Sel.Name)) {
				at := fset.Position(sel.Pos())
				broken = append(broken, fmt.Sprintf("rule 6: time and chance are injected: %s:%d: %s.%s", at.Filename, at.Line, x.Name, sel.Sel.Name))
			}
		}
		return true
	})
	return broken, nil
}

// importName returns the name by which a file knows an import.
func importName(spec *ast.ImportSpec, path string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	base := filepath.Base(path)
	if strings.HasPrefix(base, "v") && len(base) == 2 { // a major version: the name is the element before
		base = filepath.Base(filepath.Dir(path))
	}
	return base
}

// Mains lists what is wrong with the functions: each of the eight is there, is one short main.go, and wires internal/app only.
func Mains(g Graph) ([]string, error) {
	var broken []string
	for _, name := range functions {
		p, ok := g[mains[0]+"/"+name]
		if !ok {
			broken = append(broken, "mains: there is no function "+name)
			continue
		}
		if !slices.Equal(p.GoFiles, []string{"main.go"}) || !slices.Equal(p.Imports, app) {
			broken = append(broken, fmt.Sprintf("mains: function %s is more than a main.go that imports internal/app: files %v, imports %v", name, p.GoFiles, p.Imports))
			continue
		}
		src, err := os.ReadFile(filepath.Join(p.Dir, "main.go"))
		if err != nil {
			return nil, fmt.Errorf("read main of %s: %w", name, err)
		}
		if n := bytes.Count(src, []byte("\n")); n > mainLines {
			broken = append(broken, fmt.Sprintf("mains: function %s has %d lines of main.go, more than %d", name, n, mainLines))
		}
	}
	for _, path := range g.own() {
		if dir, name, ok := strings.Cut(path, module+"/functions/"); ok && dir == "" && !slices.Contains(functions, name) {
			broken = append(broken, "mains: unknown function "+name)
		}
	}
	return broken, nil
}
