package app

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/table"
)

// configs are the functions' configurations by the functions' names.
var configs = map[string]any{
	"signup": SignupConfig{}, "preferences": PreferencesConfig{}, "content": ContentConfig{}, "editor": EditorConfig{},
	"compose": ComposeConfig{}, "dispatch": DispatchConfig{}, "deliver": DeliverConfig{}, "feedback": FeedbackConfig{},
}

// TestTemplateEnvironment compares each function's environment in the template with the configuration that the function
// reads, both ways: a variable that nobody reads is as wrong as one that nobody sets.
func TestTemplateEnvironment(t *testing.T) {
	t.Parallel()
	template := readTemplate(t)
	common := template.at("Globals", "Function", "Environment", "Variables")
	functions := template.functions()
	if got, want := keys(functions), keys(configs); !slices.Equal(got, want) {
		t.Fatalf("functions of the template: %v, of the code: %v", got, want)
	}
	for name, cfg := range configs {
		var inTemplate []string
		for _, variables := range []node{common, functions[name].at("Environment", "Variables")} {
			inTemplate = append(inTemplate, keys(variables.mapping())...)
		}
		slices.Sort(inTemplate)
		inCode := variables(reflect.TypeOf(cfg))
		slices.Sort(inCode)
		if diff := cmp.Diff(inCode, inTemplate); diff != "" {
			t.Errorf("environment of %s (-code +template):\n%s", name, diff)
		}
	}
}

// variables lists the environment variables that a configuration reads, by its tags.
func variables(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("env"), ","); name != "" {
			names = append(names, name)
		} else if f.Anonymous {
			names = append(names, variables(f.Type)...)
		}
	}
	return names
}

// TestTemplateFunctions checks what every function must keep: its folder, the deadline, and a queue that fits it.
func TestTemplateFunctions(t *testing.T) {
	t.Parallel()
	template := readTemplate(t)
	for name, f := range template.functions() {
		timeout := f.at("Timeout").number(template.at("Globals", "Function", "Timeout").number(3))
		if timeout > 120 {
			t.Errorf("%s may take %d s: functions end within 2 minutes and go on by a new message", name, timeout)
		}
		if uri := f.at("CodeUri").text(); uri != "functions/"+name+"/" {
			t.Errorf("%s is built from %q", name, uri)
		}
		for id, event := range f.at("Events").mapping() {
			properties := event.at("Properties")
			switch kind := event.at("Type").text(); kind {
			case "HttpApi":
				if timeout > 30 {
					t.Errorf("%s may take %d s, but API Gateway gives up after 30", name, timeout)
				}
			case "SQS":
				checkQueue(t, template, name+"/"+id, properties, timeout)
			case "ScheduleV2":
				if properties.at("ScheduleExpressionTimezone").ref() != "TimeZone" {
					t.Errorf("%s/%s does not follow the list's time zone", name, id)
				}
			default:
				t.Errorf("%s/%s has an event of an unknown type %q", name, id, kind)
			}
		}
	}
}

// checkQueue checks a queue that invokes a function: AWS asks for a visibility of six times the timeout, beside the batching
// window, and failed items are reported one by one and end in a dead-letter queue.
func checkQueue(t *testing.T, template node, name string, event node, timeout int) {
	t.Helper()
	queue, _, _ := strings.Cut(event.at("Queue").attribute(), ".")
	properties := template.at("Resources", queue, "Properties")
	visibility, least := properties.at("VisibilityTimeout").number(30), 6*timeout+event.at("MaximumBatchingWindowInSeconds").number(0)
	if visibility < least {
		t.Errorf("%s: messages of %s come again after %d s, before %d s", name, queue, visibility, least)
	}
	if r := event.at("FunctionResponseTypes").list(); len(r) != 1 || r[0].text() != "ReportBatchItemFailures" {
		t.Errorf("%s does not report single failures", name)
	}
	if properties.at("RedrivePolicy", "deadLetterTargetArn").attribute() == "" {
		t.Errorf("%s: %s has no dead-letter queue", name, queue)
	}
	if event.at("ScalingConfig", "MaximumConcurrency") == (node{}) {
		t.Errorf("%s has no ceiling of concurrency", name)
	}
}

