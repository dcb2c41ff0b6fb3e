package main

import "tidings/internal/app"

// builds are the functions by their folders; the template says with what environment each is built and what invokes it.
var builds = map[string]app.Build{
	"signup": app.Signup, "preferences": app.Preferences, "content": app.Content, "editor": app.Editor,
	"compose": app.Compose, "dispatch": app.Dispatch, "deliver": app.Deliver, "feedback": app.Feedback,
}
