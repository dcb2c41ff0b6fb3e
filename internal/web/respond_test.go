package web_test

import (
	"net/http"
	"testing"

	"tidings/internal/web"
)

func TestWantsHTML(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "garbage;;": false, "application/xml": false, "application/json": false, "text/html": true, "text/*": true,
		"text/html,application/xhtml+xml,*/*;q=0.8": true, "application/json,text/html": false, "application/json;q=0.1,text/html": true,
		"text/html;q=0": false, "text/html;q=0, application/json": false, "text/html;q=0.5, application/problem+json": false, "text/html;q=x": false,
	} {
		if got := web.WantsHTML(&http.Request{Header: http.Header{"Accept": {accept}}}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}
