package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A document is the template as a tree, functions in their long form.
type document struct {
	Parameters map[string]parameter
	Conditions map[string]any
	Globals    map[string]map[string]any
	Resources  map[string]resource

	given map[string]string
	depth int // of conditions that are being evaluated
}

type parameter struct {
	Type    string
	Default any
}

type resource struct {
	Type       string
	Condition  string
	Properties map[string]any
}

// pseudo are the values of AWS's pseudo parameters on a laptop.
var pseudo = map[string]any{
	"AWS::AccountId": "000000000000", "AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::StackName": "tidings",
	"AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": noValue{},
}

// noValue stands for a property or an element that is to be left out.
type noValue struct{}

// tags are the short forms that goformation turns into long ones. It would read any other as if it had no tag.
var tags = []string{
	"Ref", "GetAtt", "Base64", "FindInMap", "GetAZs", "ImportValue", "Join", "Select", "Split", "Sub", "Equals", "Cidr", "And", "If", "Not", "Or",
}

var (
	comment = regexp.MustCompile(`(^|\s)#.*$`)
	tag     = regexp.MustCompile(`(?:^|[\s\[{,])!([A-Za-z][A-Za-z0-9:]*)`)
)

// checkTags refuses short forms that would be lost.
func checkTags(src []byte) error {
	for i, line := range bytes.Split(src, []byte("\n")) {
		for _, m := range tag.FindAllSubmatch(comment.ReplaceAll(line, nil), -1) {
			if !slices.Contains(tags, string(m[1])) {
				return fmt.Errorf("line %d: the short form !%s is not known to the local stack", i+1, m[1])
			}
		}
	}
	return nil
}

// into resolves a part of the tree and reads it into v. Members that v does not have are errors: they would be properties that
// AWS heeds and the local stack does not.
func (d *document) into(v, part any) error {
	resolved, err := d.resolve(part)
	if err != nil {
		return err
	}
	b, err := json.Marshal(resolved)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// resolve replaces CloudFormation's functions by their values.
func (d *document) resolve(part any) (any, error) {
	switch v := part.(type) {
	case map[string]any:
		if name, arg, ok := function(v); ok {
			return d.call(name, arg)
		}
		out := map[string]any{}
		for _, k := range sortedKeys(v) {
			r, err := d.resolve(v[k])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			if r != (noValue{}) {
				out[k] = r
			}
		}
		return out, nil
	case []any:
		out := []any{}
		for _, e := range v {
			r, err := d.resolve(e)
			if err != nil {
				return nil, err
			}
			if r != (noValue{}) {
				out = append(out, r)
			}
		}
		return out, nil
	}
	return part, nil
}

// function recognises the long form: an object whose one member is Ref, Condition or Fn::….
func function(v map[string]any) (name string, arg any, ok bool) {
	for k, a := range v {
		if len(v) == 1 && (k == "Ref" || strings.HasPrefix(k, "Fn::")) {
			return k, a, true
		}
	}
	return "", nil, false
}

// call evaluates a function.
func (d *document) call(name string, arg any) (any, error) {
	switch name {
	case "Ref":
		if id, ok := arg.(string); ok {
			return d.ref(id)
		}
	case "Fn::GetAtt":
		if s, ok := arg.(string); ok {
			return d.attribute(s)
		}
	case "Fn::Sub":
		if s, ok := arg.(string); ok {
			return d.substitute(s)
		}
	case "Fn::If":
		if a, ok := arg.([]any); ok && len(a) == 3 {
			return d.choose(a)
		}
	case "Fn::Equals":
		if a, ok := arg.([]any); ok && len(a) == 2 {
			return d.equal(a)
		}
	case "Fn::Not":
		if a, ok := arg.([]any); ok && len(a) == 1 {
			v, err := d.resolve(a[0])
			yes, isBool := v.(bool)
			if err == nil && !isBool {
				err = fmt.Errorf("Fn::Not of something that is no condition")
			}
			return !yes, err
		}
	default:
		return nil, fmt.Errorf("the local stack does not know the function %s", name)
	}
	return nil, fmt.Errorf("the local stack does not know this form of %s: %v", name, arg)
}

func (d *document) choose(a []any) (any, error) {
	name, ok := a[0].(string)
	if !ok {
		return nil, fmt.Errorf("Fn::If without a condition's name")
	}
	yes, err := d.condition(name)
	if err != nil {
		return nil, err
	}
	if yes {
		return d.resolve(a[1])
	}
	return d.resolve(a[2])
}

func (d *document) equal(a []any) (any, error) {
	left, err := d.resolve(a[0])
	if err != nil {
		return nil, err
	}
	right, err := d.resolve(a[1])
	return text(left) == text(right), err
}

// condition evaluates a named condition.
func (d *document) condition(name string) (bool, error) {
	expr, ok := d.Conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	if d.depth++; d.depth > 20 {
		return false, fmt.Errorf("condition %s refers to itself", name)
	}
	defer func() { d.depth-- }()
	v, err := d.resolve(expr)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	yes, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("condition %s is neither true nor false", name)
	}
	return yes, nil
}

