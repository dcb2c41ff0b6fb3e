// Package ses speaks SESv2. It exists to send each message at most once per call: the SDK's retries are off for sends, the signature
// carries the time the ledger knows, and an error says whether it is certain that nothing was sent.
package ses

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"tidings/internal/delivery"
)

// sendTimeout bounds a send call, so that with a signature that SES accepts for 5 minutes the time of its effect is bounded too.
const sendTimeout = 30 * time.Second

// accountAge is how long an answer of GetAccount is used (it has a quota of calls of its own).
const accountAge = 60 * time.Second

// A Client sends mail and reads the account's limits. It is safe for concurrent use.
type Client struct {
	api *sesv2.Client
	now func() time.Time

	mu      sync.Mutex
	account delivery.Account
}

// New returns a client. The time of a request's signature is the send's own, or now's.
func New(cfg aws.Config, now func() time.Time, options ...func(*sesv2.Options)) *Client {
	options = append(options, func(o *sesv2.Options) {
		o.HTTPSignerV4 = &signer{v4.NewSigner(), now}
	})
	return &Client{api: sesv2.NewFromConfig(cfg, options...), now: now}
}

// signedAt is the context key of a request's signing time.
type signedAt struct{}

// A signer signs with the time that the ledger has written down, without correction of skew.
type signer struct {
	v4  *v4.Signer
	now func() time.Time
}

// SignHTTP implements sesv2.HTTPSignerV4.
func (s *signer) SignHTTP(ctx context.Context, cred aws.Credentials, r *http.Request, hash, service, region string, _ time.Time, opts ...func(*v4.SignerOptions)) error {
	t, ok := ctx.Value(signedAt{}).(time.Time)
	if !ok {
		t = s.now()
	}
	return s.v4.SignHTTP(ctx, cred, r, hash, service, region, t, opts...)
}

// once turns the SDK's retries off.
func once(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} }

// From is who a mail comes from and how it is accounted.
type From struct {
	Address          string // `Name <address>`
	ReplyTo          string // optional
	ConfigurationSet string
}

// Bulk sends digests for one sender; it implements delivery.Sender.
type Bulk struct {
	*Client
	From From
}

// SendBulk makes one SendBulkEmail call with an inline template.
func (s *Bulk) SendBulk(ctx context.Context, b delivery.Bulk) ([]delivery.Result, error) {
	in, err := s.input(b)
	if err != nil {
		return nil, &delivery.SendError{Verdict: delivery.Refused, Code: "EncodingFailed"}
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, signedAt{}, b.SignedAt), sendTimeout)
	defer cancel()
	out, err := s.api.SendBulkEmail(ctx, in, once)
	if err != nil {
		return nil, classify(err)
	}
	results := make([]delivery.Result, len(out.BulkEmailEntryResults))
	for i, r := range out.BulkEmailEntryResults {
		results[i] = delivery.Result{Status: string(r.Status), MessageID: aws.ToString(r.MessageId)}
	}
	return results, nil
}

func (s *Bulk) input(b delivery.Bulk) (*sesv2.SendBulkEmailInput, error) {
	in := &sesv2.SendBulkEmailInput{
		FromEmailAddress:     &s.From.Address,
		ConfigurationSetName: &s.From.ConfigurationSet,
		DefaultEmailTags:     tags(b.Tags),
		DefaultContent: &types.BulkEmailContent{Template: &types.Template{
			TemplateContent: &types.EmailTemplateContent{Subject: &b.Content.Subject, Html: &b.Content.HTML, Text: &b.Content.Text},
			TemplateData:    aws.String("{}"),
		}},
		ConfigurationOverrides: noTracking(),
	}
	if s.From.ReplyTo != "" {
		in.ReplyToAddresses = []string{s.From.ReplyTo}
	}
	for _, e := range b.Entries {
		data, err := json.Marshal(e.Data)
		if err != nil {
			return nil, fmt.Errorf("encode substitutions: %w", err)
		}
		in.BulkEmailEntries = append(in.BulkEmailEntries, types.BulkEmailEntry{
			Destination:        &types.Destination{ToAddresses: []string{e.To}},
			ReplacementHeaders: headers(e.Headers),
			ReplacementTags:    tags(e.Tags),
			ReplacementEmailContent: &types.ReplacementEmailContent{
				ReplacementTemplate: &types.ReplacementTemplate{ReplacementTemplateData: aws.String(string(data))},
			},
		})
	}
	return in, nil
}

// noTracking keeps SES from rewriting links and adding a pixel, whatever the configuration set says.
func noTracking() *types.ConfigurationOverrides {
	return &types.ConfigurationOverrides{Tracking: &types.TrackingConfigurationOverrides{
		OpenTrackingEnabled:  types.FeatureStatusDisabled,
		ClickTrackingEnabled: types.FeatureStatusDisabled,
	}}
}

func headers(list []delivery.Header) []types.MessageHeader {
	out := make([]types.MessageHeader, len(list))
	for i := range list {
		out[i] = types.MessageHeader{Name: &list[i].Name, Value: &list[i].Value}
	}
	return out
}

// tags lists message tags in the order of their names, so that equal sends are equal requests.
func tags(m map[string]string) []types.MessageTag {
	var out []types.MessageTag
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, types.MessageTag{Name: aws.String(name), Value: aws.String(m[name])})
	}
	return out
}

// Account returns the sending limits, at most 60 s old.
func (c *Client) Account(ctx context.Context) (delivery.Account, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if age := now.Sub(c.account.ReadTime); age >= 0 && age < accountAge {
		return c.account, nil
	}
	out, err := c.api.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		return delivery.Account{}, fmt.Errorf("get SES account: %w", err)
	}
	a := delivery.Account{Enabled: out.SendingEnabled, Sandbox: !out.ProductionAccessEnabled, ReadTime: now}
	if q := out.SendQuota; q != nil {
		a.Rate, a.Quota, a.Sent = q.MaxSendRate, q.Max24HourSend, q.SentLast24Hours
	}
	c.account = a
	return a, nil
}
