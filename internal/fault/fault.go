// Package fault holds the coded errors of the domain. A fault has a code, which package web maps to
// an HTTP status in one table, and a message that is safe to show to a stranger: it never holds an
// address, a token or an internal detail. Any other error is an internal one.
package fault

import (
	"errors"
	"fmt"
)

// A Code says what kind of fault it is.
type Code string

// The codes, with the status that package web gives them.
const (
	Invalid         Code = "invalid"         // 400: the request cannot be understood or breaks a rule of form
	Unauthenticated Code = "unauthenticated" // 401: no valid sign-in
	Forbidden       Code = "forbidden"       // 403: signed in, but lacks the role
	NotFound        Code = "not-found"       // 404: no such thing, or a forged token
	Conflict        Code = "conflict"        // 409: not in this state, or someone else was faster
	Gone            Code = "gone"            // 410: expired or superseded
	Stale           Code = "stale"           // 412: If-Match names an older revision
	TooLarge        Code = "too-large"       // 413: larger than the limit
	Unsupported     Code = "unsupported"     // 415: content type not understood
	Unprocessable   Code = "unprocessable"   // 422: understood, but cannot be done
	Limited         Code = "limited"         // 429: too many requests
	Unavailable     Code = "unavailable"     // 503: try again later
)

// An Error is a fault.
type Error struct {
	Code    Code
	Message string // a sentence for people, without personal data
	// Field names the offending field of the request, where there is one.
	Field string
}

func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Field, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// New returns a fault; the message is formatted like fmt.Sprintf and must not hold personal data.
func New(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Field returns a fault about one field of the request.
func Field(code Code, field, format string, args ...any) error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of the fault in err's chain, or "" for any other error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// Is reports whether err is a fault with the code.
func Is(err error, code Code) bool { return CodeOf(err) == code }
