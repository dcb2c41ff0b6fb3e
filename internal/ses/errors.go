package ses

import (
	"errors"
	"net"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"tidings/internal/delivery"
)

// codes maps SES's error codes to what they mean for a whole call (sesv2/types/errors.go). Some documents say
// ThrottlingException where the API answers TooManyRequestsException, so both are here.
var codes = map[string]delivery.Verdict{
	(&types.TooManyRequestsException{}).ErrorCode():           delivery.Throttled,
	"ThrottlingException":                                     delivery.Throttled,
	"Throttling":                                              delivery.Throttled,
	(&types.LimitExceededException{}).ErrorCode():             delivery.Quota,
	(&types.AccountSuspendedException{}).ErrorCode():          delivery.Halt,
	(&types.SendingPausedException{}).ErrorCode():             delivery.Halt,
	(&types.MailFromDomainNotVerifiedException{}).ErrorCode(): delivery.Halt,
	(&types.NotFoundException{}).ErrorCode():                  delivery.Halt,
	"AccessDeniedException":                                   delivery.Halt,
	"UnrecognizedClientException":                             delivery.Halt,
	"InvalidClientTokenId":                                    delivery.Halt,
	"InvalidSignatureException":                               delivery.Throttled, // an expired signature: refused before anything was done
	"SignatureDoesNotMatch":                                   delivery.Halt,
	"ExpiredTokenException":                                   delivery.Throttled, // the role's credentials are renewed by the next invocation
	"RequestExpired":                                          delivery.Throttled,
	(&types.MessageRejected{}).ErrorCode():                    delivery.Refused,
	(&types.BadRequestException{}).ErrorCode():                delivery.Refused,
	"ValidationException":                                     delivery.Refused,
	"SerializationException":                                  delivery.Refused,
}

// classify turns an error of a send call into a *delivery.SendError. Only what is certain is called not sent: an
// answer with a known code, or a connection that was refused before any byte was written.
func classify(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if v, known := codes[api.ErrorCode()]; known {
			return &delivery.SendError{Verdict: v, Code: api.ErrorCode()}
		}
		return &delivery.SendError{Verdict: delivery.Ambiguous, Code: "UnexpectedAnswer"}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && errors.Is(err, syscall.ECONNREFUSED) {
		return &delivery.SendError{Verdict: delivery.Throttled, Code: "ConnectionRefused"}
	}
	return &delivery.SendError{Verdict: delivery.Ambiguous, Code: "NoAnswer"}
}
