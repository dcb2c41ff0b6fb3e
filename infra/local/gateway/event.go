package gateway

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// event describes a request in payload format 2.0.
func event(r *http.Request, key string, params map[string]string, body []byte, id string, now time.Time) events.APIGatewayV2HTTPRequest {
	ip := r.RemoteAddr
	if host, _, err := net.SplitHostPort(ip); err == nil {
		ip = host
	}
	headers, cookies := headers(r, ip)
	ev := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: headers, Cookies: cookies, QueryStringParameters: query(r), PathParameters: params,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: key, AccountID: "000000000000", APIID: "local", Stage: "$default", RequestID: id,
			DomainName: r.Host, DomainPrefix: "local",
			Time: now.UTC().Format("02/Jan/2006:15:04:05 +0000"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent(),
			},
		},
	}
	if len(body) == 0 {
		return ev
	}
	if isText(r) && utf8.Valid(body) {
		ev.Body = string(body)
	} else {
		ev.Body, ev.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return ev
}

// headers returns the headers by their names in lower case, values of one name joined by commas, and the cookies, which
// format 2.0 has apart.
func headers(r *http.Request, ip string) (map[string]string, []string) {
	all := map[string]string{"host": r.Host}
	var cookies []string
	for k, v := range r.Header {
		if k == "Cookie" {
			for _, line := range v {
				for c := range strings.SplitSeq(line, ";") {
					cookies = append(cookies, strings.TrimSpace(c))
				}
			}
			continue
		}
		all[strings.ToLower(k)] = strings.Join(v, ",")
	}
	if before := all["x-forwarded-for"]; before != "" {
		ip = before + ", " + ip
	}
	all["x-forwarded-for"], all["x-forwarded-proto"] = ip, "http"
	return all, cookies
}

// query returns the parameters of the query, values of one name joined by commas; nil without any.
func query(r *http.Request) map[string]string {
	if r.URL.RawQuery == "" {
		return nil
	}
	all := map[string]string{}
	for k, v := range r.URL.Query() {
		all[k] = strings.Join(v, ",")
	}
	return all
}

// isText reports whether API Gateway passes a body on as it is; all others, forms among them, it encodes in base64.
func isText(r *http.Request) bool {
	if r.Header.Get("Content-Encoding") != "" {
		return false
	}
	mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return false
	case mt == "application/json", mt == "application/javascript", mt == "application/xml":
		return true
	}
	return strings.HasPrefix(mt, "text/")
}

func decodeBody(res events.APIGatewayV2HTTPResponse) ([]byte, error) {
	if !res.IsBase64Encoded {
		return []byte(res.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(res.Body)
	if err != nil {
		return nil, fmt.Errorf("decode the body of the function's answer: %w", err)
	}
	return body, nil
}
