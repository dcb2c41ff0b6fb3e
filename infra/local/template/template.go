// Package template reads template.yaml for the local stack: functions with their environment, routes, queues, schedules and
// the rule for SES's events. It exists so that the stack on a laptop is the stack of AWS and can't drift from it:
// whatever the template asks for and this package does not know is an error, never left out.
//
// goformation turns YAML and the short forms of CloudFormation's functions into one tree. Its typed resources drop the properties of
// ScheduleV2 events and of SQS events with ScalingConfig, and its resolver turns a !Ref or !GetAtt of a resource
// into nothing without a word; so the tree is resolved here, and read into the small structs below.
package template

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/awslabs/goformation/v7/intrinsics"
)

// A Template is what the local stack has to be.
type Template struct {
	Functions map[string]Function // by the names of their folders
	Queues    map[string]Queue    // by URL
	Rule      Rule
	// ConfigurationSet is the name of SES's, and Published the types of events that it publishes, as SES's API
	// names them: SEND, RENDERING_FAILURE, ….
	ConfigurationSet string
	Published        []string
}

// A Function is one of the eight.
type Function struct {
	Name    string // its folder under functions/
	ARN     string
	Timeout time.Duration
	Environ map[string]string
	// Retries are how often an asynchronous invocation is tried again, for how long; what fails then goes to OnFailure.
	Retries   int
	MaxAge    time.Duration
	OnFailure string // URL of a queue; empty: lost

	Routes    []Route
	Sources   []Source
	Schedules []Schedule
}

// A Route is a method (or ANY) and a path such as /confirm/{token} or /static/{file+}.
type Route struct{ Method, Path string }

// A Source is a queue that invokes a function.
type Source struct {
	Queue       string // URL
	BatchSize   int
	Window      time.Duration // that a batch may wait to fill
	Concurrency int           // of invocations
}

// A Schedule invokes a function by the calendar.
type Schedule struct {
	Name       string
	Expression string // cron(…) or rate(…)
	Zone       string // IANA
	Retries    int
	MaxAge     time.Duration
	DeadLetter string // URL of a queue
}

// A Queue is one of SQS's.
type Queue struct {
	Name        string // its logical ID
	URL, ARN    string
	Visibility  time.Duration
	Retention   time.Duration
	DeadLetter  string // URL of another queue; empty: none
	MaxReceives int
}

// A Rule passes on events of the default bus.
type Rule struct {
	Pattern   json.RawMessage   // an EventBridge pattern
	Paths     map[string]string // names → JSON paths in the event
	Transform string            // the message, with <name>s
	Target    string            // URL of a queue
}

// File is the template's name.
const File = "template.yaml"

// Find returns the path of the template in dir or the nearest folder above that has one.
func Find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", File, err)
	}
	for at := start; ; at = filepath.Dir(at) {
		path := filepath.Join(at, File)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find %s: neither %s nor a folder above has it: start the local stack within the project's folder", File, start)
		}
	}
}

// goformation guards the package of that name, which registers its tags in a global map each time.
var goformation sync.Mutex

// Read reads a template's file and resolves it with these parameters, by name; a parameter that is not among them has its default.
func Read(path string, parameters map[string]string) (*Template, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	t, err := Parse(src, parameters)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse is Read for the template's text.
func Parse(src []byte, parameters map[string]string) (*Template, error) {
	if err := checkTags(src); err != nil {
		return nil, err
	}
	goformation.Lock()
	tree, err := intrinsics.ProcessYAML(src, &intrinsics.ProcessorOptions{NoProcess: true})
	goformation.Unlock()
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(tree, &d); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	d.given = parameters
	for name := range parameters {
		if _, ok := d.Parameters[name]; !ok {
			return nil, fmt.Errorf("the template has no parameter %s", name)
		}
	}
	for section := range d.Globals {
		if section != "Function" {
			return nil, fmt.Errorf("the local stack does not know Globals of %s", section)
		}
	}
	t := &Template{Functions: map[string]Function{}, Queues: map[string]Queue{}}
	for _, id := range sortedKeys(d.Resources) {
		if err := t.add(&d, id, d.Resources[id]); err != nil {
			return nil, fmt.Errorf("resource %s: %w", id, err)
		}
	}
	return t, t.check()
}

// add takes a resource into the template.
func (t *Template) add(d *document, id string, r resource) error {
	if ok, err := d.wanted(r); err != nil || !ok {
		return err
	}
	switch r.Type {
	case "AWS::Serverless::Function":
		return t.addFunction(d, r)
	case "AWS::SQS::Queue":
		return t.addQueue(d, id, r)
	case "AWS::Events::Rule":
		return t.addRule(d, r)
	case "AWS::SES::ConfigurationSetEventDestination":
		return t.addPublished(d, r)
	case "AWS::Serverless::HttpApi":
		return checkAPI(r)
	}
	if !slices.Contains(absent, r.Type) {
		return fmt.Errorf("the local stack does not know what a %s is for", r.Type)
	}
	return nil
}

// absent are the types of resources that a laptop does without, or that another resource leads to: domains and
// certificates, permissions, logs, alarms; the table, whose keys are internal/table's; groups and roles, which are names.
var absent = []string{
	"AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::DomainName", "AWS::CloudWatch::Alarm", "AWS::DynamoDB::Table",
	"AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::SES::ConfigurationSet", "AWS::SES::EmailIdentity", "AWS::SQS::QueuePolicy",
	"AWS::Scheduler::ScheduleGroup",
}

// check finds names that lead nowhere.
func (t *Template) check() error {
	known := func(url, what string) error {
		if _, ok := t.Queues[url]; !ok && url != "" {
			return fmt.Errorf("%s leads to %s, which is no queue of the template", what, url)
		}
		return nil
	}
	for _, name := range sortedKeys(t.Functions) {
		f := t.Functions[name]
		queues := []string{f.OnFailure}
		for _, s := range f.Sources {
			queues = append(queues, s.Queue)
		}
		for _, s := range f.Schedules {
			queues = append(queues, s.DeadLetter)
		}
		for _, q := range queues {
			if err := known(q, "function "+name); err != nil {
				return err
			}
		}
	}
	for _, url := range sortedKeys(t.Queues) {
		if err := known(t.Queues[url].DeadLetter, "queue "+t.Queues[url].Name); err != nil {
			return err
		}
	}
	if t.Rule.Target == "" || len(t.Published) == 0 {
		return fmt.Errorf("the template has no rule that passes on SES's events, or SES publishes none")
	}
	return known(t.Rule.Target, "the rule for SES's events")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
