// Package digest is a digest's life before and around its delivery: it is drafted from articles, looked at, tested,
// scheduled with its content frozen, and changed or called off. It exists so that what was checked is what is sent, at
// the hour that was meant, and so that two editors can't both win: every step is a conditional write.
//
// # Scheduling survives crashes
//
// Two systems have to agree: the table, which says what is true, and the scheduler, which rings at an hour. The table is
// written first, in one transaction: state, frozen content and the schedule's version, one higher than any before it. Then
// the alarm is set under a name that holds this version, and last the table notes that the alarm is set. So
//
//   - nobody can overwrite another's alarm: a version belongs to the one editor whose write won;
//   - an alarm that outlives its schedule (edited, cancelled) rings with a version that is not the digest's any more, and
//     dispatch ignores it;
//   - a crash between the writes leaves a scheduled digest that is not armed. Whoever reads it next, in the list or by
//     itself, sets its alarm (Service.heal), which does no harm when done twice. So does Service.Heal, which compose runs. A digest
//     whose hour has passed by some minutes is started in the same way.
//
// The alternative, to set the alarm before the table is written, would lose a digest whose alarm rings in between.
//
// # The month's draft
//
// Composition drafts what is new once a month. It too may be run twice or die halfway: the draft's ID is made of the month, so
// that there can be one only. What counts as new is an article that is in no digest and was changed since the newest digest was
// made: an imported article keeps its source's date, which says nothing of when visitors could first read it here.
package digest
