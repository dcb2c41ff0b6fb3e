// Package kill holds one test: real processes of the functions dispatch, deliver and feedback serve a digest, on DynamoDB Local and the
// local SES, and are killed with SIGKILL again and again while they do. At the end everyone has one mail, by the SES's own record.
// It exists because a simulation proves the code it runs and not the binary: its SDK, its connections, its start and its end.
//
//	make kill-test                                    everything, about nine minutes
//	make kill-test PEOPLE=2000 KILLS=25 PATIENT=no    as CI runs it, about half a minute
//
// A process dies at one of two kinds of moments: exactly before or after one of its calls takes effect, or at any time in an invocation.
// What it had asked for happens all the same.
//
// The patient test waits as long as the design does: for the leases of the dead (115 s), and for the grace of an attempt whose call may
// never have been made (6 minutes). The impatient one buries the dead: it gives their leases and shares back as they would have at their
// end, which touches efficiency only, since safety rests on the attempt's condition and the fence; and it kills nobody between an
// attempt and its call, the one place where only the grace helps.
package kill
