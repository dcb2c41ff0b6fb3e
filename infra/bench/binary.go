package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"tidings/infra/bench/rig"
	"tidings/internal/digest"
	"tidings/internal/store"
)

// binaryPeople are few enough for DynamoDB Local, which is slow, and enough to fill a process's memory.
const binaryPeople = 20_000

// binary measures the deliver function's own binary, with the SDK and all, on DynamoDB Local.
func binary(ctx context.Context, rep *report, _ bool) error {
	url := os.Getenv("TIDINGS_DYNAMODB")
	if url == "" {
		fmt.Fprintln(os.Stderr, "bench: the binaries are left out: they need DynamoDB Local (infra/dynamodb-local.sh)")
		return nil
	}
	dir, err := os.MkdirTemp("", "tidings-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	built, err := rig.Build(ctx, dir, "dispatch", "deliver", "feedback")
	if err != nil {
		return err
	}
	r, err := rig.Open(ctx, rig.Config{
		DynamoDB: url, Dir: dir, Binaries: built, Sandboxes: map[string]int{"dispatch": 1, "deliver": 4, "feedback": 1},
		Visibility: time.Minute, Sweep: 5 * time.Second, Output: io.Discard, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return err
	}
	seconds, err := sendByBinary(ctx, r)
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	use := r.Use("deliver")
	details := map[string]any{"processes": use.Processes, "seconds": round(seconds), "invocations": r.Count("deliver invocations")}
	for _, op := range []string{"GetItem", "BatchGetItem", "Query", "UpdateItem", "PutItem", "TransactWriteItems"} {
		details[op] = r.Count("deliver dynamodb " + op)
	}
	rep.atMost(fmt.Sprintf("deliver's binary, CPU, %d mails", binaryPeople), use.CPU.Seconds()/binaryPeople*1000, 0.05, "s per 1,000 mails", details)
	rep.atMost("deliver's binary, peak resident memory", float64(use.Peak)/(1<<20), 64, "MiB", nil)
	rep.info("feedback's binary, CPU", r.Use("feedback").CPU.Seconds()/binaryPeople*1000, "s per 1,000 mails", nil)
	for name, path := range built {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		rep.atMost(name+"'s binary, size", float64(info.Size())/1e6, 15, "MB", nil)
	}
	return nil
}

// sendByBinary sends a digest and returns how long that took.
func sendByBinary(ctx context.Context, r *rig.Rig) (seconds float64, err error) {
	if _, err := r.SES.Change([]byte(`{"maxSendRate":2000,"max24HourSend":-1}`)); err != nil {
		return 0, err
	}
	if _, err := rig.Crowd(ctx, r.Table, r.Keys.Identity, time.Now(), binaryPeople); err != nil {
		return 0, err
	}
	digests := store.Digests{Table: r.Table, Now: time.Now, NewID: r.NewID}
	start, err := rig.Schedule(ctx, digests)
	if err != nil {
		return 0, err
	}
	if err := r.Start(); err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := r.Invoke(ctx, "dispatch", start); err != nil {
		return 0, err
	}
	for {
		d, err := digests.Get(ctx, rig.Digest)
		switch {
		case err != nil:
			return 0, err
		case d.Status == digest.Sent:
			return time.Since(began).Seconds(), nil
		case d.Status != digest.Sending, time.Since(began) > 5*time.Minute:
			return 0, fmt.Errorf("digest is %s: %s", d.Status, d.Reason)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
