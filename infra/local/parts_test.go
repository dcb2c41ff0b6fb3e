package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"tidings/infra/local/clock"
	"tidings/infra/local/template"
	"tidings/internal/article"
	"tidings/internal/bolt"
	"tidings/internal/store"
)

func TestListen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for addr, want := range map[string]string{
		l.Addr().String(): "-inbox " + l.Addr().String() + ": the port is taken",
		"0.0.0.0:0":       "loopback only",
		":0":              "loopback only",
		"192.0.2.1:0":     "loopback only",
		"8080":            "-inbox 8080: give an address",
		"127.0.0.1:99999": "-inbox 127.0.0.1:99999",
	} {
		_, err := listen("inbox", addr)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", addr, err, want)
		}
	}
	ok, err := listen("inbox", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ok.Close()
}

// TestRunRefuses checks what the command says before anything runs.
func TestRunRefuses(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for name, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"port":     {[]string{"-http", l.Addr().String()}, "tidings: -http " + l.Addr().String() + ": the port is taken", 1},
		"flag":     {[]string{"-nonsense"}, "-nonsense", 2},
		"argument": {[]string{"start"}, `"start"`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			if code := run(t.Context(), c.args, &out, &errs); code != c.code || !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
				t.Errorf("exit %d, %q, %q", code, out.String(), errs.String())
			}
		})
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/new/folder"
	d, err := openData(path, func() string { return "one" })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.change(func(s *state) { s.Offset = time.Hour }); err != nil {
		t.Fatal(err)
	}
	first, err := d.once("keys.json", func() ([]byte, error) { return []byte("first"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	again, err := openData(path, func() string { return "two" })
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.once("keys.json", func() ([]byte, error) { return []byte("second"), nil })
	if want := (state{Table: "tidings-one", Offset: time.Hour}); again.get() != want || string(second) != string(first) || err != nil {
		t.Errorf("after a restart: %+v, keys %q, %v", again.get(), second, err)
	}
	if err := os.WriteFile(again.file("state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openData(path, nil); err == nil || !strings.Contains(err.Error(), "state.json") {
		t.Errorf("a broken state: %v", err)
	}
}

func TestTemporaryData(t *testing.T) {
	t.Parallel()
	d, err := openData("", func() string { return "x" })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}

type fn func(ctx context.Context, payload []byte) ([]byte, error)

func (f fn) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

func TestFunctions(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	clk := clock.New(time.Now, 0)
	f := newFunctions(clk, slog.New(slog.NewJSONHandler(&log, nil)))
	busy := 0
	f.all["echo"] = function{fn(func(_ context.Context, p []byte) ([]byte, error) { busy = clk.Busy(); return p, nil }), time.Minute}
	f.all["slow"] = function{fn(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }), time.Millisecond}
	f.all["bad"] = function{fn(func(context.Context, []byte) ([]byte, error) { panic("with ada@example.org in hand") }), time.Minute}
	if out, err := f.Invoke(t.Context(), "echo", []byte("x")); err != nil || string(out) != "x" || busy != 1 || clk.Busy() != 0 {
		t.Errorf("echo: %q, %v; busy %d in it, %d after it", out, err, busy, clk.Busy())
	}
	if _, err := f.Invoke(t.Context(), "slow", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v", err)
	}
	_, err := f.Invoke(t.Context(), "bad", nil)
	if err == nil || strings.Contains(err.Error()+log.String(), "ada@") || !strings.Contains(log.String(), "TestFunctions") || clk.Busy() != 0 {
		t.Errorf("bad: %v, log %s", err, log.String())
	}
	if _, err := f.Invoke(t.Context(), "none", nil); err == nil {
		t.Error("a function that there is not was invoked")
	}
}

// TestStop checks that invocations are finished, until patience ends.
func TestStop(t *testing.T) {
	t.Parallel()
	f := newFunctions(clock.New(time.Now, 0), slog.New(slog.DiscardHandler))
	begun := make(chan struct{})
	f.all["stubborn"] = function{fn(func(ctx context.Context, _ []byte) ([]byte, error) { close(begun); <-ctx.Done(); return nil, ctx.Err() }), time.Hour}
	ended := make(chan error, 1)
	go func() { _, err := f.Invoke(context.Background(), "stubborn", nil); ended <- err }()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	f.stop(ctx)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the invocation ended with %v", err)
	}
	if _, err := f.Invoke(t.Context(), "stubborn", nil); !errors.Is(err, errStopping) {
		t.Errorf("after the stop: %v", err)
	}
}

// TestSamples loads the sample articles twice, as two starts would that did not remember: they are there once.
func TestSamples(t *testing.T) {
	t.Parallel()
	tbl, err := bolt.Open(t.TempDir()+"/table.db", bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	defer tbl.Close()
	for range 2 {
		if err := loadSamples(t.Context(), tbl, time.Now); err != nil {
			t.Fatal(err)
		}
	}
	l, err := (store.Articles{Table: tbl, Now: time.Now}).List(t.Context(), article.StatusPublished, "", 100)
	if err != nil || len(l.Items) < 3 {
		t.Errorf("%d articles, %v", len(l.Items), err)
	}
	for _, c := range l.Items {
		if c.Title == "" || c.Summary == "" || c.PublishedAt.IsZero() {
			t.Errorf("sample %+v", c)
		}
	}
}

// TestBuilds checks that what the template names is in the code, and the other way round.
func TestBuilds(t *testing.T) {
	t.Parallel()
	s := &Stack{Site: "http://127.0.0.1:8080", Inbox: "http://127.0.0.1:8025", Issuer: "http://127.0.0.1:8090/oidc"}
	path, err := template.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := template.Read(path, s.parameters(nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range tmpl.Functions {
		if builds[name] == nil {
			t.Errorf("function %s of the template is not in the code", name)
		}
		if lag, ok := environ(f)["INDEX_LAG"]; ok && lag != "0s" {
			t.Errorf("%s waits %s for an index that does not lag", name, lag)
		}
	}
	if len(builds) != len(tmpl.Functions) {
		t.Errorf("%d functions in the code, %d in the template", len(builds), len(tmpl.Functions))
	}
	s.template = tmpl
	if got := s.functionOf(tmpl.Functions["dispatch"].Environ["DISPATCH_ARN"]); got != "dispatch" {
		t.Errorf("schedules invoke %q", got)
	}
}
