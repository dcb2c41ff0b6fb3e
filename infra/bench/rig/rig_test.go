package rig

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/store"
)

// TestMain makes this program a function too: the rig starts it as one, with the environment that Lambda gives.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(func(ctx context.Context, in map[string]string) (map[string]string, error) {
			switch in["do"] {
			case "fail":
				return nil, errors.New("as told")
			case "die":
				os.Exit(3)
			case "hang":
				<-ctx.Done()
				time.Sleep(time.Minute)
			}
			deadline, _ := ctx.Deadline()
			return map[string]string{"table": os.Getenv("TABLE_NAME"), "left": time.Until(deadline).Truncate(time.Second).String()}, nil
		})
		return
	}
	os.Exit(m.Run())
}

// newPool returns a pool of sandboxes in which this program is the function deliver.
func newPool(t *testing.T, sandboxes int, timeout time.Duration) *pool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path, err := template.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := template.Read(path, parameters)
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{
		Config:   Config{Binaries: map[string]string{"deliver": self}, Output: &bytes.Buffer{}, Log: slog.New(slog.DiscardHandler)},
		Template: tpl, TableName: "a-table", NewID: app.IDs(time.Now), use: map[string]Use{}, pools: map[string]*pool{},
	}
	p := r.newPool("deliver", sandboxes)
	p.timeout = timeout
	r.pools["deliver"] = p
	t.Cleanup(p.stop)
	return p
}

func TestInvocations(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, time.Minute)
	for range 3 {
		out, err := p.rig.Invoke(t.Context(), "deliver", []byte(`{}`))
		if err != nil || string(out) != `{"left":"59s","table":"a-table"}` {
			t.Fatalf("%s, %v", out, err)
		}
	}
	if _, err := p.invoke(t.Context(), []byte(`{"do":"fail"}`)); err == nil || !strings.Contains(err.Error(), "as told") {
		t.Errorf("a failure is told as %v", err)
	}
	if _, err := p.rig.Invoke(t.Context(), "unknown", nil); err == nil {
		t.Error("an unknown function was invoked")
	}
	if p.rig.Count("deliver invocations") != 4 || p.rig.Use("deliver").Processes != 0 {
		t.Errorf("%d invocations; a process has ended although it did nothing wrong", p.rig.Count("deliver invocations"))
	}
}

func TestDeath(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 10*time.Second)
	var kills atomic.Int64
	p.rig.Began = func(box *Process, payload []byte) {
		if bytes.Contains(payload, []byte("hang")) {
			kills.Add(1)
			time.AfterFunc(100*time.Millisecond, box.Kill)
		}
	}
	for _, do := range []string{"die", "hang", "die"} {
		if _, err := p.invoke(t.Context(), []byte(`{"do":"`+do+`"}`)); !errors.Is(err, errDied) {
			t.Fatalf("%s: %v", do, err)
		}
		if _, err := p.invoke(t.Context(), []byte(`{}`)); err != nil {
			t.Fatalf("after %s: %v", do, err)
		}
	}
	use := p.rig.Use("deliver")
	if use.Processes != 3 || use.CPU <= 0 || use.Peak < 1<<20 || kills.Load() != 1 {
		t.Errorf("%+v, %d kills", use, kills.Load())
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 300*time.Millisecond)
	if _, err := p.invoke(t.Context(), []byte(`{"do":"hang"}`)); err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Errorf("%v", err)
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	raw, err := app.NewKeys(bytes.NewReader(bytes.Repeat([]byte{7}, 200)))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := app.ParseKeys(raw)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 16, 0, 0, 0, time.UTC)
	emails, err := Crowd(t.Context(), db, keys.Identity, now, crowdPage+50)
	if err != nil || len(emails) != crowdPage+50 {
		t.Fatalf("%d people, %v", len(emails), err)
	}
	people := store.Subscribers{Table: db}
	found := map[string]bool{}
	for p := range 64 {
		ids, err := people.Mailable(t.Context(), p, "", 2*crowdPage)
		if err != nil {
			t.Fatal(err)
		}
		many, err := people.GetMany(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for id, s := range many {
			if s.ID != id || !s.ConfirmedAt.Before(now) || s.Name == "" {
				t.Fatalf("subscriber %+v", s)
			}
			found[s.Email] = true
		}
	}
	if len(found) != len(emails) {
		t.Errorf("the index has %d people, want %d", len(found), len(emails))
	}
	start, err := Schedule(t.Context(), store.Digests{Table: db, Now: func() time.Time { return now }, NewID: app.IDs(time.Now)})
	if err != nil || !bytes.Contains(start, []byte(Digest)) {
		t.Errorf("%s, %v", start, err)
	}
}
