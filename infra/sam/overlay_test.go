package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/infra/local/template"
)

// TestOverlay derives from the project's own template, and reads what came of it as the local stack does.
func TestOverlay(t *testing.T) {
	t.Parallel()
	path, err := template.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"TABLE_NAME":"tidings-x","MAIL_QUEUE_URL":"https://sqs/mail"}`))
	}))
	defer stack.Close()
	dir := t.TempDir()
	built := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(built, src, 0o600); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), []string{"overlay", "-template", built, "-environ", stack.URL,
		"-endpoint", "SQS=http://172.17.0.1:1", "-endpoint", "DYNAMODB=http://172.17.0.1:2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	derived, err := template.Read(filepath.Join(dir, "local.yaml"), map[string]string{
		"BaseUrl": "http://127.0.0.1:3000", "SiteName": "x", "PostalAddress": "x", "BulkAddress": "x", "TransactAddress": "x", "OidcIssuer": "x", "OidcClientId": "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range derived.Functions {
		if f.Environ["AWS_ENDPOINT_URL_SQS"] != "http://172.17.0.1:1" || f.Environ["AWS_ENDPOINT_URL_DYNAMODB"] != "http://172.17.0.1:2" || f.Environ["TABLE_NAME"] == "" {
			t.Errorf("function %s has %v", name, f.Environ)
		}
	}
	var vars struct{ Parameters map[string]string }
	b, err := os.ReadFile(filepath.Join(dir, "local.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &vars); err != nil || vars.Parameters["TABLE_NAME"] != "tidings-x" {
		t.Errorf("variables %s, %v", b, err)
	}
	if now, err := os.ReadFile(built); err != nil || !bytes.Equal(now, src) {
		t.Error("the template itself was changed")
	}
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	const head, tail = "Globals:\n  Function:\n    Timeout: 10\n    Environment:\n      Variables:\n", "        A: b\nResources:\n"
	got, err := declare([]byte(head+tail), map[string]string{"SQS": "http://x:1", "SSM": "http://x:2"})
	want := head + "        AWS_ENDPOINT_URL_SQS: \"http://x:1\"\n        AWS_ENDPOINT_URL_SSM: \"http://x:2\"\n" + tail
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	for name, src := range map[string]string{
		"empty":          "",
		"no globals":     "Resources:\n  F:\n    Environment:\n      Variables:\n",
		"no environment": "Globals:\n  Function:\n    Timeout: 10\nResources:\n  F:\n    Environment:\n      Variables:\n",
		"twice":          head + tail + head + tail,
	} {
		if got, err := declare([]byte(src), map[string]string{"SQS": "http://x:1"}); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// TestOverlayRefuses gives what is missing or no stack's.
func TestOverlayRefuses(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(good, []byte("Globals:\n    Environment:\n      Variables:\n        A: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{"/empty": "{}", "/text": "no"}
	stack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers[r.URL.Path] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Write([]byte(answers[r.URL.Path]))
	}))
	defer stack.Close()
	for want, args := range map[string][]string{
		"usage":       {"overlay"},
		"no such":     {"overlay", "-template", good + "x"},
		"404":         {"overlay", "-template", good, "-environ", stack.URL},
		"has none":    {"overlay", "-template", good, "-environ", stack.URL + "/empty"},
		"invalid":     {"overlay", "-template", good, "-environ", stack.URL + "/text"},
		"unsupported": {"overlay", "-template", good, "-environ", "nowhere"},
		"SERVICE=URL": {"overlay", "-endpoint", "SQS"},
	} {
		if err := run(t.Context(), args, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}
