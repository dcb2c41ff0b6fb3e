// Package sqs puts messages into SQS queues.
package sqs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A Queue is one queue. The SDK's retries are on: a message that is sent twice is harmless, since messages are hints.
type Queue struct {
	Client *sqs.Client
	URL    string
}

// Send puts a message in the queue, visible after delay (SQS: 0 to 15 minutes, in whole seconds, rounded up).
func (q *Queue) Send(ctx context.Context, body []byte, delay time.Duration) error {
	seconds := int32((min(delay, 15*time.Minute) + time.Second - 1) / time.Second)
	_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.URL, MessageBody: aws.String(string(body)), DelaySeconds: max(seconds, 0),
	})
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}
