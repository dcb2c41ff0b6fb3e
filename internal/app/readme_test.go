package app

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// TestReadmeConfiguration compares the README's table of variables with what the functions read, both ways.
func TestReadmeConfiguration(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var inCode, inReadme []string
	for _, cfg := range configs {
		inCode = append(inCode, variables(reflect.TypeOf(cfg))...)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `[A-Z][^|]*\\|").FindAll(readme, -1) {
		for _, name := range regexp.MustCompile("`([A-Z_]+)`").FindAllSubmatch(row, -1) {
			inReadme = append(inReadme, string(name[1]))
		}
	}
	for _, list := range []*[]string{&inCode, &inReadme} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	for _, name := range inCode {
		if !slices.Contains(inReadme, name) {
			t.Errorf("the README does not say what %s is", name)
		}
	}
	for _, name := range inReadme {
		if !slices.Contains(inCode, name) {
			t.Errorf("the README names %s, which no function reads", name)
		}
	}
}
