package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Process is one sandbox of a function: it takes an invocation at a time, from its start to its end.
type Process struct {
	Function string

	rig    *Rig
	server *http.Server
	cmd    *exec.Cmd
	next   chan *invocation
	failed chan error    // what /init/error said
	exited chan struct{} // closed when the process has ended and been waited for

	peak atomic.Int64 // bytes of resident memory, read before it is killed

	mu   sync.Mutex
	work *invocation // nil between invocations
}

// An invocation is one event on its way through a process.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan outcome
}

type outcome struct {
	answer []byte
	err    error
}

var errDied = errors.New("the process ended before it answered")

// start starts a process with an address of its own, at which it finds the Runtime API and all services.
func (r *Rig) start(function string) (*Process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", function, err)
	}
	p := &Process{
		Function: function, rig: r, next: make(chan *invocation), failed: make(chan error, 1), exited: make(chan struct{}),
		cmd: exec.Command(r.Binaries[function]),
	}
	p.server = &http.Server{Handler: p.front(), ErrorLog: quiet}
	p.cmd.Env = r.environ(function, l.Addr().String())
	p.cmd.Stdout, p.cmd.Stderr = r.Output, r.Output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that dies leaves nothing behind
	go p.server.Serve(l)
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", function, err), p.server.Close())
	}
	go p.wait()
	return p, nil
}

// wait reaps the process and counts what it used.
func (p *Process) wait() {
	p.cmd.Wait() // killed or ended: no answer tells either
	p.rig.used(p.Function, p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime(), p.peak.Load())
	close(p.exited)
	p.server.Close()
}

// Kill ends the process with SIGKILL and returns when it is gone. What it had asked of a service happens all the same.
func (p *Process) Kill() {
	p.peak.Store(highWater(p.cmd.Process.Pid))
	p.cmd.Process.Kill()
	<-p.exited
}

// highWater reads VmHWM of /proc/<pid>/status, in bytes (proc(5)); 0 when the process has gone. getrusage's ru_maxrss would not do: it
// survives exec, and so begins with what this process has.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseInt(kb, 10, 64)
	return n << 10
}

// Event is what the process works on, nil between invocations.
func (p *Process) Event() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.work == nil {
		return nil
	}
	return p.work.payload
}

// invoke has the process work on an event. A process that takes longer than the function's timeout is killed, as Lambda does.
func (p *Process) invoke(ctx context.Context, payload []byte, timeout time.Duration) ([]byte, error) {
	in := &invocation{id: p.rig.NewID(), payload: payload, deadline: time.Now().Add(timeout), done: make(chan outcome, 1)}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	p.set(in)
	defer p.set(nil)
	select {
	case p.next <- in:
	case err := <-p.failed:
		return nil, err
	case <-p.exited:
		return nil, errDied
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case out := <-in.done:
		return out.answer, out.err
	case <-p.exited:
		select {
		case out := <-in.done: // it died after it had answered
			return out.answer, out.err
		default:
			return nil, errDied
		}
	case <-limit.C:
		p.Kill()
		return nil, fmt.Errorf("%s timed out after %s", p.Function, timeout)
	}
}

func (p *Process) set(in *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work = in
}

// runtimeAPI is the Lambda Runtime API (Lambda developer guide, "Using the Lambda runtime API for custom runtimes").
func (p *Process) runtimeAPI(mux *http.ServeMux) {
	const v = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+v+"invocation/next", p.serveNext)
	mux.HandleFunc("POST "+v+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		p.finish(w, r, func(body []byte) outcome { return outcome{answer: body} })
	})
	mux.HandleFunc("POST "+v+"invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		p.finish(w, r, func(body []byte) outcome { return outcome{err: fmt.Errorf("%s failed: %s", p.Function, body)} })
	})
	mux.HandleFunc("POST "+v+"init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.failed <- fmt.Errorf("%s can't start: %s", p.Function, body)
		w.WriteHeader(http.StatusAccepted)
	})
}

func (p *Process) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case in := <-p.next:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", in.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", p.rig.Template.Functions[p.Function].ARN)
		h.Set("Content-Type", "application/json")
		w.Write(in.payload)
	case <-r.Context().Done():
	case <-p.exited:
	}
}

// finish ends the invocation that a request names.
func (p *Process) finish(w http.ResponseWriter, r *http.Request, end func(body []byte) outcome) {
	body, err := io.ReadAll(r.Body)
	p.mu.Lock()
	in := p.work
	p.mu.Unlock()
	if err != nil || in == nil || in.id != r.PathValue("id") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in.done <- end(body)
	w.WriteHeader(http.StatusAccepted)
}

// environ is a function's environment: the template's, what Lambda adds, and where the services are.
func (r *Rig) environ(function, address string) []string {
	env := maps.Clone(r.Template.Functions[function].Environ)
	env["TABLE_NAME"] = r.TableName
	if _, ok := env["INDEX_LAG"]; ok {
		env["INDEX_LAG"] = "0s" // DynamoDB Local writes its indexes with the item
	}
	maps.Copy(env, map[string]string{
		"AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_FUNCTION_NAME": function, "AWS_ENDPOINT_URL": "http://" + address,
		"AWS_REGION": region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "TZ": ":UTC", "PATH": os.Getenv("PATH"),
	})
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}
