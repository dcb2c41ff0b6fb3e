package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// walkBlock finds the commands of the README's walk.
var walkBlock = regexp.MustCompile("(?s)<!-- walk -->\n```sh\n(.*?)```")

// TestReadmeWalk runs the README's walk as it is written, block after block in one shell, against a stack of its own. Only the two
// addresses differ. It needs bash and curl, which the stack itself does not.
func TestReadmeWalk(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "", nil)
	out := w.walk(string(readme))
	for _, tt := range []struct {
		what, text string
		count      int
	}{
		{"sign-ups", `{"status":"pending"}`, 4},
		{"confirmations", `{"status":"confirmed"}`, 3},
		{"unsubscriptions", `{"status":"unsubscribed"}`, 2},
		{"mail to ana", `"to":["ana@example.org"]`, 1},
		{"mail to ben", `"to":["ben@example.org"]`, 1},
		{"mail to cleo, twice", `"to":["cleo@example.org"]`, 2},
		{"mail to dora, who never confirmed", `"to":["dora@example.org"]`, 0},
		{"the article", `"publishedAt":"2026-11-03T`, 1},
		{"the archive", `/digests/what-we-published-in-november-`, 1},
		{"the schedule", `"status":"scheduled"`, 1},
		{"the second digest's progress", `"progress":{"audience":1,"accepted":1,`, 1},
		{"errors of the linter", `"severity":"error"`, 0},
	} {
		if n := strings.Count(out, tt.text); n != tt.count {
			t.Errorf("%s: %s stands there %d times, want %d", tt.what, tt.text, n, tt.count)
		}
	}
	if t.Failed() {
		t.Logf("the walk printed:\n%s", out)
	}
}

// walk runs the commands and returns what they print.
func (w *world) walk(readme string) string {
	w.Helper()
	blocks := walkBlock.FindAllStringSubmatch(readme, -1)
	if len(blocks) < 5 {
		w.Fatalf("the README has %d blocks of the walk", len(blocks))
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for _, b := range blocks {
		script.WriteString(b[1])
	}
	own := strings.NewReplacer(
		"http://127.0.0.1:8080", w.Site, "http://127.0.0.1:8025", w.Inbox,
		"/tmp/tidings-article.txt", filepath.Join(w.TempDir(), "tidings-article.txt"),
	).Replace(script.String())
	cmd := exec.CommandContext(w.Context(), "bash", "-c", own)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.Fatalf("the walk failed: %v\n%s\n%s", err, errs.Bytes(), out)
	}
	return string(out)
}
