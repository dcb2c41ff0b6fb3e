// Package rig runs the functions' binaries on this machine as Lambda runs them: a process for each sandbox, invocations by the Lambda
// Runtime API, and behind one address of loopback a DynamoDB, the local SES, and the local stack's queues, keys and schedules. It exists
// for what only real processes can show: that they may be killed at any moment (package kill), and what CPU and memory they take
// (package bench).
//
// Environment, queues and the rule for SES's events come from template.yaml. The rig stands between a process and every
// service it calls, so that a Tap can end the process exactly before or after a call takes effect.
package rig
