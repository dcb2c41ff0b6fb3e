package house

import (
	"bytes"
	"os/exec"
	"testing"
)

// TestRules holds the module to its own rules.
func TestRules(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Name,Dir,GoFiles,Imports,Standard", "./...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	g, err := ReadGraph(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	broken := Imports(g)
	sources, err := Sources(g)
	if err != nil {
		t.Fatal(err)
	}
	thick, err := Mains(g)
	if err != nil {
		t.Fatal(err)
	}
	broken = append(append(broken, sources...), thick...)
	for _, b := range broken {
		t.Error(b)
	}
	if len(g.own()) < 20 || len(g) < 100 {
		t.Errorf("go list shows %d packages, %d of them our own: the rules were checked on a part of the house", len(g), len(g.own()))
	}
}
