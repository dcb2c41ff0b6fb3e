package template

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// properties of a function that the local stack heeds; the others, which it must name too, say how AWS builds and runs it.
type functionProperties struct {
	FunctionName string
	CodeURI      string `json:"CodeUri"`
	Timeout      int
	Environment  struct{ Variables map[string]any }
	Events       map[string]event

	EventInvokeConfig struct {
		MaximumRetryAttempts     *int
		MaximumEventAgeInSeconds *int
		DestinationConfig        struct {
			OnFailure struct{ Type, Destination string }
		}
	}
	Runtime, Handler string
	Architectures    []string
	MemorySize       int
}

type event struct {
	Type       string
	Properties map[string]any
}

// elsewhere are the properties of functions that have no meaning on a laptop: permissions and where logs go.
var elsewhere = []string{"Policies", "LoggingConfig"}

// Lambda's own defaults of asynchronous invocation, and Scheduler's of a schedule.
const (
	asyncRetries    = 2
	asyncMaxAge     = 6 * time.Hour
	scheduleRetries = 185
	scheduleMaxAge  = 24 * time.Hour
)

// addFunction reads a function, with what Globals says about all of them.
func (t *Template) addFunction(d *document, r resource) error {
	var p functionProperties
	for _, part := range []map[string]any{d.Globals["Function"], r.Properties} {
		part = maps.Clone(part)
		for _, name := range elsewhere {
			delete(part, name)
		}
		if err := d.into(&p, part); err != nil { // the second beside the first: maps are merged, scalars replaced
			return err
		}
	}
	name := strings.Trim(strings.TrimPrefix(p.CodeURI, "functions/"), "/")
	if name == "" || p.CodeURI != "functions/"+name+"/" || p.Timeout == 0 {
		return fmt.Errorf("a function has its folder in functions/ and a Timeout: CodeUri %q, Timeout %d", p.CodeURI, p.Timeout)
	}
	f := Function{
		Name: name, ARN: "arn:aws:lambda:us-east-1:000000000000:function:" + p.FunctionName,
		Timeout: time.Duration(p.Timeout) * time.Second, Environ: map[string]string{},
		Retries: asyncRetries, MaxAge: asyncMaxAge,
	}
	for k, v := range p.Environment.Variables {
		f.Environ[k] = text(v)
	}
	if c := p.EventInvokeConfig; c.MaximumRetryAttempts != nil {
		f.Retries = *c.MaximumRetryAttempts
	}
	if c := p.EventInvokeConfig; c.MaximumEventAgeInSeconds != nil {
		f.MaxAge = time.Duration(*c.MaximumEventAgeInSeconds) * time.Second
	}
	if o := p.EventInvokeConfig.DestinationConfig.OnFailure; o.Destination != "" {
		url, err := urlOfARN(o.Destination)
		if err != nil || o.Type != "SQS" {
			return fmt.Errorf("OnFailure: only a queue is known: %w", err)
		}
		f.OnFailure = url
	}
	for _, id := range sortedKeys(p.Events) {
		if err := f.addEvent(d, id, p.Events[id]); err != nil {
			return fmt.Errorf("event %s: %w", id, err)
		}
	}
	t.Functions[name] = f
	return nil
}

// addEvent reads what invokes a function.
func (f *Function) addEvent(d *document, id string, e event) error {
	switch e.Type {
	case "HttpApi":
		return f.addRoute(d, e)
	case "SQS":
		return f.addSource(d, e)
	case "ScheduleV2":
		return f.addSchedule(d, id, e)
	}
	return fmt.Errorf("the local stack does not know events of the type %s", e.Type)
}

func (f *Function) addRoute(d *document, e event) error {
	var p struct {
		ID           string `json:"ApiId"`
		Method, Path string
	}
	if err := d.into(&p, e.Properties); err != nil {
		return err
	}
	if p.Method == "" || !strings.HasPrefix(p.Path, "/") {
		return fmt.Errorf("a route has a Method and a Path: %q %q", p.Method, p.Path)
	}
	f.Routes = append(f.Routes, Route{Method: strings.ToUpper(p.Method), Path: p.Path})
	return nil
}

func (f *Function) addSource(d *document, e event) error {
	p := struct {
		Queue                          string
		BatchSize                      int
		MaximumBatchingWindowInSeconds int
		FunctionResponseTypes          []string
		ScalingConfig                  struct{ MaximumConcurrency int }
	}{BatchSize: 10}
	if err := d.into(&p, e.Properties); err != nil {
		return err
	}
	url, err := urlOfARN(p.Queue)
	if err != nil {
		return err
	}
	if len(p.FunctionResponseTypes) != 1 || p.FunctionResponseTypes[0] != "ReportBatchItemFailures" {
		return fmt.Errorf("the local stack knows sources with ReportBatchItemFailures only")
	}
	if p.ScalingConfig.MaximumConcurrency < 2 {
		return fmt.Errorf("a source has a MaximumConcurrency of at least 2")
	}
	f.Sources = append(f.Sources, Source{
		Queue: url, BatchSize: p.BatchSize, Concurrency: p.ScalingConfig.MaximumConcurrency,
		Window: time.Duration(p.MaximumBatchingWindowInSeconds) * time.Second,
	})
	return nil
}

func (f *Function) addSchedule(d *document, id string, e event) error {
	var p struct {
		GroupName, ScheduleExpression, ScheduleExpressionTimezone string
		RetryPolicy                                               struct {
			MaximumRetryAttempts     *int
			MaximumEventAgeInSeconds *int
		}
		DeadLetterConfig struct{ Arn string }
	}
	if err := d.into(&p, e.Properties); err != nil {
		return err
	}
	s := Schedule{
		Name: f.Name + "-" + id, Expression: p.ScheduleExpression, Zone: p.ScheduleExpressionTimezone,
		Retries: scheduleRetries, MaxAge: scheduleMaxAge,
	}
	if s.Zone == "" {
		s.Zone = "UTC"
	}
	if n := p.RetryPolicy.MaximumRetryAttempts; n != nil {
		s.Retries = *n
	}
	if n := p.RetryPolicy.MaximumEventAgeInSeconds; n != nil {
		s.MaxAge = time.Duration(*n) * time.Second
	}
	if arn := p.DeadLetterConfig.Arn; arn != "" {
		url, err := urlOfARN(arn)
		if err != nil {
			return err
		}
		s.DeadLetter = url
	}
	f.Schedules = append(f.Schedules, s)
	return nil
}

// checkAPI refuses settings of the API that change what a client sees and that the gateway does not have. Throttling it leaves out:
// a laptop has one client, who would meet a limit made for a clinic's visitors.
func checkAPI(r resource) error {
	for name := range r.Properties {
		switch name {
		case "FailOnWarnings", "DefaultRouteSettings", "RouteSettings", "AccessLogSettings":
		default:
			return fmt.Errorf("the local gateway does not know the API's property %s", name)
		}
	}
	return nil
}
