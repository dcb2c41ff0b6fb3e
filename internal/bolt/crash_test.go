package bolt_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"tidings/internal/bolt"
	"tidings/internal/table"
)

var crashKeys = [2]table.Key{{PK: "p", SK: "first"}, {PK: "q", SK: "second"}}

// TestCrash kills a process in the middle of its writes, again and again on one file: what it was told is
// written is there, and no write is there by half. Not even without syncing may the death of the process lose
// anything (that of the machine may, then).
func TestCrash(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]bolt.Option{"sync": nil, "no sync": {bolt.NoSync()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "table.db")
			last := 0
			for _, after := range []int{1, 3, 20, 7, 50} {
				last = writeAndDie(t, path, name, after)
				checkCrashed(t, path, opts, last)
			}
			if last < 81 {
				t.Errorf("%d writes in all", last)
			}
		})
	}
}

// writeAndDie runs this test's binary as a writer, kills it after some writes, and returns the last one that it
// reported.
func writeAndDie(t *testing.T, path, mode string, after int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashWriter$")
	cmd.Env = append(os.Environ(), "TIDINGS_CRASH="+path, "TIDINGS_CRASH_MODE="+mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last, lines := 0, bufio.NewScanner(out)
	for range after {
		if !lines.Scan() {
			t.Fatal("the writer ended by itself")
		}
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it reported before it died
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			last = n
		}
	}
	cmd.Wait() // answers that it was killed
	return last
}

func checkCrashed(t *testing.T, path string, opts []bolt.Option, last int) {
	t.Helper()
	s, err := bolt.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := s.BatchGet(t.Context(), crashKeys[:])
	if err != nil {
		t.Fatal(err)
	}
	first, second := found[crashKeys[0]]["n"], found[crashKeys[1]]["n"]
	if first != second || first.(int64) < int64(last) || first.(int64) > int64(last)+1 {
		t.Errorf("items at %v and %v, %d was reported", first, second, last)
	}
	page, err := s.Query(t.Context(), table.Query{Index: table.Audience, Partition: "A", Limit: 10})
	if err != nil || len(page.Items) != 1 || page.Items[0]["ask"] != fmt.Sprint(first) {
		t.Errorf("index: %v, %v, want one entry at %v", page.Items, err, first)
	}
}

// TestCrashWriter is the process that TestCrash kills; on its own it does nothing.
func TestCrashWriter(t *testing.T) {
	path := os.Getenv("TIDINGS_CRASH")
	if path == "" {
		t.Skip("only TestCrash runs it")
	}
	var opts []bolt.Option
	if os.Getenv("TIDINGS_CRASH_MODE") == "no sync" {
		opts = append(opts, bolt.NoSync())
	}
	s, err := bolt.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.BatchGet(t.Context(), crashKeys[:1])
	if err != nil {
		t.Fatal(err)
	}
	n, _ := found[crashKeys[0]]["n"].(int64)
	for {
		n++
		if _, err := s.Write(t.Context(), table.Update(crashKeys[0], table.Add("n", 1), table.Set("apk", "A"), table.Set("ask", fmt.Sprint(n))),
			table.Update(crashKeys[1], table.Add("n", 1))); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n)
	}
}
