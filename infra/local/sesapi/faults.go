package sesapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/internal/fault"
)

// Operations, as SES names them.
const (
	SendEmail     = "SendEmail"
	SendBulkEmail = "SendBulkEmail"
	GetAccount    = "GetAccount"
)

// Kinds of faults.
const (
	FaultError = "error"     // refused with the error code Code (default InternalServiceErrorException, a 500); nothing is accepted
	FaultReset = "reset"     // the connection is closed without an answer; nothing is accepted
	FaultDrop  = "drop"      // accepted, then the connection is closed without an answer
	FaultLate  = "late"      // accepted at once, answered after Delay
	FaultSlow  = "slow"      // accepted after Delay, and answered then: a client that gave up does not know
	FaultEntry = "entry"     // SendBulkEmail: the entries at Indexes (all when empty) get Status; with Accept they are accepted all the same
	FaultMute  = "no-events" // accepted and answered, but none of its events is published
)

var faultKinds = []string{FaultError, FaultReset, FaultDrop, FaultLate, FaultSlow, FaultEntry, FaultMute}

// bulkStatuses are SES's statuses of an entry (sesv2/types.BulkEmailStatus).
var bulkStatuses = map[string]string{
	"SUCCESS":                          "",
	"MESSAGE_REJECTED":                 "The message contains invalid content.",
	"MAIL_FROM_DOMAIN_NOT_VERIFIED":    "The MAIL FROM domain is not verified.",
	"CONFIGURATION_SET_NOT_FOUND":      "The configuration set does not exist.",
	"TEMPLATE_NOT_FOUND":               "The template does not exist.",
	"ACCOUNT_SUSPENDED":                "The account's ability to send email is permanently restricted.",
	"ACCOUNT_THROTTLED":                "Maximum sending rate exceeded.",
	"ACCOUNT_DAILY_QUOTA_EXCEEDED":     "Daily message quota exceeded.",
	"INVALID_SENDING_POOL_NAME":        "The sending pool does not exist.",
	"ACCOUNT_SENDING_PAUSED":           "Email sending is paused for the account.",
	"CONFIGURATION_SET_SENDING_PAUSED": "Email sending is paused for the configuration set.",
	"INVALID_PARAMETER":                "One or more parameters are invalid.",
	"TRANSIENT_FAILURE":                "A temporary failure occurred. Try again later.",
	"FAILED":                           "The message could not be sent.",
}

// A Fault makes calls fail. Op, To and After choose the calls, Count says how many of them.
//
//	{"kind":"error","op":"SendBulkEmail","code":"TooManyRequestsException","count":3}
//	{"kind":"entry","indexes":[0,7],"status":"FAILED","accept":true,"count":1}
//	{"kind":"drop","after":10,"count":1}
//	{"kind":"error","code":"BadRequestException","to":"ana@example.com"}
type Fault struct {
	Kind    string   `json:"kind"`
	Op      string   `json:"op,omitempty"`      // empty: SendEmail and SendBulkEmail, for entry only the latter
	To      string   `json:"to,omitempty"`      // only calls with this recipient
	After   int      `json:"after,omitempty"`   // so many calls pass first
	Count   int      `json:"count,omitempty"`   // so many calls fail; 0: all, until the faults are changed
	Code    string   `json:"code,omitempty"`    // of error
	Status  string   `json:"status,omitempty"`  // of entry; default FAILED
	Indexes []int    `json:"indexes,omitempty"` // of entry, from 0
	Accept  bool     `json:"accept,omitempty"`  // of entry
	Delay   Duration `json:"delay,omitzero"`    // of late and slow, on the stack's clock
}

func (f Fault) check() error {
	bad := func(format string, args ...any) error { return fault.Field(fault.Invalid, "faults", format, args...) }
	_, knownCode := statuses[f.Code]
	_, knownStatus := bulkStatuses[f.Status]
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return bad("A fault's kind is one of %s.", strings.Join(faultKinds, ", "))
	case f.Op != "" && f.Op != SendEmail && f.Op != SendBulkEmail && f.Op != GetAccount:
		return bad("A fault's op is SendEmail, SendBulkEmail or GetAccount, or left out for both sends.")
	case f.After < 0 || f.Count < 0:
		return bad("A fault's after and count are not negative.")
	case f.Code != "" && (f.Kind != FaultError || !knownCode):
		return bad("A code is for the kind error, and one of %s.", strings.Join(slices.Sorted(maps.Keys(statuses)), ", "))
	case (f.Status != "" || len(f.Indexes) > 0 || f.Accept) && f.Kind != FaultEntry:
		return bad("Status, indexes and accept are for the kind entry.")
	case f.Status != "" && !knownStatus:
		return bad("A status is one of %s.", strings.Join(slices.Sorted(maps.Keys(bulkStatuses)), ", "))
	case f.Kind == FaultEntry && f.Op != "" && f.Op != SendBulkEmail:
		return bad("Only SendBulkEmail has entries.")
	case slices.ContainsFunc(f.Indexes, func(i int) bool { return i < 0 || i >= maxEntries }):
		return bad("Indexes are from 0 to %d.", maxEntries-1)
	case (f.Delay > 0) != (f.Kind == FaultLate || f.Kind == FaultSlow):
		return bad("A delay is for the kinds late and slow, which need one.")
	}
	return nil
}

// takeFault returns the fault that is to happen to a call, of kind "" when there is none, and the latency.
func (s *Server) takeFault(op string, to []string) (Fault, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	latency := time.Duration(s.settings.Latency)
	for i := range s.settings.Faults {
		f := &s.settings.Faults[i]
		if !f.matches(op, to) {
			continue
		}
		if f.After > 0 {
			f.After--
			s.keepFaults()
			continue
		}
		hit := *f
		if f.Count == 1 {
			s.settings.Faults = slices.Delete(s.settings.Faults, i, i+1)
		} else if f.Count > 1 {
			f.Count--
		}
		if hit.Count > 0 {
			s.keepFaults()
		}
		return hit, latency
	}
	return Fault{}, latency
}

// keepFaults keeps what is left of the faults, so that one that was used up does not happen again after a restart.
func (s *Server) keepFaults() {
	if err := s.journal.settings(s.settings); err != nil {
		s.Log.Error("faults not kept", "error", err)
	}
}

func (f Fault) matches(op string, to []string) bool {
	switch {
	case f.Op == "" && (op == GetAccount || f.Kind == FaultEntry && op != SendBulkEmail):
		return false
	case f.Op != "" && f.Op != op:
		return false
	}
	return f.To == "" || slices.ContainsFunc(to, func(a string) bool { return strings.EqualFold(a, f.To) })
}

// apiError returns what a fault of kind error answers.
func (f Fault) apiError() *apiError {
	if f.Code == "" {
		return errorOf("InternalServiceErrorException")
	}
	return errorOf(f.Code)
}

// hits reports whether a fault of kind entry is about the entry at an index.
func (f Fault) hits(i int) bool {
	return f.Kind == FaultEntry && (len(f.Indexes) == 0 || slices.Contains(f.Indexes, i))
}

// entry returns an entry's status under a fault that hits it, and whether it is accepted.
func (f Fault) entry() (status string, accept bool) {
	if f.Status == "" {
		return "FAILED", f.Accept
	}
	return f.Status, f.Accept || f.Status == "SUCCESS"
}
