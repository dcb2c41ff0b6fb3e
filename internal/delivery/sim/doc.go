// Package sim proves what package delivery promises, by deterministic simulation. It exists because crashes, lost answers and frozen
// machines meet in more ways than anyone can list, and each of them must neither lose a reader nor mail one twice.
//
// The code under test is the real one: dispatch, deliver, feedback, single mails, the editors' service, the people's links, and all the
// stores, on the embedded engine. The world around it is made up: queues, schedules, SES, the audience index's lag, each process's clock.
// It lives in a testing/synctest bubble, whose clock moves when everybody waits. Every port call parks, and a seeded scheduler lets one
// task run at a time, so that a seed replays byte for byte: `make sim SEED=n` prints its history.
//
// The adversary kills processes before and after the effect of any port call, lets a request land after its client has died or given up,
// freezes processes past each bound and thaws them, loses, repeats, delays and reorders messages and events, silences events beyond
// the grace, fails and doubles writes, lags the index by minutes, sets clocks up to 5 s apart, and lets people and editors act at the very
// moment of a fault. Each seed likes other faults, and other port calls to die at. After a while it rests; the run goes on until the
// digest has ended and all is quiet.
//
// The judge looks at what SES accepted, by SES's own record, and compares the ledger and the figures with that. I1 to I5 are DESIGN's
// invariants. I2's exception is granted only when it is true: the attempt that was repeated had no event in the queue by the end of the
// grace, events of mail sent later had been recorded, and no dead letter told of it.
//
// Whether the judge has teeth is tested by breaking the code on purpose, at the seams between it and the world. TestTeeth makes each of
// these breakages with a seed that catches it; `make sim-teeth` looks for seeds again when the code has changed so much that one doesn't.
//
//	attempt-unconditional       111  the attempt's condition is left out: two workers make the same one
//	claim-in-two                3    the cursor moves in a write of its own, before the batch is there
//	start-in-pieces             20   the start writes status and shards one after the other
//	lease-always                2    a lease is granted while another's is live
//	second-walk-left-out        3    nobody looks for whom the index's lag hid
//	signed-when-sent            32   the signature's time is the call's, not t0: a frozen call has no last moment
//	witness-always-alive        32   the grace alone decides that nothing was sent
//	backlog-ignored             101  events that wait in feedback's queue, or are given up, are forgotten
//	grace-too-short             17   a minute is waited, while a call may land for five
//	retries-on                  3    the SDK repeats a call that had no answer
//	time-out-is-not-sent        3    a call without an answer counts as not made
//	people-read-before-claim    3    who leaves between the reading and the call is mailed
//	control-cached              44   a pause is seen two minutes late
//	record-lost                 1    a batch is closed without its outcomes
//	shares-for-all              43   each worker sends at the whole rate
//	events-of-any-attempt       3    feedback takes all events for the first attempt's
//	failed-events-acknowledged  44   feedback acknowledges events that it could not record
package sim
