package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asCommand, in the environment, makes this test's binary the command: what is killed has to be a process.
const asCommand = "TIDINGS_TEST_AS_LOCAL"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// A process is the command, running; the world knows its addresses only.
type process struct {
	*world
	cmd *exec.Cmd
}

var addresses = regexp.MustCompile(`(?s)site +(http://\S+)/ .*inbox +(http://\S+)/ `)

// startProcess starts the command on free ports.
func startProcess(t *testing.T, data string) *process {
	t.Helper()
	const free = "127.0.0.1:0"
	p := &process{world: &world{T: t, logs: &buffer{}, invoked: &buffer{}}}
	p.cmd = exec.Command(os.Args[0], "-http", free, "-inbox", free, "-ses", free, "-oidc", free, "-data", data, "-dynamodb", os.Getenv("TIDINGS_DYNAMODB"))
	p.cmd.Env = append(os.Environ(), asCommand+"=1")
	out := &buffer{}
	p.cmd.Stdout, p.cmd.Stderr = out, p.logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of a process:\n%s", p.logs)
		}
	})
	for limit := time.After(20 * time.Second); !strings.Contains(out.String(), "Ctrl-C ends it"); {
		select {
		case <-limit:
			t.Fatalf("no banner after 20 s:\n%s\n%s", out, p.logs)
		case <-time.After(5 * time.Millisecond):
		}
	}
	at := addresses.FindStringSubmatch(out.String())
	if at == nil {
		t.Fatalf("no addresses in %s", out)
	}
	p.Stack = &Stack{Site: at[1], Inbox: at[2]}
	return p
}

// kill is SIGKILL. It waits until the process is gone and its files are free.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// TestKilledWhileSending kills the command in the middle of a digest, twice, and reads nothing but the inbox at the end: everyone has
// one mail in it.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := newWorld(t, data, nil)
	emails := w.crowd(300)
	id := w.newDigest(w.sampleArticle())
	w.do("PUT", w.Inbox+"/api/ses", []byte(`{"maxSendRate":150}`)).want(t, 200)
	w.stop()

	p := startProcess(t, data)
	p.editor("POST", "/digests/"+id+"/schedule", map[string]any{"now": true}).want(t, 200)
	seen := p.until(40)
	p.kill()
	p = startProcess(t, data)
	n := len(p.mails(""))
	if n < seen || n == len(emails) {
		t.Fatalf("%d mails after the kill, %d before it", n, seen)
	}
	go http.Post(p.Inbox+"/api/clock", "application/json", strings.NewReader(`{"advance":"10m"}`)) // leases of the dead, and the grace
	seen = p.until(n + 100)
	p.kill()
	p = startProcess(t, data)
	if m := len(p.mails("")); m < seen {
		t.Fatalf("%d mails after the second kill, %d before it", m, seen)
	} else {
		t.Logf("%d mails at the first kill, %d at the second", n, m)
	}
	var d digestJSON
	for range 60 {
		if d = p.digest(id); d.Status == "sent" {
			break
		}
		p.advance(time.Minute)
	}
	p.advance(time.Minute) // the last Delivery events are not what a digest waits for
	d = p.digest(id)
	if g := d.Progress; d.Status != "sent" || g.Audience != 300 || g.Accepted != 300 || g.Delivered != 300 || g.Duplicates != 0 {
		t.Errorf("digest %+v", d)
	}
	count := map[string]int{}
	for _, m := range p.mails("") {
		count[m.To[0]]++
	}
	for _, email := range emails {
		if count[email] != 1 {
			t.Errorf("%s has %d mails", email, count[email])
		}
	}
	p.clean(emails[0], emails[299])
	p.do("DELETE", p.Inbox+"/api/messages", nil).want(t, 204)
	p.kill()
	if last := startProcess(t, data); len(last.mails("")) != 0 {
		t.Errorf("%d mails that were deleted", len(last.mails("")))
	}
}

// until waits until so many mails are in the inbox, and returns how many there are.
func (p *process) until(n int) int {
	p.Helper()
	for limit := time.After(20 * time.Second); ; {
		if got := len(p.mails("")); got >= n {
			return got
		}
		select {
		case <-limit:
			p.Fatalf("after 20 s there are not %d mails", n)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestTemporaryDataKeepsNoMails: a folder that is removed at the end would only cost.
func TestTemporaryDataKeepsNoMails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.subscribe("ada@example.org")
	if _, err := os.Stat(w.data.file("mails.jsonl")); !os.IsNotExist(err) {
		t.Errorf("the journal of a temporary folder: %v", err)
	}
}

// TestBrokenMailsAreNamed checks what is said about a journal that cannot be read.
func TestBrokenMailsAreNamed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.WriteFile(data+"/mails.jsonl", []byte("ada@example.org\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	const free = "127.0.0.1:0"
	code := run(t.Context(), []string{"-http", free, "-inbox", free, "-ses", free, "-oidc", free, "-data", data}, io.Discard, &errs)
	if said := errs.String(); code != 1 || !strings.Contains(said, "mails.jsonl, line 1") || strings.Contains(said, "ada@") {
		t.Errorf("exit %d: %s", code, said)
	}
}
