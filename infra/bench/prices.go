package main

// List prices of us-east-1 in US dollars, without free tiers, as of 2026-11-24. Where a price was read off the service's own page
// or AWS's price list that day it says so; "unconfirmed" ones are from other people's pages of 2025 and 2026, which agree.
const (
	// DynamoDB on demand, standard class, since the cut of 1 November 2024 (unconfirmed).
	priceWriteUnit = 0.625 / 1e6 // a write request unit: 1 KB, twice that in a transaction
	priceReadUnit  = 0.125 / 1e6 // a read request unit: 4 KB consistent, 8 KB eventually
	// SQS standard, after the first million of a month (unconfirmed). Up to ten messages, up to 64 KB, are a request.
	priceSQS = 0.40 / 1e6
	// Lambda: requests (aws.amazon.com/lambda/pricing), and arm64's first tier of GB-seconds (unconfirmed; artillery's price file agrees).
	priceInvocation = 0.20 / 1e6
	priceGBSecond   = 0.0000133334
	// EventBridge Scheduler, after the first 14 million of a month (AWS's price list).
	priceSchedule = 1.00 / 1e6
	// EventBridge's default bus. aws.amazon.com/eventbridge/pricing gives "AWS management events" for nothing and prices "AWS opt-in data
	// events, such as S3's" like custom ones. Which of the two SES's events are is unconfirmed: nobody's page says. The bench reckons
	// with the first and shows what the second would add.
	priceEvent      = 0.0
	priceEventOptIn = 1.00 / 1e6
	// SESv2's own calls have no price beside that of the mails; Systems Manager's standard parameters and their reading are free.
)

// Memory of the functions in GB, as template.yaml has it.
var memory = map[string]float64{"dispatch": 0.25, "deliver": 0.5, "feedback": 0.25}
