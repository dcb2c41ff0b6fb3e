package template

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// given are values for the parameters without a default.
var given = map[string]string{
	"BaseUrl": "http://127.0.0.1:8080", "SiteName": "Cedar Lane Clinic", "PostalAddress": "12 Cedar Lane, Boulder, CO 80302",
	"BulkAddress": "digest@cedarlane.example", "TransactAddress": "hello@cedarlane.example",
	"OidcIssuer": "http://127.0.0.1:8090/oidc", "OidcClientId": "tidings", "TimeZone": "America/Denver",
}

func project(t *testing.T) *Template {
	t.Helper()
	path, err := Find(".")
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := Read(path, given)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// TestProject reads the project's own template, the one this package is for.
func TestProject(t *testing.T) {
	t.Parallel()
	tmpl := project(t)
	want := []string{"compose", "content", "deliver", "dispatch", "editor", "feedback", "preferences", "signup"}
	if got := sortedKeys(tmpl.Functions); !slices.Equal(got, want) {
		t.Errorf("functions %v, want %v", got, want)
	}
	deliver := tmpl.Functions["deliver"]
	if deliver.Timeout != 2*time.Minute || len(deliver.Sources) != 2 || deliver.Environ["FROM_BULK"] != `"Cedar Lane Clinic" <digest@cedarlane.example>` {
		t.Errorf("deliver is %+v", deliver)
	}
	for _, s := range deliver.Sources {
		q := tmpl.Queues[s.Queue]
		if s.Concurrency < 2 || q.Visibility != 720*time.Second || tmpl.Queues[q.DeadLetter].Retention != 14*24*time.Hour || q.MaxReceives < 5 {
			t.Errorf("source %+v reads %+v", s, q)
		}
	}
	if f := tmpl.Functions["feedback"].Sources[0]; f.BatchSize != 1000 || f.Window != 20*time.Second || f.Queue != tmpl.Rule.Target {
		t.Errorf("feedback's source is %+v, the rule's target %s", f, tmpl.Rule.Target)
	}
	for name, f := range tmpl.Functions {
		if f.Environ["TABLE_NAME"] != "Table" {
			t.Errorf("%s has the table %q", name, f.Environ["TABLE_NAME"])
		}
	}
	dispatch := tmpl.Functions["dispatch"]
	if dispatch.ARN != dispatch.Environ["DISPATCH_ARN"] || dispatch.Retries != 2 || tmpl.Queues[dispatch.OnFailure].Name != "ScheduleDLQ" {
		t.Errorf("dispatch is %+v", dispatch)
	}
	monthly := tmpl.Functions["compose"].Schedules[0]
	if monthly.Expression != "cron(0 9 1 * ? *)" || monthly.Zone != "America/Denver" || monthly.Retries != 10 || monthly.MaxAge != 6*time.Hour {
		t.Errorf("compose's schedule is %+v", monthly)
	}
	if !slices.Contains(tmpl.Functions["signup"].Routes, Route{"ANY", "/confirm/{token}"}) {
		t.Errorf("signup's routes are %v", tmpl.Functions["signup"].Routes)
	}
}

// TestProjectEvents reads what becomes of SES's events.
func TestProjectEvents(t *testing.T) {
	t.Parallel()
	tmpl := project(t)
	if tmpl.ConfigurationSet != "tidings" || tmpl.Functions["deliver"].Environ["CONFIGURATION_SET"] != "tidings" {
		t.Errorf("configuration set %q", tmpl.ConfigurationSet)
	}
	want := []string{"SEND", "REJECT", "BOUNCE", "COMPLAINT", "RENDERING_FAILURE", "DELIVERY_DELAY", "DELIVERY"}
	if diff := cmp.Diff(want, tmpl.Published); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	var pattern any
	if err := json.Unmarshal(tmpl.Rule.Pattern, &pattern); err != nil {
		t.Fatal(err)
	}
	sets := map[string]any{"ses:configuration-set": []any{"tidings"}}
	wantPattern := map[string]any{"source": []any{"aws.ses"}, "detail": map[string]any{"mail": map[string]any{"tags": sets}}}
	if diff := cmp.Diff(any(wantPattern), pattern); diff != "" {
		t.Errorf("pattern (-want +got):\n%s", diff)
	}
	if tmpl.Rule.Paths["slot"] != "$.detail.mail.tags.slot[0]" || !strings.Contains(tmpl.Rule.Transform, `"slot":"<slot>"`) {
		t.Errorf("rule is %+v", tmpl.Rule)
	}
	no, err := Read("../../../template.yaml", with(given, "DeliveryEvents", "no"))
	if err != nil || slices.Contains(no.Published, "DELIVERY") || len(no.Published) != 6 {
		t.Errorf("without deliveries SES publishes %v (%v)", no.Published, err)
	}
}

func with(m map[string]string, k, v string) map[string]string {
	out := map[string]string{k: v}
	for k, v := range m {
		if _, ok := out[k]; !ok {
			out[k] = v
		}
	}
	return out
}

// TestDrift changes the template in ways that the local stack would not follow: each is refused, and the error says what.
func TestDrift(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"event type":        {"Type: ScheduleV2", "Type: Schedule", "events of the type Schedule"},
		"schedule property": {"GroupName: !Ref ScheduleGroup", "State: DISABLED", "State"},
		"source property":   {"MaximumBatchingWindowInSeconds: 20", "FilterCriteria: {Filters: []}", "FilterCriteria"},
		"queue property":    {"VisibilityTimeout: 400", "DelaySeconds: 400", "DelaySeconds"},
		"function property": {"MemorySize: 512", "ReservedConcurrentExecutions: 1", "ReservedConcurrentExecutions"},
		"api property":      {"FailOnWarnings: true", "CorsConfiguration: {}", "CorsConfiguration"},
		"rule property":     {"Description: SES events", "State: DISABLED #", "State"},
		"resource type":     {"Type: AWS::Logs::LogGroup", "Type: AWS::SNS::Topic", "AWS::SNS::Topic"},
		"short form":        {"BASE_URL: !Ref BaseUrl", "BASE_URL: !Env BaseUrl", "!Env"},
		"intrinsic":         {"BASE_URL: !Ref BaseUrl", "BASE_URL: !ImportValue BaseUrl", "Fn::ImportValue"},
		"reference":         {"MAIL_QUEUE_URL: !Ref MailQueue", "MAIL_QUEUE_URL: !Ref MailQueues", "MailQueues"},
		"attribute":         {"SCHEDULE_ROLE_ARN: !GetAtt ScheduleRole.Arn", "SCHEDULE_ROLE_ARN: !GetAtt ScheduleRole.RoleId", "ScheduleRole.RoleId"},
		"condition":         {"!If [WantsDeliveries,", "!If [WantsNothing,", "WantsNothing"},
		"loop":              {`WantsDeliveries: !Equals [!Ref DeliveryEvents, "yes"]`, "WantsDeliveries: !If [WantsDeliveries, true, false]", "refers to itself"},
		"folder":            {"CodeUri: functions/signup/", "CodeUri: build/signup/", "build/signup"},
		"globals":           {"Globals:", "Globals:\n  HttpApi: {FailOnWarnings: true}", "Globals of HttpApi"},
		"transform":         {"InputTransformer: #", "InputPath: $.detail\n          X: #", "InputPath"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(string(src), c.old) {
				t.Fatalf("the template no longer holds %q: change the test", c.old)
			}
			_, err := Parse([]byte(strings.Replace(string(src), c.old, c.new, 1)), given)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %s", err, c.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	const path = "../../../template.yaml"
	if _, err := Read(path, with(given, "Nonsense", "1")); err == nil || !strings.Contains(err.Error(), "Nonsense") {
		t.Errorf("a value for no parameter: %v", err)
	}
	less := with(given, "SiteName", "")
	delete(less, "SiteName")
	if _, err := Read(path, less); err == nil || !strings.Contains(err.Error(), "SiteName") {
		t.Errorf("no value for a parameter: %v", err)
	}
	if _, err := Read(path, with(given, "MaxWorkers", "many")); err == nil || !strings.Contains(err.Error(), "MaxWorkers") {
		t.Errorf("a word for a number: %v", err)
	}
	tmpl, err := Read(path, with(given, "SignupsPerIpHour", "12"))
	if err != nil || tmpl.Functions["signup"].Environ["SIGNUPS_PER_IP_HOUR"] != "12" {
		t.Errorf("a number in the environment is %q (%v)", tmpl.Functions["signup"].Environ["SIGNUPS_PER_IP_HOUR"], err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	path, err := Find("../../../internal/app")
	if err != nil || filepath.Base(path) != File {
		t.Errorf("found %q, %v", path, err)
	}
	if _, err := Find(t.TempDir()); err == nil || !strings.Contains(err.Error(), "template.yaml") {
		t.Errorf("outside of the project: %v", err)
	}
}
