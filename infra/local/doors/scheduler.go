package doors

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// A schedule is the input of CreateSchedule and of UpdateSchedule, which are alike.
type schedule struct {
	GroupName, Description, ClientToken            string
	State, ActionAfterCompletion                   string
	ScheduleExpression, ScheduleExpressionTimezone string
	FlexibleTimeWindow                             struct{ Mode string }
	Target                                         struct {
		Arn, RoleArn, Input string
		DeadLetterConfig    struct{ Arn string }
		RetryPolicy         struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts int } // the stack's schedules try three times
	}
}

// A client token makes the repetition of a request harmless in AWS. Here it does nothing: a Create that is repeated is told of the schedule
// that there is, and its maker then updates it to what it is.

func (s *Server) createSchedule(r *http.Request, in schedule) (any, *apiError) {
	return s.put(r, in, func(exists bool) *apiError {
		if exists {
			return &apiError{status: http.StatusConflict, code: "ConflictException", message: "Schedule already exists."}
		}
		return nil
	})
}

func (s *Server) updateSchedule(r *http.Request, in schedule) (any, *apiError) {
	return s.put(r, in, func(exists bool) *apiError {
		if !exists {
			return missing()
		}
		return nil
	})
}

// put sets a schedule when check allows it.
func (s *Server) put(r *http.Request, in schedule, check func(exists bool) *apiError) (any, *apiError) {
	name := r.PathValue("name")
	at, fail := in.check(name)
	if fail != nil {
		return nil, fail
	}
	group := s.Schedules(in.GroupName, in.Target.Arn, in.Target.DeadLetterConfig.Arn)
	if group == nil {
		return nil, invalid("The target is none of the local stack's functions.")
	}
	s.schedules.Lock()
	defer s.schedules.Unlock()
	if fail := check(group.Has(name)); fail != nil {
		return nil, fail
	}
	var err error
	if at.IsZero() {
		err = group.EveryMinute(r.Context(), name, []byte(in.Target.Input))
	} else {
		err = group.Once(r.Context(), name, at, []byte(in.Target.Input))
	}
	if err != nil {
		return nil, internal(err)
	}
	return map[string]string{"ScheduleArn": "arn:aws:scheduler:us-east-1:000000000000:schedule/" + in.GroupName + "/" + name}, nil
}

func (s *Server) deleteSchedule(r *http.Request, _ schedule) (any, *apiError) {
	name := r.PathValue("name")
	if !validName.MatchString(name) {
		return nil, invalid("A schedule's name is [0-9a-zA-Z-_.]{1,64}.")
	}
	group := s.Schedules(r.URL.Query().Get("groupName"), "", "")
	s.schedules.Lock()
	defer s.schedules.Unlock()
	if group == nil || !group.Has(name) {
		return nil, missing()
	}
	if err := group.Delete(r.Context(), name); err != nil {
		return nil, internal(err)
	}
	return map[string]string{}, nil
}

func missing() *apiError {
	return &apiError{status: http.StatusNotFound, code: "ResourceNotFoundException", message: "Schedule does not exist."}
}

var validName = regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)

// check refuses what the local schedules can't do, and returns the time of a schedule that fires once, zero for each minute.
func (in schedule) check(name string) (at time.Time, fail *apiError) {
	after := "DELETE" // the local schedules forget what has fired for the last time
	if in.ScheduleExpression == minutely {
		after = "NONE"
	}
	switch {
	case !validName.MatchString(name) || !validName.MatchString(in.GroupName):
		return at, invalid("Names of schedules and groups are [0-9a-zA-Z-_.]{1,64}.")
	case in.FlexibleTimeWindow.Mode != "OFF" || in.State != "ENABLED" || in.ActionAfterCompletion != after:
		return at, invalid("The local schedules are enabled, have no flexible window, and delete what fires once.")
	case in.Target.RoleArn == "" || in.Target.Input == "":
		return at, invalid("A target has a role and an input.")
	case in.ScheduleExpression == minutely:
		return at, nil
	}
	at, ok := parseAt(in.ScheduleExpression, in.ScheduleExpressionTimezone)
	if !ok {
		return at, invalid("The local schedules know at(yyyy-mm-ddThh:mm:ss), in a zone of IANA's, and rate(1 minute).")
	}
	return at, nil
}

const minutely = "rate(1 minute)"

// parseAt reads at(yyyy-mm-ddThh:mm:ss) in a time zone; UTC when it is empty.
func parseAt(expression, zone string) (time.Time, bool) {
	text, begun := strings.CutPrefix(expression, "at(")
	text, ended := strings.CutSuffix(text, ")")
	loc, err := time.LoadLocation(zone)
	if !begun || !ended || err != nil || zone == "Local" {
		return time.Time{}, false
	}
	const layout = "2006-01-02T15:04:05"
	at, err := time.ParseInLocation(layout, text, loc)
	if err != nil || at.Format(layout) != text || at.IsZero() {
		return time.Time{}, false
	}
	return at, true
}
