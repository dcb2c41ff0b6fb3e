package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tidings/internal/bolt"
	"tidings/internal/dynamo"
	"tidings/internal/table"
)

// onDynamoDB says whether the tests run on the DynamoDB Local that infra/dynamodb-local.sh started.
var onDynamoDB = os.Getenv("TIDINGS_DYNAMODB") != ""

// newEngine returns a table of the test's own: on the embedded engine or, where there is one, on DynamoDB Local.
func newEngine(t *testing.T) table.Table {
	t.Helper()
	if onDynamoDB {
		return newDynamoDB(t)
	}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "t.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// tables counts the tables of this run: a test may need several.
var tables atomic.Int64

func newDynamoDB(t *testing.T) table.Table {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(os.Getenv("TIDINGS_DYNAMODB")), Region: "us-east-1",
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("local", "local", "")),
		HTTPClient:  &http.Client{Transport: dynamo.BufferedTransport{}},
	})
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", t.Name(), tables.Add(1)))
	name := fmt.Sprintf("store-%x", sum[:12])
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
