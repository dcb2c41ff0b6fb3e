package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"tidings/internal/sqs"
)

// TestDoorsNeedDynamoDB checks that nobody is led to functions that can't see the table.
func TestDoorsNeedDynamoDB(t *testing.T) {
	t.Parallel()
	const free = "127.0.0.1:0"
	_, err := Start(t.Context(), Options{HTTP: free, Inbox: free, SES: free, OIDC: free, AWS: free, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "-aws: give -dynamodb too") {
		t.Errorf("got %v", err)
	}
}

// TestElsewhere uses the stack as functions in containers do: the environment that it hands out leads to its keys and its mail queue.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	if os.Getenv("TIDINGS_DYNAMODB") == "" {
		t.Skip("needs DynamoDB Local: make test-dynamodb-local")
	}
	const free, origin = "127.0.0.1:0", "http://127.0.0.1:3000"
	logs := &buffer{}
	s, err := Start(t.Context(), Options{
		HTTP: free, Inbox: free, SES: free, OIDC: free, AWS: free, Origin: origin, IssuerAt: "172.17.0.1:8090",
		DynamoDB: os.Getenv("TIDINGS_DYNAMODB"), Log: slog.New(slog.NewJSONHandler(logs, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := http.Get(s.AWS + "/environ")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var env map[string]string
	if err := json.NewDecoder(res.Body).Decode(&env); err != nil {
		t.Fatal(err)
	}
	if env["BASE_URL"] != origin || env["TABLE_NAME"] != s.data.get().Table || !strings.HasPrefix(env["OIDC_ISSUER"], "http://172.17.0.1:8090/") {
		t.Errorf("the environment is %v", env)
	}
	config := s.aws(s.AWS)
	out, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(env["KEYS_PARAMETER"]), WithDecryption: aws.Bool(true)})
	if err != nil || !strings.Contains(aws.ToString(out.Parameter.Value), "tokens") {
		t.Errorf("the keys: %v", err)
	}
	q := &sqs.Queue{Client: awssqs.NewFromConfig(config), URL: env["MAIL_QUEUE_URL"]}
	if err := q.Send(t.Context(), []byte(`{"kind":"signup","subscriber":"01234567890123456789012345"}`), 0); err != nil {
		t.Error(err)
	}
	if g := s.schedulesElsewhere(env["SCHEDULE_GROUP"], env["DISPATCH_ARN"], env["SCHEDULE_DLQ_ARN"]); g == nil || s.schedulesElsewhere("g", "arn:other", "") != nil {
		t.Error("schedules have a target that there is not, or not the one that there is")
	}
}
