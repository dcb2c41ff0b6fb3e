package ses

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"tidings/internal/delivery"
)

// A Mail is one message to one recipient.
type Mail struct {
	From                From
	To                  string
	Subject, HTML, Text string
	Headers             []delivery.Header
	Tags                map[string]string
}

// Send sends a single mail and returns SES's message ID. A throttle or a lost answer is an error, after which the
// message's queue tries again: for a confirmation a second copy is better than none.
func (c *Client) Send(ctx context.Context, m Mail) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	in := &sesv2.SendEmailInput{
		FromEmailAddress:     &m.From.Address,
		ConfigurationSetName: &m.From.ConfigurationSet,
		Destination:          &types.Destination{ToAddresses: []string{m.To}},
		EmailTags:            tags(m.Tags),
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: utf8(m.Subject),
			Body:    &types.Body{Html: utf8(m.HTML), Text: utf8(m.Text)},
			Headers: headers(m.Headers),
		}},
		ConfigurationOverrides: noTracking(),
	}
	if m.From.ReplyTo != "" {
		in.ReplyToAddresses = []string{m.From.ReplyTo}
	}
	out, err := c.api.SendEmail(ctx, in, once)
	if err != nil {
		return "", fmt.Errorf("send mail: %w", classify(err))
	}
	return aws.ToString(out.MessageId), nil
}

func utf8(s string) *types.Content { return &types.Content{Data: &s, Charset: aws.String("UTF-8")} }
