package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"tidings/infra/bench/rig"
	"tidings/infra/local/sesapi"
	"tidings/infra/local/template"
	"tidings/internal/app"
	"tidings/internal/bolt"
	"tidings/internal/store"
)

// noQuota is an SES that is as fast as the machine. 64 shards then send at 250 a second each, a worker's own pace.
const noQuota = `{"maxSendRate":1000000,"max24HourSend":-1}`

// throughput sends real mails: the worker in a process of its own, on the embedded engine, to the local SES in this one, over HTTP.
// Events are not published: feedback's work is not the worker's.
func throughput(ctx context.Context, rep *report, big bool) error {
	sizes := []int{100_000}
	if big {
		sizes = append(sizes, 1_000_000)
	}
	for _, n := range sizes {
		if err := sendAll(ctx, rep, n); err != nil {
			return fmt.Errorf("%d mails: %w", n, err)
		}
	}
	return nil
}

func sendAll(ctx context.Context, rep *report, n int) error {
	dir, err := os.MkdirTemp("", "tidings-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := prepare(ctx, dir, n); err != nil {
		return err
	}
	mails := sesapi.New(sesapi.Config{
		Now: time.Now, NewID: app.IDs(time.Now), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	defer mails.Close()
	if _, err := mails.Change([]byte(noQuota)); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mails}
	go server.Serve(l)
	defer server.Close()
	var did done
	if err := worker(ctx, dir, "http://"+l.Addr().String(), &did); err != nil {
		return err
	}
	_, list := mails.Find(sesapi.Query{Limit: -1})
	people := map[string]bool{}
	for _, m := range list {
		people[m.To[0]] = true
	}
	if len(list) != n || len(people) != n {
		return fmt.Errorf("%d mails to %d people, want %d", len(list), len(people), n)
	}
	size := fmt.Sprintf("%d real mails", n)
	details := map[string]any{"seconds": round(did.Seconds), "cpu seconds": round(did.CPU), "shards": did.Shards}
	rep.atLeast("throughput, "+size, float64(n)/did.Seconds, 10_000, "mails/s", details)
	rep.atMost("worker's CPU, "+size+", embedded engine within", did.CPU/float64(n)*1000, 0.05, "s per 1,000 mails", nil)
	rep.info("64 workers of one process, memory, "+size, float64(did.Peak)/(1<<20), "MiB anonymous", nil)
	return nil
}

// prepare fills a folder with a list, a digest that is due, and keys.
func prepare(ctx context.Context, dir string, n int) error {
	raw, err := app.NewKeys(rand.Reader)
	if err != nil {
		return err
	}
	keys, err := app.ParseKeys(raw)
	if err != nil {
		return err
	}
	db, err := bolt.Open(filepath.Join(dir, "table.db"), bolt.NoSync())
	if err != nil {
		return err
	}
	_, err = rig.Crowd(ctx, db, keys.Identity, time.Now(), n)
	if err == nil {
		_, err = rig.Schedule(ctx, store.Digests{Table: db, Now: time.Now, NewID: app.IDs(time.Now)})
	}
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "keys.json"), raw, 0o600), db.Close())
}

// worker runs the worker's process and reads what it did.
func worker(ctx context.Context, dir, ses string, did *done) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	path, err := template.Find(".")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-worker", dir, "-ses", ses)
	cmd.Dir, cmd.Stderr = filepath.Dir(path), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return json.Unmarshal(out, did)
}
