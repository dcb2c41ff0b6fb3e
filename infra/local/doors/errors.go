package doors

import (
	"encoding/json"
	"net/http"
)

// An apiError is an answer that is not a success. AWS JSON has the code in the body, REST with JSON in a header; the SDK reads either, so
// both stand in each answer.
type apiError struct {
	status  int
	code    string
	message string // holds nothing of what was sent: clients log it
	cause   error  // of a 500
}

func (e *apiError) write(w http.ResponseWriter) {
	body, _ := json.Marshal(map[string]string{"__type": e.code, "message": e.message, "Message": e.message})
	w.Header().Set("X-Amzn-ErrorType", e.code)
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(e.status)
	w.Write(body)
}

func unknown() *apiError {
	return &apiError{status: http.StatusNotFound, code: "UnknownOperationException",
		message: "The local stack knows SendMessage, GetParameter, CreateSchedule, UpdateSchedule and DeleteSchedule only."}
}

func invalid(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "ValidationException", message: message}
}

func internal(err error) *apiError {
	return &apiError{status: http.StatusInternalServerError, code: "InternalServerException", message: "The local stack failed; its log says why.", cause: err}
}
