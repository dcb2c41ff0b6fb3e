package dynamo

import (
	"bytes"
	"io"
	"net/http"
)

// BufferedTransport reads every answer into memory before it hands it on.
//
// On Go 1.26 with smithy-go 1.28, against servers that answer faster than a request's body is closed,
// 1 to 4 % of answers of 17 KB and more fail with "use of closed network connection". The SDK's retries
// hide that, but a send has none. Servers on loopback are that fast, those of AWS are not; answers of
// every service used here are small enough for memory anyway.
type BufferedTransport struct {
	// Base sends the requests; nil means http.DefaultTransport.
	Base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t BufferedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	res, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
