package web

import (
	"errors"
	"net/http"

	"tidings/internal/fault"
)

// parseForm reads a form of at most maxPublicBody into r.PostForm.
func parseForm(w http.ResponseWriter, r *http.Request, mediaType string) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxPublicBody)
	var err error
	if mediaType == "multipart/form-data" {
		err = r.ParseMultipartForm(maxPublicBody) // all of the body fits, so that nothing is written to a disk
	} else {
		err = r.ParseForm()
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return fault.New(fault.TooLarge, "The form is larger than %d bytes.", maxPublicBody)
	}
	if err != nil {
		return fault.New(fault.Invalid, "The form could not be read.")
	}
	return nil
}

// once demands that none of the fields stands in a form twice.
func once(r *http.Request, names ...string) error {
	for _, name := range names {
		if len(r.PostForm[name]) > 1 {
			return fault.Field(fault.Invalid, name, "The form holds a field twice.")
		}
	}
	return nil
}

// filled returns the values of a field that are not empty.
func filled(values []string) []string {
	var out []string
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}
