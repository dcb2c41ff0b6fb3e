package template

import (
	"encoding/json"
	"fmt"
	"time"
)

// SQS's own defaults.
const (
	defaultVisibility = 30
	defaultRetention  = 4 * 24 * 60 * 60
)

func (t *Template) addQueue(d *document, id string, r resource) error {
	p := struct {
		SqsManagedSseEnabled   bool
		VisibilityTimeout      int
		MessageRetentionPeriod int
		RedrivePolicy          struct {
			DeadLetter      string `json:"deadLetterTargetArn"`
			MaxReceiveCount int    `json:"maxReceiveCount"`
		}
	}{VisibilityTimeout: defaultVisibility, MessageRetentionPeriod: defaultRetention}
	if err := d.into(&p, r.Properties); err != nil {
		return err
	}
	q := Queue{
		Name: id, URL: queueURL(id), ARN: queueARN(id), MaxReceives: p.RedrivePolicy.MaxReceiveCount,
		Visibility: time.Duration(p.VisibilityTimeout) * time.Second, Retention: time.Duration(p.MessageRetentionPeriod) * time.Second,
	}
	if arn := p.RedrivePolicy.DeadLetter; arn != "" {
		url, err := urlOfARN(arn)
		if err != nil {
			return err
		}
		q.DeadLetter = url
	}
	t.Queues[q.URL] = q
	return nil
}

func (t *Template) addRule(d *document, r resource) error {
	var p struct {
		Description  string
		EventPattern any
		Targets      []struct {
			ID               string `json:"Id"`
			Arn              string
			InputTransformer struct {
				InputPathsMap map[string]string
				InputTemplate string
			}
		}
	}
	if err := d.into(&p, r.Properties); err != nil {
		return err
	}
	if len(p.Targets) != 1 || t.Rule.Target != "" {
		return fmt.Errorf("the local stack knows one rule with one target")
	}
	pattern, err := json.Marshal(p.EventPattern)
	if err != nil {
		return err
	}
	url, err := urlOfARN(p.Targets[0].Arn)
	if err != nil {
		return err
	}
	in := p.Targets[0].InputTransformer
	t.Rule = Rule{Pattern: pattern, Paths: in.InputPathsMap, Transform: in.InputTemplate, Target: url}
	return nil
}

// addPublished reads which events SES publishes.
func (t *Template) addPublished(d *document, r resource) error {
	var p struct {
		ConfigurationSetName string
		EventDestination     struct {
			Name                   string
			Enabled                bool
			MatchingEventTypes     []string
			EventBridgeDestination struct {
				Bus string `json:"EventBusArn"`
			}
		}
	}
	if err := d.into(&p, r.Properties); err != nil {
		return err
	}
	if !p.EventDestination.Enabled || p.EventDestination.EventBridgeDestination.Bus == "" {
		return fmt.Errorf("the local stack knows events that are published to EventBridge only")
	}
	t.ConfigurationSet, t.Published = p.ConfigurationSetName, p.EventDestination.MatchingEventTypes
	return nil
}
