package doors

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// maxMessage is SQS's longest message, in bytes.
const maxMessage = 1 << 20

// A message is the input of SQS's SendMessage, as far as Tidings uses it.
type message struct {
	QueueURL     string `json:"QueueUrl"`
	MessageBody  string
	DelaySeconds int
}

// sendMessage puts a message in a queue. The SDK compares the digest with its own: SQS names MD5, as a checksum.
func (s *Server) sendMessage(ctx context.Context, in message) (any, *apiError) {
	q, ok := s.Queues[in.QueueURL]
	if !ok {
		return nil, noQueue()
	}
	if len(in.MessageBody) == 0 || len(in.MessageBody) > maxMessage {
		return nil, &apiError{status: http.StatusBadRequest, code: "com.amazonaws.sqs#InvalidMessageContents", message: "A message has 1 to 1,048,576 bytes."}
	}
	if in.DelaySeconds < 0 || in.DelaySeconds > 900 {
		return nil, &apiError{status: http.StatusBadRequest, code: "InvalidParameterValue", message: "DelaySeconds is 0 to 900."}
	}
	if err := q.Send(ctx, []byte(in.MessageBody), time.Duration(in.DelaySeconds)*time.Second); err != nil {
		return nil, internal(err)
	}
	sum := md5.Sum([]byte(in.MessageBody))
	return map[string]string{"MessageId": s.NewID(), "MD5OfMessageBody": hex.EncodeToString(sum[:])}, nil
}

func noQueue() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "com.amazonaws.sqs#QueueDoesNotExist", message: "The specified queue does not exist."}
}

// attributes is the input of SQS's GetQueueAttributes.
type attributes struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}

// queueAttributes tells a queue's depth. What waits, is handled and is delayed is all given as the first.
func (s *Server) queueAttributes(ctx context.Context, in attributes) (any, *apiError) {
	q, ok := s.Queues[in.QueueURL]
	if !ok {
		return nil, noQueue()
	}
	d, err := q.Depth(ctx)
	if err != nil {
		return nil, internal(err)
	}
	out := map[string]string{}
	for _, name := range in.AttributeNames {
		switch name {
		case "ApproximateNumberOfMessages":
			out[name] = strconv.Itoa(d.Messages)
		case "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed":
			out[name] = "0"
		case "VisibilityTimeout":
			out[name] = strconv.Itoa(int(d.Visibility / time.Second))
		default:
			return nil, &apiError{status: http.StatusBadRequest, code: "InvalidAttributeName", message: "The local stack does not know that attribute."}
		}
	}
	return map[string]any{"Attributes": out}, nil
}
