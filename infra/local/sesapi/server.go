// Package sesapi is Amazon SES on this machine: an HTTP server that speaks the SESv2 REST API (SendEmail, SendBulkEmail with inline
// templates, GetAccount) as the AWS SDK does. It exists so that the local stack and the tests meet what makes sending hard in AWS:
// rates and quotas that count recipients, errors in SES's own codes, signatures that expire, mail that is accepted and then dropped,
// events that come by another way, and answers that get lost. It leaves nothing out in silence: what it does not support it refuses.
//
// Mails that it accepts stay in memory, for the inbox (Find, Mail, Clear). They share their template and are rendered when
// somebody looks, so that a digest to 50,000 people costs little more than their addresses. With Keep they are in a file too before
// their call is answered, and so are the use of the quota and the settings: a process that is killed and started again goes on with them.
package sesapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// maxBody is the largest request that is read: SES takes messages of 40 MB, which are longer in base64.
const maxBody = 64 << 20

// A Config is what the stack gives. Now, Sleep, NewID and Log are needed.
type Config struct {
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	NewID func() string // unique, and fit for a URL's path
	Log   *slog.Logger

	// Publish takes SES's events as EventBridge envelopes, those of one call together. Without it there are none.
	Publish func(ctx context.Context, events ...[]byte) error
	// Begin marks a call as work in flight until its end, also when its client has gone meanwhile. Optional.
	Begin func(ctx context.Context) (_ context.Context, end func())
	// ConfigurationSets holds each configuration set's MatchingEventTypes in SES's spelling (SEND, RENDERING_FAILURE …): only
	// these are published. Without the map every set exists and publishes everything.
	ConfigurationSets map[string][]string
	Region, Account   string // of the events; "us-east-1" and "000000000000" when empty
}

// A Server is the local SES. It is safe for concurrent use.
type Server struct {
	Config
	life    context.Context // ends with Close
	stop    context.CancelFunc
	box     box
	limits  limits
	journal *journal // nil: nothing is kept

	mu       sync.Mutex
	settings Settings
}

// New returns a server with DefaultSettings.
func New(c Config) *Server {
	if c.Publish == nil {
		c.Publish = func(context.Context, ...[]byte) error { return nil }
	}
	if c.Begin == nil {
		c.Begin = func(ctx context.Context) (context.Context, func()) { return ctx, func() {} }
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Account == "" {
		c.Account = "000000000000"
	}
	s := &Server{Config: c, settings: DefaultSettings()}
	s.life, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends calls that sleep (latency, delays), unanswered.
func (s *Server) Close() { s.stop() }

// ops are the operations by method and path (sesv2's REST bindings).
var ops = map[string]string{
	"POST /v2/email/outbound-emails":      SendEmail,
	"POST /v2/email/outbound-bulk-emails": SendBulkEmail,
	"GET /v2/email/account":               GetAccount,
}

// ServeHTTP answers one call. Its effect does not depend on whether the client still waits: SES does what it was asked.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", s.NewID())
	op, known := ops[r.Method+" "+r.URL.Path]
	if !known {
		writeError(w, unknownOperation())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeError(w, badRequest("The request could not be read, or is larger than %d bytes.", maxBody))
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	ctx, end := s.Begin(ctx)
	defer end()
	s.answer(ctx, w, r, op, body)
}

// answer does one call with the faults that are set for it.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, op string, body []byte) {
	call := parseCall(op, body)
	f, latency := s.takeFault(op, call.recipients())
	if f.Kind == FaultReset {
		abort()
	}
	if f.Kind == FaultSlow {
		latency += time.Duration(f.Delay)
	}
	s.sleep(ctx, latency)
	// After the wait: a signature is judged when the call takes effect, however long it was on its way.
	if err := checkSignature(r, s.Now()); err != nil {
		writeError(w, err)
		return
	}
	if f.Kind == FaultError {
		writeError(w, f.apiError())
		return
	}
	out, err := call.do(ctx, s, f)
	switch f.Kind {
	case FaultDrop:
		abort()
	case FaultLate:
		s.sleep(ctx, time.Duration(f.Delay))
	}
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// sleep waits on the stack's clock; the server's end is the connection's too.
func (s *Server) sleep(ctx context.Context, d time.Duration) {
	if d > 0 && s.Sleep(ctx, d) != nil {
		abort()
	}
}

// abort closes the connection without an answer.
func abort() { panic(http.ErrAbortHandler) }
