package sesapi

import (
	"encoding/json"
	"slices"
	"time"
)

// eventTypes are the types that the local SES publishes: eventType → MatchingEventTypes' name, EventBridge's detail-type ("Monitoring SES
// events using Amazon EventBridge").
var eventTypes = map[string][2]string{
	"Send":              {"SEND", "Email Sent"},
	"Delivery":          {"DELIVERY", "Email Delivered"},
	"Bounce":            {"BOUNCE", "Email Bounced"},
	"Complaint":         {"COMPLAINT", "Email Complaint Received"},
	"Rendering Failure": {"RENDERING_FAILURE", "Email Rendering Failed"},
}

// Events as EventBridge carries them ("Amazon SES event publishing: contents of event data").
type (
	envelope struct {
		Version    string   `json:"version"`
		ID         string   `json:"id"`
		DetailType string   `json:"detail-type"`
		Source     string   `json:"source"`
		Account    string   `json:"account"`
		Time       string   `json:"time"`
		Region     string   `json:"region"`
		Resources  []string `json:"resources"`
		Detail     detail   `json:"detail"`
	}
	detail struct {
		EventType string    `json:"eventType"`
		Mail      eventMail `json:"mail"`
		Send      *struct{} `json:"send,omitempty"`
		Delivery  any       `json:"delivery,omitempty"`
		Bounce    any       `json:"bounce,omitempty"`
		Complaint any       `json:"complaint,omitempty"`
		Failure   any       `json:"failure,omitempty"`
	}
	eventMail struct {
		MessageID   string              `json:"messageId"`
		Timestamp   string              `json:"timestamp"`
		Source      string              `json:"source"`
		Destination []string            `json:"destination"`
		Tags        map[string][]string `json:"tags"`
	}
	delivery struct {
		Timestamp            string   `json:"timestamp"`
		ProcessingTimeMillis int      `json:"processingTimeMillis"`
		Recipients           []string `json:"recipients"`
		SMTPResponse         string   `json:"smtpResponse"`
		ReportingMTA         string   `json:"reportingMTA"`
	}
	bounce struct {
		BounceType        string      `json:"bounceType"`
		BounceSubType     string      `json:"bounceSubType"`
		BouncedRecipients []recipient `json:"bouncedRecipients"`
		Timestamp         string      `json:"timestamp"`
		FeedbackID        string      `json:"feedbackId"`
	}
	complaint struct {
		ComplainedRecipients  []recipient `json:"complainedRecipients"`
		Timestamp             string      `json:"timestamp"`
		FeedbackID            string      `json:"feedbackId"`
		ComplaintFeedbackType string      `json:"complaintFeedbackType"`
	}
	recipient struct {
		EmailAddress   string `json:"emailAddress"`
		Action         string `json:"action,omitempty"`
		Status         string `json:"status,omitempty"`
		DiagnosticCode string `json:"diagnosticCode,omitempty"`
	}
	failure struct {
		ErrorMessage string `json:"errorMessage"`
		TemplateName string `json:"templateName"`
	}
)

// millis is the form of times within SES's events.
const millis = "2006-01-02T15:04:05.000Z"

// A reporter makes the events of one mail.
type reporter struct {
	*Server
	mail   eventMail
	all    bool // of a set whose types nobody chose
	types  []string
	none   bool // the call names no configuration set
	at     time.Time
	events [][]byte
}

func (s *Server) reporter(m *Mail) *reporter {
	set := m.call.set
	r := &reporter{Server: s, at: m.AcceptedAt.UTC(), none: set == "", all: s.ConfigurationSets == nil, types: s.ConfigurationSets[set]}
	if r.none {
		return r
	}
	source, _ := mailbox(m.call.from) // was checked
	r.mail = eventMail{MessageID: m.ID, Timestamp: r.at.Format(millis), Source: source, Destination: m.To, Tags: map[string][]string{"ses:configuration-set": {set}}}
	for _, t := range m.Tags() {
		r.mail.Tags[t.Name] = append(r.mail.Tags[t.Name], t.Value)
	}
	return r
}

// add appends an event if the configuration set publishes its type.
func (r *reporter) add(d detail) {
	names := eventTypes[d.EventType]
	if r.none || !r.all && !slices.Contains(r.types, names[0]) {
		return
	}
	d.Mail = r.mail
	e, _ := json.Marshal(envelope{ // text, numbers and lists of them only
		Version: "0", ID: r.NewID(), DetailType: names[1], Source: "aws.ses", Account: r.Account, Time: r.at.Format(time.RFC3339), Region: r.Region,
		Resources: []string{"arn:aws:ses:" + r.Region + ":" + r.Account + ":configuration-set/" + r.mail.Tags["ses:configuration-set"][0]}, Detail: d,
	})
	r.events = append(r.events, e)
}

func (r *reporter) send() { r.add(detail{EventType: "Send", Send: &struct{}{}}) }

func (r *reporter) failure(why string) {
	r.add(detail{EventType: "Rendering Failure", Failure: failure{ErrorMessage: why}})
}

func (r *reporter) delivery(to string) {
	r.add(detail{EventType: "Delivery", Delivery: delivery{
		Timestamp: r.mail.Timestamp, ProcessingTimeMillis: 1, Recipients: []string{to}, SMTPResponse: "250 ok", ReportingMTA: "localhost",
	}})
}

func (r *reporter) bounce(to, subType, diagnostic string) {
	r.add(detail{EventType: "Bounce", Bounce: bounce{
		BounceType: "Permanent", BounceSubType: subType, Timestamp: r.mail.Timestamp, FeedbackID: r.NewID(),
		BouncedRecipients: []recipient{{EmailAddress: to, Action: "failed", Status: "5.1.1", DiagnosticCode: diagnostic}},
	}})
}

func (r *reporter) complaint(to string) {
	r.add(detail{EventType: "Complaint", Complaint: complaint{
		ComplainedRecipients: []recipient{{EmailAddress: to}}, Timestamp: r.mail.Timestamp, FeedbackID: r.NewID(), ComplaintFeedbackType: "abuse",
	}})
}
