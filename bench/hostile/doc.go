// Package hostile measures whether others notice what one peer does to
// Geargate. Every attack (attacks.go) has a Geargate of its own and goes on for
// a few seconds; meanwhile others are looked after: a client that sends
// ECHO_REQ every 5 ms, and one that has a job done every 20 ms by a worker of
// its own. It is for Geargate alone: gearmand is started as a backend behind
// it, and nothing else is ever loaded.
//
// The attacked machine is the attacking one, so the parts are processes
// (part.go) that the scheduler can tell apart: the attacker (field.go and
// attack_*.go) comes last, the probes (probe.go) come first, and Geargate and a
// control between them. The control (control.go) is an echo server that nobody
// attacks. It is probed like Geargate at the same moments: what it is late is
// the machine's part.
//
// Probes are due at fixed times, whatever has become of those before, and their
// latency counts from when they were due (series.go). An answer that never
// comes counts as long as it was waited for.
//
// play.go plays one attack from beginning to end; outcome.go says what must
// hold. docs/hostile.md says how to read what comes of it.
package hostile