// routes are what the HTTP API serves, by function: DESIGN.md's table, as far as it is built.
var routes = map[string][]string{
	"signup": {
		"ANY /confirm/{token}", "ANY /subscribe", "ANY /subscribe/check-inbox", "POST /confirm/{token}/again", "POST /subscribe",
	},
	"preferences": {
		"ANY /address/{token}", "ANY /preferences/{token}", "ANY /preferences/{token}/erase", "ANY /preferences/{token}/export", "ANY /unsubscribe/{token}",
		"POST /preferences/{token}/link", "POST /unsubscribe/{token}/return",
	},
	"content": {
		"ANY /", "ANY /{proxy+}", "GET /articles", "GET /articles.json", "GET /articles/{slug}", "GET /digests", "GET /digests.json", "GET /digests/{slug}",
		"GET /feed.atom", "GET /feed.json", "GET /healthz", "GET /robots.txt", "GET /sitemap.xml", "GET /static/{file+}", "GET /topics/{topic}",
	},
	"editor": {"ANY /editor/api/{proxy+}"},
}

// TestTemplateRoutes compares the API's routes with what is to be served, and checks that no log can hold a path or an address.
func TestTemplateRoutes(t *testing.T) {
	t.Parallel()
	template := readTemplate(t)
	got := map[string][]string{}
	for name, f := range template.functions() {
		for _, event := range f.at("Events").mapping() {
			if event.at("Type").text() == "HttpApi" {
				got[name] = append(got[name], event.at("Properties", "Method").text()+" "+event.at("Properties", "Path").text())
			}
		}
		slices.Sort(got[name])
	}
	delete(got, "") // functions without routes leave no entry
	for name, list := range got {
		if list == nil {
			delete(got, name)
		}
	}
	if diff := cmp.Diff(routes, got); diff != "" {
		t.Errorf("routes (-want +template):\n%s", diff)
	}
	format := template.at("Resources", "Api", "Properties", "AccessLogSettings", "Format").text()
	if !strings.Contains(format, "$context.routeKey") || !json.Valid([]byte(format)) {
		t.Errorf("access log format is not JSON with the route: %s", format)
	}
	for _, personal := range []string{"path", "sourceIp", "identity", "userAgent", "authorizer", "queryString", "domainName"} {
		if strings.Contains(format, personal) {
			t.Errorf("access log format holds %s, which may be personal: %s", personal, format)
		}
	}
}

// TestTemplateEvents checks what SES's events are reduced to before they enter a queue.
func TestTemplateEvents(t *testing.T) {
	t.Parallel()
	template := readTemplate(t)
	targets := template.at("Resources", "EventsRule", "Properties", "Targets").list()
	if len(targets) != 1 {
		t.Fatalf("the rule has %d targets, want 1", len(targets))
	}
	if targets[0].at("DeadLetterConfig") != (node{}) {
		t.Error("the rule has a dead-letter queue, which would hold events with addresses")
	}
	transformer := targets[0].at("InputTransformer")
	paths := transformer.at("InputPathsMap").mapping()
	for name, path := range paths {
		if p := path.text(); !regexp.MustCompile(`^\$\.detail\.(eventType|mail\.(messageId|timestamp|tags\.[a-z]+\[0\])|bounce\.(bounceType|bounceSubType|bouncedRecipients\[0\]\.status)|complaint\.complaintFeedbackType)$`).MatchString(p) {
			t.Errorf("%s is taken from %s, which is not known to be free of personal data", name, p)
		}
	}
	text := transformer.at("InputTemplate").text()
	var body map[string]string
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("input template is no JSON object of strings: %v", err)
	}
	want := []string{"at", "attempt", "batch", "bounceSubType", "bounceType", "digest", "feedbackType", "messageId", "shard", "slot", "status", "type"}
	if got := keys(body); !slices.Equal(got, want) || !slices.Equal(keys(paths), want) {
		t.Errorf("feedback's body has %v from paths %v, want %v", got, keys(paths), want)
	}
	for name, value := range body {
		if value != "<"+name+">" {
			t.Errorf("%s is filled with %s", name, value)
		}
	}
}

