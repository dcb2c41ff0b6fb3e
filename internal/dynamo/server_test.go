package dynamo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tidings/internal/dynamo"
)

// A server answers like DynamoDB, by a script: each request gets the next answer, the last one for ever.
type server struct {
	mu       sync.Mutex
	script   []answer
	requests []request
}

// An answer is an exception when it has a code.
type answer struct {
	code, message string
	reasons       string // of a TransactionCanceledException, JSON
	body          string
}

// A request is what the tests look at.
type request struct {
	Operation          string `json:"-"`
	ClientRequestToken string
	RequestItems       map[string]json.RawMessage
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	req := request{Operation: operation}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := s.script[min(len(s.requests), len(s.script)-1)]
	s.requests = append(s.requests, req)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if a.code == "" {
		io.WriteString(w, a.body)
		return
	}
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q`, a.code, a.message)
	if a.reasons != "" {
		fmt.Fprintf(w, `,"CancellationReasons":%s`, a.reasons)
	}
	io.WriteString(w, "}")
}

// RoundTrip serves a request without a network, which a synctest bubble cannot wait for.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return rec.Result(), r.Context().Err()
}

// scripted runs a test in a bubble, so that waits take no time, against a table "t" that a script answers for.
// The SDK's own retries are off: what is tested are those on top of them.
func scripted(t *testing.T, script []answer, test func(t *testing.T, s *server, tab *dynamo.Table)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &server{script: script}
		client := dynamodb.New(dynamodb.Options{
			BaseEndpoint: aws.String("http://dynamodb.test"), Region: "us-east-1", Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), HTTPClient: &http.Client{Transport: s},
		})
		test(t, s, dynamo.New(client, "t"))
	})
}
