package sesapi

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// An apiError is an answer of SES that is not a success: restJson1 carries the code in a header and the message in the body.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// statuses are the HTTP statuses of SESv2's error codes (API reference, common errors included), with the message that SES is known
// to send where one is.
var statuses = map[string]apiError{
	"AccountSuspendedException":          {400, "", "The message can't be sent because the account's ability to send email has been permanently restricted."},
	"BadRequestException":                {400, "", "The input you provided is invalid."},
	"InternalFailure":                    {500, "", "The request processing has failed because of an unknown error."},
	"InternalServiceErrorException":      {500, "", "Internal service error."},
	"InvalidSignatureException":          {403, "", "The request signature does not match."},
	"LimitExceededException":             {400, "", "Daily message quota exceeded."},
	"MailFromDomainNotVerifiedException": {400, "", "The message can't be sent because the sending domain isn't verified."},
	"MessageRejected":                    {400, "", "The message can't be sent because it contains invalid content."},
	"NotFoundException":                  {404, "", "The resource you attempted to access doesn't exist."},
	"SendingPausedException":             {400, "", "The message can't be sent because the account's ability to send email is currently paused."},
	"ServiceUnavailable":                 {503, "", "The request has failed due to a temporary failure of the server."},
	"ThrottlingException":                {400, "", "Rate exceeded"},
	"TooManyRequestsException":           {429, "", "Maximum sending rate exceeded."},
}

// errorOf returns the error of a code with its usual message.
func errorOf(code string) *apiError {
	e := statuses[code]
	e.code = code
	return &e
}

// badRequest holds what is wrong, and nothing of what was sent: SES's clients log its messages.
func badRequest(format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, "BadRequestException", fmt.Sprintf(format, args...)}
}

func forbidden(code, format string, args ...any) *apiError {
	return &apiError{http.StatusForbidden, code, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError {
	return &apiError{http.StatusNotFound, "NotFoundException", fmt.Sprintf(format, args...)}
}

func unknownOperation() *apiError {
	return &apiError{http.StatusNotFound, "UnknownOperationException", "The local SES knows SendEmail, SendBulkEmail and GetAccount only."}
}

func writeError(w http.ResponseWriter, e *apiError) {
	w.Header().Set("x-amzn-ErrorType", e.code)
	writeJSON(w, e.status, map[string]string{"message": e.message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v) // strings, numbers and lists of them only
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
