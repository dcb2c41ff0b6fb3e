package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/oklog/ulid/v2"

	"tidings/internal/delivery"
	"tidings/internal/dynamo"
	eventbridge "tidings/internal/scheduler"
	"tidings/internal/ses"
	queue "tidings/internal/sqs"
	"tidings/internal/table"
)

// Version is set by the linker (-X tidings/internal/app.Version=…).
var Version = "dev"

// A Service connects a function to one of AWS's services. A function's main names those that it uses, so that the linker leaves
// the others out of its binary, and a reader sees what its policy must allow.
type Service func(rt *Runtime, cfg aws.Config)

// DynamoDB connects the table.
func DynamoDB(rt *Runtime, cfg aws.Config) {
	client := dynamodb.NewFromConfig(cfg)
	rt.Table = func(name string) table.Table { return dynamo.New(client, name) }
}

// SQS connects queues to send to, and to measure.
func SQS(rt *Runtime, cfg aws.Config) {
	client := sqs.NewFromConfig(cfg)
	rt.Queue = func(url string) Queue { return &queue.Queue{Client: client, URL: url} }
	rt.Measured = func(url string) delivery.Measured { return &queue.Queue{Client: client, URL: url} }
}

// EventBridgeScheduler connects the schedules of digests.
func EventBridgeScheduler(rt *Runtime, cfg aws.Config) {
	rt.Scheduler = func(s Schedules) Scheduler {
		return &eventbridge.Schedules{
			Client: scheduler.NewFromConfig(cfg), Group: s.ScheduleGroup,
			RoleARN: s.ScheduleRoleARN, TargetARN: s.DispatchARN, DLQARN: s.ScheduleDLQARN, Now: rt.Now,
		}
	}
}

// SES connects mail.
func SES(rt *Runtime, cfg aws.Config) {
	client := ses.New(cfg, rt.Now) // one, since it remembers what the account may send
	rt.SES = func() *ses.Client { return client }
}

// SSM connects secrets.
func SSM(rt *Runtime, cfg aws.Config) {
	rt.Parameter = func(ctx context.Context, name string) ([]byte, error) {
		return parameter(ctx, ssm.NewFromConfig(cfg), name)
	}
}

// Main builds a function for Lambda and serves its invocations. It ends the process when the function can't be built, with
// every problem of the configuration in one log line.
func Main(b Build, services ...Service) {
	ctx := context.Background()
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	rt, err := awsRuntime(ctx, log, services)
	if err == nil {
		var f Function
		if f, err = b(ctx, rt); err == nil {
			lambda.Start(f)
			return
		}
	}
	log.Error("function can't start", "error", err)
	os.Exit(1)
}

// awsRuntime is the world as Lambda has it. Clients come from the SDK's default configuration, so AWS_ENDPOINT_URL_* point
// them anywhere.
func awsRuntime(ctx context.Context, log *slog.Logger, services []Service) (*Runtime, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	rt := &Runtime{
		Environ: Environ(os.Environ()), Log: log, Version: Version,
		Now: time.Now, Sleep: sleep, NewID: IDs(time.Now),
	}
	for _, connect := range services {
		connect(rt, cfg)
	}
	return rt, nil
}

// parameter reads a SecureString.
func parameter(ctx context.Context, client *ssm.Client, name string) ([]byte, error) {
	out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("read parameter %s: %w", name, err)
	}
	return []byte(aws.ToString(out.Parameter.Value)), nil
}

// Environ turns the strings of os.Environ into a map.
func Environ(list []string) map[string]string {
	m := make(map[string]string, len(list))
	for _, kv := range list {
		if k, v, ok := strings.Cut(kv, "="); ok {
			m[k] = v
		}
	}
	return m
}

// IDs returns a source of ULIDs in lower case, whose time is now's.
func IDs(now func() time.Time) func() string {
	return func() string { return strings.ToLower(ulid.MustNew(ulid.Timestamp(now()), rand.Reader).String()) }
}

// sleep waits in real time.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
