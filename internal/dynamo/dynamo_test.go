package dynamo_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tidings/internal/dynamo"
	"tidings/internal/table"
	"tidings/internal/table/tabletest"
)

// local returns a client of the DynamoDB Local that infra/dynamodb-local.sh started.
func local(t *testing.T) *dynamodb.Client {
	t.Helper()
	endpoint := os.Getenv("TIDINGS_DYNAMODB")
	if endpoint == "" {
		t.Skip("TIDINGS_DYNAMODB is not set: run infra/dynamodb-local.sh go test ./internal/dynamo/...")
	}
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1",
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("local", "local", "")),
		HTTPClient:  &http.Client{Transport: dynamo.BufferedTransport{}},
	})
}

// tableName makes a name of 3 to 255 letters, digits, "_", "-" and "." out of the test's.
func tableName(t *testing.T) string {
	sum := sha256.Sum256([]byte(t.Name()))
	return fmt.Sprintf("test-%x", sum[:12])
}

// open creates a table of the test's own.
func open(t *testing.T, client *dynamodb.Client) *dynamo.Table {
	t.Helper()
	name := tableName(t)
	if err := dynamo.Create(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
	return dynamo.New(client, name)
}

func TestContract(t *testing.T) {
	client := local(t)
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t, client) })
}

func TestCreateTwice(t *testing.T) {
	client := local(t)
	open(t, client)
	if err := dynamo.Create(t.Context(), client, tableName(t)); err != nil {
		t.Errorf("second creation: %v", err)
	}
}