// TestTemplateTable compares the template's table with the names that the storage port gives it.
func TestTemplateTable(t *testing.T) {
	t.Parallel()
	properties := readTemplate(t).at("Resources", "Table", "Properties")
	got := map[table.Index][]string{table.Main: keyNames(properties)}
	for _, index := range properties.at("GlobalSecondaryIndexes").list() {
		got[table.Index(index.at("IndexName").text())] = keyNames(index)
		if table.Index(index.at("IndexName").text()) == table.List {
			if a := index.at("Projection", "NonKeyAttributes").list(); len(a) != 1 || a[0].text() != table.Card {
				t.Errorf("index list projects %v, want %s", a, table.Card)
			}
		}
	}
	want := map[table.Index][]string{}
	for _, index := range []table.Index{table.Main, table.Audience, table.List} {
		partition, sort := index.Keys()
		want[index] = []string{partition, sort}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-port +template):\n%s", diff)
	}
	if ttl := properties.at("TimeToLiveSpecification", "AttributeName").text(); ttl != table.TTL {
		t.Errorf("TTL is %q, want %q", ttl, table.TTL)
	}
}

// keyNames returns partition and sort key of a key schema.
func keyNames(n node) []string {
	var names []string
	for _, k := range n.at("KeySchema").list() {
		names = append(names, k.at("AttributeName").text())
	}
	return names
}

// TestTemplatePolicies checks that permissions name actions and resources.
func TestTemplatePolicies(t *testing.T) {
	t.Parallel()
	for name, f := range readTemplate(t).functions() {
		for _, policy := range f.at("Policies").list() {
			for _, s := range policy.at("Statement").list() {
				var actions []string
				for _, a := range append(s.at("Action").list(), s.at("Action")) {
					actions = append(actions, strings.Fields(a.text())...)
				}
				if len(actions) == 0 || strings.Contains(strings.Join(actions, " "), "*") {
					t.Errorf("%s: a statement names no actions, or all: %v", name, actions)
				}
				if s.at("Resource").text() == "*" && !slices.Equal(actions, []string{"ses:GetAccount"}) {
					t.Errorf("%s may %v on everything", name, actions)
				}
				if strings.HasPrefix(actions[0], "dynamodb:") && s.at("Condition", "ForAllValues:StringLike", "dynamodb:LeadingKeys") == (node{}) {
					t.Errorf("%s may %v on every key of the table", name, actions)
				}
			}
		}
	}
}

// A node is a place in the template; its zero value is what isn't there.
type node struct{ ast ast.Node }

func readTemplate(t *testing.T) node {
	t.Helper()
	src, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseBytes(src, 0)
	if err != nil {
		t.Fatal(err)
	}
	return node{f.Docs[0].Body}
}

// functions returns the properties of the functions by the names of their folders.
func (n node) functions() map[string]node {
	found := map[string]node{}
	for _, r := range n.at("Resources").mapping() {
		if r.at("Type").text() == "AWS::Serverless::Function" {
			properties := r.at("Properties")
			name := strings.TrimPrefix(properties.at("FunctionName").text(), "${AWS::StackName}-")
			found[name] = properties
		}
	}
	return found
}

// at follows keys of mappings.
func (n node) at(path ...string) node {
	for _, key := range path {
		n = n.mapping()[key]
	}
	return n
}

func (n node) mapping() map[string]node {
	m := map[string]node{}
	if v, ok := n.ast.(ast.MapNode); ok {
		for it := v.MapRange(); it.Next(); {
			key := it.Key().String()
			if s, err := strconv.Unquote(key); err == nil {
				key = s
			}
			m[key] = node{it.Value()}
		}
	}
	return m
}

func (n node) list() []node {
	var all []node
	if v, ok := n.ast.(*ast.SequenceNode); ok {
		for _, e := range v.Values {
			all = append(all, node{e})
		}
	}
	return all
}

// text returns a scalar; of a short-form function, its argument.
func (n node) text() string {
	switch v := n.ast.(type) {
	case *ast.TagNode:
		return node{v.Value}.text()
	case *ast.StringNode:
		return v.Value
	case *ast.IntegerNode:
		return fmt.Sprint(v.Value)
	}
	return ""
}

func (n node) number(otherwise int) int {
	if i, err := strconv.Atoi(n.text()); err == nil {
		return i
	}
	return otherwise
}

// ref returns what a !Ref names, attribute what a !GetAtt names, "" for anything else.
func (n node) ref() string       { return n.tagged("!Ref") }
func (n node) attribute() string { return n.tagged("!GetAtt") }

func (n node) tagged(tag string) string {
	if v, ok := n.ast.(*ast.TagNode); ok && v.Start.Value == tag {
		return n.text()
	}
	return ""
}

// keys returns a map's keys, sorted.
func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
