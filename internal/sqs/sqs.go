// Package sqs puts messages into SQS queues, and asks how many are in them.
package sqs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tidings/internal/delivery"
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

// counts are the attributes that add up to a queue's depth.
var counts = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

// Depth returns how many messages the queue holds. SQS's counts are right when nobody has sent for a minute
// (GetQueueAttributes: "eventual consistency").
func (q *Queue) Depth(ctx context.Context) (delivery.Depth, error) {
	names := append(counts[:len(counts):len(counts)], types.QueueAttributeNameVisibilityTimeout)
	out, err := q.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: names})
	if err != nil {
		return delivery.Depth{}, fmt.Errorf("get depth of queue: %w", err)
	}
	var d delivery.Depth
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return delivery.Depth{}, fmt.Errorf("get depth of queue: no %s in the answer", name)
		}
		if name == types.QueueAttributeNameVisibilityTimeout {
			d.Visibility = time.Duration(n) * time.Second
		} else {
			d.Messages += n
		}
	}
	return d, nil
}
