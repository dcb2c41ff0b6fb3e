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
// of its attempt has come, and the witness is alive: events of mail that was sent later have been recorded (see EventWitness).
//
// No attempt is written while the one before is unresolved. An unresolved slot is attempted again when the grace is over, no event
// of its attempt has come, and the witness is alive: events of mail that was sent later have been recorded (see EventWitness).
//
// Marks are sets of slots that are only added to, so every write of them can be repeated, and figures are sizes of sets. The
// items and their keys are described at store.Ledger.
//
// # Control
//
// The digest's state is read consistently between claim and attempt, so that after a pause or cancel at most the attempt
// that was already written takes effect. The same read, of the subscribers, makes leaving immediate.
//
// # Who does what
//
// Dispatcher opens a digest at its hour and sweeps once a minute while it goes out. Worker goes through a shard. Feedback records
// SES's events. Desk is where editors pause, resume and cancel. Counter counts the progress, from the ledger alone. Mail that is
// not a digest's (confirmations, tests) is Singles' business.
//
// # Who does what
//
// Dispatcher opens a digest at its hour and sweeps once a minute while it goes out. Worker goes through a shard. Feedback records
// SES's events. Desk is where editors pause, resume and cancel. Counter counts the progress, from the ledger alone. Mail that is
// not a digest's (confirmations, tests) is Singles' business.
package delivery
