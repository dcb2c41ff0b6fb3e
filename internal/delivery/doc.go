// Package delivery sends a digest to everyone in its audience, once. It exists because SES has no idempotency token: a
// request whose answer is lost may or may not have been sent, and a system that keeps no ledger then either sends
// twice or loses people.
//
// # The ledger
//
// The table is the truth and messages are hints. A digest is cut into shards, each a run of partitions of the audience
// index. One worker at a time holds a shard's lease and repeats:
//
//	claim    one transaction puts the next ≤ 50 subscriber IDs into a batch, a slot each, moves the cursor, and opens the batch
//	read     those subscribers and the digest's control, consistently: who has left since is skipped, with the reason
//	attempt  the batch's attempt number goes from n-1 to n, with its slots and the time t0, or someone else was first
//	send     at once, one SendBulkEmail call signed at t0, never retried by the SDK
//	record   marks for what the answer makes certain; the batch closes when every slot has an outcome
//
// A worker that dies leaves a state from which the next one knows what may be done:
//
//	claim without attempt            never sent: attempt it
//	attempt, answer "not sent"       certain (throttle, quota, validation): attempt it again
//	attempt, no or a mixed answer    unresolved: only SES's events or the grace can tell
//
// No attempt is written while the one before is unresolved. An unresolved slot is attempted again when the grace is over, no event
// of its attempt has come, and the witness is alive: events have been recorded of mail that SES took after the last moment at which the
// attempt could take effect (its signature's end, five minutes after t0, rather than t0: the way of the events may be cut in between),
// no event waits in feedback's queue and none was given up (see QueueBacklog). Of a mixed answer it is known besides how many
// slots SES took; while fewer have events, the absence of one proves nothing.
//
// Marks are sets of slots that are only added to, so every write of them can be repeated, and figures are sizes of sets. The
// items and their keys are described at store.Ledger.
//
// # Control
//
// The digest's state is read consistently between claim and attempt, so that after a pause or cancel at most the attempt
// that was already written takes effect. The same read, of the subscribers, makes leaving immediate.
//
// # The rate
//
// Workers lease shares of 98.5 % of SES's rate, and each begins a call's reads and writes so long before its time as they took
// lately, so that calls follow each other at the share exactly. Where SES refuses bulk calls although single sends pass, bulk calls are
// made as often as it takes them, and single sends within the same attempts fill the rate (see EachSender). A call has at most
// nine tenths of a second's recipients: a confirmation always finds room.
//
// # What is found before it is sent
//
// Every worker renders one copy before its first call, since SES would take a template that asks for more than copies have, and drop it
// later, recipient by recipient. From 200 recipients on, the first batch is a canary besides: the others wait for its Send events. A
// smaller list is its own canary; a wait for events would be most of the time that it takes.
//
// # Who does what
//
// Dispatcher opens a digest at its hour and sweeps once a minute while it goes out. Intake hands messages to those whom they are for.
// Worker goes through a shard. Feedback records SES's events. Desk is where editors pause, resume and cancel. Counter counts
// the progress, from the ledger, and Reporter reconciles it, recipient by recipient. Mail that is not a digest's (confirmations, tests) is
// Singles' business.
package delivery
