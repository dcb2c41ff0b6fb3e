package tabletest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"tidings/internal/bolt"
	"tidings/internal/dynamo"
	"tidings/internal/table"
)

// openBolt returns an empty embedded table.
func openBolt(t *testing.T) table.Table {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"), bolt.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// openDynamo returns an empty table on DynamoDB Local, or skips the test.
func openDynamo(t *testing.T) (*dynamodb.Client, string) {
	t.Helper()
	endpoint := os.Getenv("TIDINGS_DYNAMODB")
	if endpoint == "" {
		t.Skip("TIDINGS_DYNAMODB is not set: run infra/dynamodb-local.sh go test ./internal/table/...")
	}
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient: &http.Client{Transport: dynamo.BufferedTransport{}},
	})
	sum := sha256.Sum256([]byte(t.Name()))
	name := fmt.Sprintf("tabletest-%x", sum[:12])
	if err := dynamo.Create(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
	return client, name
}
