package sesapi

import (
	"context"
	"encoding/json"
)

// A call is one decoded request.
type call interface {
	recipients() []string // bare addresses, as far as they can be read
	do(ctx context.Context, s *Server, f Fault) (any, *apiError)
}

// parseCall decodes a request. One that cannot be decoded is a call that does nothing but fail, so that faults and latency
// treat all alike.
func parseCall(op string, body []byte) call {
	var c call
	switch op {
	case GetAccount:
		return getAccount{}
	case SendEmail:
		c = &sendInput{}
	default:
		c = &bulkInput{}
	}
	// Members that are not known here are ignored, as SES does; those whose absence would show are known, and refused.
	if json.Unmarshal(body, c) != nil {
		return malformed{}
	}
	return c
}

type malformed struct{}

func (malformed) recipients() []string { return nil }

func (malformed) do(context.Context, *Server, Fault) (any, *apiError) {
	return nil, &apiError{400, "SerializationException", "The request is not JSON of the operation's shape."}
}

// The inputs of the two sends: members as in sesv2's SendEmailInput and SendBulkEmailInput.
type (
	sender struct {
		FromEmailAddress     string
		ReplyToAddresses     []string
		ConfigurationSetName string
	}
	destination struct {
		ToAddresses  []string `json:",omitempty"`
		CcAddresses  []string `json:",omitempty"`
		BccAddresses []string `json:",omitempty"`
	}
	content struct{ Data, Charset string }
	message struct {
		Subject     *content
		Body        struct{ Html, Text *content }
		Headers     []Header
		Attachments []json.RawMessage
	}
	sendInput struct {
		sender
		Destination destination
		EmailTags   []Tag
		Content     struct {
			Simple   *message
			Raw      *struct{ Data []byte }
			Template json.RawMessage
		}
		ListManagementOptions json.RawMessage
	}
	template struct {
		TemplateName, TemplateArn string
		TemplateContent           *struct{ Subject, Html, Text string }
		TemplateData              string
		Headers                   []Header
		Attachments               []json.RawMessage
	}
	bulkEntry struct {
		Destination             destination
		ReplacementEmailContent struct {
			ReplacementTemplate struct{ ReplacementTemplateData string }
		}
		ReplacementHeaders []Header
		ReplacementTags    []Tag
	}
	bulkInput struct {
		sender
		DefaultContent   struct{ Template *template }
		DefaultEmailTags []Tag
		BulkEmailEntries []bulkEntry
	}
)

// all returns the bare addresses of a destination, as given; an address that breaks the rules is an error.
func (d destination) all() ([]string, *apiError) {
	var out []string
	for _, list := range [][]string{d.ToAddresses, d.CcAddresses, d.BccAddresses} {
		for _, a := range list {
			bare, err := mailbox(a)
			if err != nil {
				return nil, err
			}
			out = append(out, bare)
		}
	}
	if len(out) > maxEntries {
		return nil, badRequest("Recipient count exceeds %d.", maxEntries)
	}
	return out, nil
}

func (in *sendInput) recipients() []string {
	out, _ := in.Destination.all()
	return out
}

func (in *bulkInput) recipients() []string {
	var out []string
	for _, e := range in.BulkEmailEntries {
		to, _ := e.Destination.all()
		out = append(out, to...)
	}
	return out
}

// A getAccount asks for the account's limits.
type getAccount struct{}

func (getAccount) recipients() []string { return nil }

func (getAccount) do(_ context.Context, s *Server, _ Fault) (any, *apiError) {
	t := s.Settings()
	return map[string]any{
		"DedicatedIpAutoWarmupEnabled": false,
		"EnforcementStatus":            "HEALTHY",
		"ProductionAccessEnabled":      true,
		"SendingEnabled":               true,
		"SendQuota": map[string]float64{
			"Max24HourSend":   t.Max24HourSend,
			"MaxSendRate":     t.MaxSendRate,
			"SentLast24Hours": float64(s.limits.used(s.Now())),
		},
	}, nil
}