// wanted reports whether a resource's condition holds.
func (d *document) wanted(r resource) (bool, error) {
	if r.Condition == "" {
		return true, nil
	}
	return d.condition(r.Condition)
}

// ref evaluates !Ref: a pseudo parameter, a parameter or a resource.
func (d *document) ref(id string) (any, error) {
	if v, ok := pseudo[id]; ok {
		return v, nil
	}
	if p, ok := d.Parameters[id]; ok {
		return d.parameter(id, p)
	}
	r, ok := d.Resources[id]
	if !ok {
		return nil, fmt.Errorf("!Ref %s: there is nothing of that name", id)
	}
	switch r.Type {
	case "AWS::SQS::Queue":
		return queueURL(id), nil
	case "AWS::DynamoDB::Table", "AWS::Serverless::HttpApi", "AWS::Logs::LogGroup":
		return id, nil
	case "AWS::Scheduler::ScheduleGroup", "AWS::SES::ConfigurationSet":
		return d.resolve(r.Properties["Name"])
	}
	return nil, fmt.Errorf("!Ref %s: the local stack has no name for a %s", id, r.Type)
}

func (d *document) parameter(id string, p parameter) (any, error) {
	v := p.Default
	if given, ok := d.given[id]; ok {
		v = given
	}
	if v == nil {
		return nil, fmt.Errorf("parameter %s has no default, and the local stack gives it no value", id)
	}
	if s, ok := v.(string); ok && p.Type == "Number" {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("parameter %s is not a number: %q", id, s)
		}
		return n, nil
	}
	return v, nil
}

// attribute evaluates !GetAtt of a resource's ARN.
func (d *document) attribute(s string) (any, error) {
	id, name, _ := strings.Cut(s, ".")
	r, ok := d.Resources[id]
	if !ok || name != "Arn" {
		return nil, fmt.Errorf("!GetAtt %s: the local stack does not know it", s)
	}
	switch r.Type {
	case "AWS::SQS::Queue":
		return queueARN(id), nil
	case "AWS::IAM::Role":
		return "arn:aws:iam::000000000000:role/" + id, nil
	case "AWS::DynamoDB::Table":
		return "arn:aws:dynamodb:us-east-1:000000000000:table/" + id, nil
	}
	return nil, fmt.Errorf("!GetAtt %s: the local stack has no ARN for a %s", s, r.Type)
}

var variable = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// substitute evaluates !Sub of a string.
func (d *document) substitute(s string) (any, error) {
	var failed error
	out := variable.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-1]
		eval := d.ref
		if strings.Contains(name, ".") {
			eval = d.attribute
		}
		v, err := eval(name)
		if err != nil && failed == nil {
			failed = fmt.Errorf("!Sub: %w", err)
		}
		return text(v)
	})
	return strings.ReplaceAll(out, "${!", "${"), failed
}

// text is a scalar as CloudFormation writes it into a string.
func text(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

// queueURL and queueARN name a queue by its logical ID.
func queueURL(id string) string {
	return "https://sqs.us-east-1.amazonaws.com/000000000000/tidings-" + id
}
func queueARN(id string) string { return "arn:aws:sqs:us-east-1:000000000000:tidings-" + id }

// urlOfARN is the URL of the queue that has an ARN.
func urlOfARN(arn string) (string, error) {
	id, ok := strings.CutPrefix(arn, queueARN(""))
	if !ok {
		return "", fmt.Errorf("%q is no queue's ARN", arn)
	}
	return queueURL(id), nil
}
