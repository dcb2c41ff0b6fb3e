package web

import (
	"mime"
	"net/http"
	"strconv"

	"tidings/internal/audience"
	"tidings/internal/fault"
)

// readEdit reads a change of preferences, as a form or as JSON. What is not there stays as it is: a page's form says all of its
// fields, so that of its ticks none is none.
func readEdit(w http.ResponseWriter, r *http.Request) (audience.Edit, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil {
		switch mediaType {
		case "application/json":
			var in struct {
				Name   *string   `json:"name"`
				Topics *[]string `json:"topics"`
				Pause  *int      `json:"pause"`
				Email  *string   `json:"email"`
			}
			err := DecodeJSON(w, r, maxPublicBody, &in)
			return audience.Edit{Name: in.Name, Topics: in.Topics, Pause: in.Pause, Email: in.Email}, err
		case "application/x-www-form-urlencoded", "multipart/form-data":
			if err := parseForm(w, r, mediaType); err != nil {
				return audience.Edit{}, err
			}
			return editOf(r)
		}
	}
	return audience.Edit{}, fault.New(fault.Unsupported, "Send the preferences as a form or as application/json.")
}

// editOf reads the fields of a form. A pause that is empty stays.
func editOf(r *http.Request) (audience.Edit, error) {
	var in audience.Edit
	if err := once(r, "name", "pause", "email"); err != nil {
		return in, err
	}
	if names, ok := r.PostForm["name"]; ok {
		in.Name = &names[0]
	}
	if values, ok := r.PostForm["topics"]; ok {
		topics := filled(values)
		in.Topics = &topics
	}
	if emails, ok := r.PostForm["email"]; ok {
		in.Email = &emails[0]
	}
	if pause := r.PostForm.Get("pause"); pause != "" {
		n, err := strconv.Atoi(pause)
		if err != nil {
			return in, fault.Field(fault.Invalid, "pause", "The pause is not a number of months.")
		}
		in.Pause = &n
	}
	return in, nil
}
