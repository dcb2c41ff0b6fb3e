package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tidings/internal/ses"
	"tidings/internal/table"
)

// services are those of AWS's by the names that mains give them.
var services = map[string]Service{
	"DynamoDB": DynamoDB, "SQS": SQS, "EventBridgeScheduler": EventBridgeScheduler, "SES": SES, "SSM": SSM,
}

// TestMainsNameTheirServices builds each function with the services that its main names and no other: one that is missing would
// end the process at its first cold start. One that is named in vain makes the binary larger and the policy wider.
func TestMainsNameTheirServices(t *testing.T) {
	t.Parallel()
	functions := readTemplate(t).functions()
	for name, build := range map[string]Build{
		"signup": Signup, "preferences": Preferences, "content": Content, "editor": Editor,
		"compose": Compose, "dispatch": Dispatch, "deliver": Deliver, "feedback": Feedback,
	} {
		main, err := os.ReadFile("../../functions/" + name + "/main.go")
		if err != nil {
			t.Fatal(err)
		}
		var named []string
		for _, m := range regexp.MustCompile(`app\.(\w+)[,)]`).FindAllSubmatch(main, -1) {
			if _, ok := services[string(m[1])]; ok {
				named = append(named, string(m[1]))
			}
		}
		environ := map[string]string{}
		for _, variables := range []node{readTemplate(t).at("Globals", "Function", "Environment", "Variables"), functions[name].at("Environment", "Variables")} {
			for v := range variables.mapping() {
				environ[v] = examples[v]
			}
		}
		used, err := buildWith(t.Context(), build, environ, named)
		if err != nil {
			t.Errorf("%s can't be built with %v: %v", name, named, err)
		}
		for _, service := range named {
			if !slices.Contains(used, service) {
				t.Errorf("%s names %s and does not use it", name, service)
			}
		}
	}
}

// buildWith builds a function on AWS's services, and returns those that it asked for.
func buildWith(ctx context.Context, build Build, environ map[string]string, named []string) (used []string, err error) {
	rt := &Runtime{
		Environ: environ, Log: slog.New(slog.DiscardHandler), Now: time.Now, Sleep: sleep, NewID: IDs(time.Now),
	}
	for _, name := range named {
		services[name](rt, aws.Config{Region: "us-east-1"})
	}
	use := func(name string) { used = append(used, name) }
	if f := rt.Table; f != nil {
		rt.Table = func(name string) table.Table { use("DynamoDB"); return f(name) }
	}
	if f := rt.Queue; f != nil {
		rt.Queue = func(url string) Queue { use("SQS"); return f(url) }
	}
	if f := rt.Scheduler; f != nil {
		rt.Scheduler = func(s Schedules) Scheduler { use("EventBridgeScheduler"); return f(s) }
	}
	if f := rt.SES; f != nil {
		rt.SES = func() *ses.Client { use("SES"); return f() }
	}
	if rt.Parameter != nil {
		rt.Parameter = func(context.Context, string) ([]byte, error) { use("SSM"); return NewKeys(rand.Reader) }
	}
	_, err = build(ctx, rt)
	return used, err
}

// examples are values for the variables that must have a certain form.
var examples = map[string]string{
	"BASE_URL": "https://news.example.org", "SITE_NAME": "Clinic", "POSTAL_ADDRESS": "1 Main Street, Denver", "TABLE_NAME": "t",
	"KEYS_PARAMETER": "/keys", "FROM_BULK": "Clinic <a@example.org>", "FROM_TRANSACT": "Clinic <b@example.org>",
	"CONFIGURATION_SET": "c", "SHARD_QUEUE_URL": "https://q/s", "MAIL_QUEUE_URL": "https://q/m", "SCHEDULE_GROUP": "g",
	"SCHEDULE_ROLE_ARN": "arn:r", "DISPATCH_ARN": "arn:d", "SCHEDULE_DLQ_ARN": "arn:q", "OIDC_ISSUER": "https://issuer.example.org",
	"OIDC_CLIENT_ID": "client", "OIDC_GROUPS_CLAIM": "groups", "TIME_ZONE": "UTC", "INDEX_LAG": "60s",
	"SIGNUPS_PER_IP_HOUR": "60", "SIGNUPS_PER_ADDRESS_DAY": "3",
}
