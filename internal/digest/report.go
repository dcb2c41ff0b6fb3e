package digest

import "context"

// A Report says of each recipient of a digest what became of it, a page at a time. Who was met on the way but is not in the
// audience is not in it, so that the items of all pages of a digest that has ended are as many as the totals' Audience.
type Report struct {
	Items  []Recipient `json:"items"`
	Next   string      `json:"next"` // cursor of the next page; empty: there is none. A page may have no items and a next one.
	Totals Progress    `json:"totals"`
}

// A Recipient is one line of a report. It holds nothing but the ID.
type Recipient struct {
	Subscriber string `json:"subscriber"`
	Outcome    string `json:"outcome"` // accepted, failed, skipped or unresolved
	// Reason says more: of accepted twice, complained, bounced, soft, delivered or nothing; of failed rejected, unrendered, dropped or
	// unknown; of skipped left, paused, topics or cancelled; of unresolved claimed or attempted.
	Reason string `json:"reason"`
}

// A Reporter makes reports.
type Reporter interface {
	// Report returns the page of a digest's report at a cursor ("": the first), with about limit items at the most, and of one
	// outcome only unless it is empty. An unknown outcome or cursor is fault.Invalid.
	Report(ctx context.Context, digest, outcome, cursor string, limit int) (Report, error)
}
