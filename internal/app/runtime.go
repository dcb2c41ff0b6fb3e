// Package app is where everything meets: it reads each function's configuration once per cold start, builds the clients
// and wires adapters, stores, domain and handlers into the eight functions. It exists so that Lambda, the local stack
// and the tests build the very same functions and differ only in the Runtime they pass.
package app

import (
	"context"
	"log/slog"
	"time"

	"tidings/internal/delivery"
	"tidings/internal/ses"
	"tidings/internal/table"
)

// A Function is what Lambda invokes: an event in JSON, an answer in JSON. It has lambda.Handler's shape.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// A Build makes a function from its runtime. The eight of them are Signup, Preferences, Content, Editor, Compose,
// Dispatch, Deliver and Feedback.
type Build func(ctx context.Context, rt *Runtime) (Function, error)

// A Runtime is the world around a function: AWS's in Lambda, one process in the local stack.
type Runtime struct {
	Environ map[string]string // configuration, as of os.Environ
	Log     *slog.Logger
	Version string // of the build, for /healthz

	Now   func() time.Time                                 // the clock that schedules, tokens and leases follow
	Sleep func(ctx context.Context, d time.Duration) error // on the same clock; returns early with ctx's error
	NewID func() string                                    // a new ULID, in lower case, made from Now

	// Connections to what lies outside. Lambda's are made from the SDK's default configuration.
	Table     func(name string) table.Table
	Queue     func(url string) Queue
	Measured  func(url string) delivery.Measured
	Scheduler func(Schedules) Scheduler
	SES       func() *ses.Client                                     // SESv2 behind AWS_ENDPOINT_URL_SESV2, or AWS's own
	Parameter func(ctx context.Context, name string) ([]byte, error) // a secret, decrypted
}

// A Queue takes messages for one function.
type Queue interface {
	// Send puts a message in the queue; it becomes visible after delay (0 to 15 minutes, whole seconds).
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// A Scheduler invokes dispatch with a payload at its time. Names are [0-9a-zA-Z-_.]{1,64}.
type Scheduler interface {
	// Once invokes dispatch once, at a time in UTC, whole seconds. An existing schedule of the name is replaced.
	Once(ctx context.Context, name string, at time.Time, payload []byte) error
	// EveryMinute invokes dispatch each minute until Delete. It is no error when it exists already.
	EveryMinute(ctx context.Context, name string, payload []byte) error
	// Delete removes a schedule; it is no error when there is none.
	Delete(ctx context.Context, name string) error
}
