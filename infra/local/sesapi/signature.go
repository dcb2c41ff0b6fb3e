package sesapi

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxSignatureAge is how far a signature's time may be from SES's in either direction (IAM user guide, "Elements of an AWS API
// request signature"). Delivery's fence rests on it: a call that is older takes no effect.
const maxSignatureAge = 5 * time.Minute

const amzTime = "20060102T150405Z"

// authorization is the header of Signature Version 4. Date, region and service stand in the credential's scope.
var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[\w+=,.@-]+/(\d{8})/[a-z0-9-]+/([a-z0-9]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`)

// checkSignature refuses what is unsigned, signed for another service, or not signed now. The signature's value is not checked: there is
// no secret here.
func checkSignature(r *http.Request, now time.Time) *apiError {
	auth := r.Header.Get("Authorization")
	if auth == "" {
		return forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	m := authorization.FindStringSubmatch(auth)
	if m == nil {
		return forbidden("IncompleteSignatureException", "The Authorization header is not of the form of Signature Version 4.")
	}
	at, err := time.Parse(amzTime, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return forbidden("IncompleteSignatureException", "Authorization header requires existence of an 'X-Amz-Date' header of the form %s.", amzTime)
	}
	switch date, service, signed := m[1], m[2], strings.Split(m[3], ";"); {
	case service != "ses":
		return forbidden("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'ses'.")
	case date != at.Format("20060102"):
		return forbidden("SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	case !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date"):
		return forbidden("SignatureDoesNotMatch", "'host' and 'x-amz-date' must be signed.")
	}
	now = now.UTC()
	if now.Sub(at) > maxSignatureAge {
		return forbidden("InvalidSignatureException", "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			at.Format(amzTime), now.Add(-maxSignatureAge).Format(amzTime), now.Format(amzTime))
	}
	if at.Sub(now) > maxSignatureAge {
		return forbidden("InvalidSignatureException", "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			at.Format(amzTime), now.Add(maxSignatureAge).Format(amzTime), now.Format(amzTime))
	}
	return nil
}
