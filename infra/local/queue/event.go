package queue

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// event is what Lambda makes of a batch.
func (q *Queue) event(batch []*message) ([]byte, error) {
	region := ""
	if parts := strings.Split(q.ARN, ":"); len(parts) > 3 {
		region = parts[3]
	}
	ev := events.SQSEvent{Records: make([]events.SQSMessage, len(batch))}
	q.mu.Lock()
	for i, m := range batch {
		attributes := map[string]string{
			"ApproximateReceiveCount":          strconv.Itoa(m.receives),
			"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
			"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
			"SenderId":                         "tidings-local",
		}
		if from := q.svc.find(m.from); from != nil {
			attributes["DeadLetterQueueSourceArn"] = from.ARN
		}
		sum := md5.Sum(m.body)
		ev.Records[i] = events.SQSMessage{
			MessageId: m.id, ReceiptHandle: m.id + "/" + strconv.Itoa(m.receives), Body: string(m.body), Md5OfBody: hex.EncodeToString(sum[:]),
			Attributes: attributes, MessageAttributes: map[string]events.SQSMessageAttribute{},
			EventSource: "aws:sqs", EventSourceARN: q.ARN, AWSRegion: region,
		}
	}
	q.mu.Unlock()
	payload, err := json.Marshal(ev)
	if err != nil {
		return nil, fmt.Errorf("encode SQS event: %w", err)
	}
	return payload, nil
}

// failures returns the IDs of the messages that an invocation leaves in the queue. (Lambda developer guide, "Handling errors for an SQS event
// source": an error fails the batch; with ReportBatchItemFailures an answer that is empty or null, or whose list is, fails
// nothing; invalid JSON, and an identifier that is empty, null, under a wrong name or of no message of the batch, fails all.)
func failures(partial bool, batch []*message, out []byte, err error) (failed map[string]bool, malformed bool) {
	failed = map[string]bool{}
	if err == nil && !partial {
		return failed, false
	}
	known := make(map[string]bool, len(batch))
	for _, m := range batch {
		known[m.id] = true
	}
	if err != nil {
		return known, false
	}
	out = bytes.TrimSpace(out)
	if len(out) == 0 {
		return failed, false
	}
	var answer struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return known, true
	}
	for _, f := range answer.BatchItemFailures {
		if !known[f.ItemIdentifier] {
			return known, true
		}
		failed[f.ItemIdentifier] = true
	}
	return failed, false
}
