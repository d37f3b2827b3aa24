// Package faults runs real job servers behind Geargate under load, kills,
// freezes and cuts off one part after the other at random moments, and keeps
// a ledger of what was promised to whom.
//
// The ledger (ledger.go) notes each submission, its JOB_CREATED, each run by a
// worker and each answer. What must hold is written down as promises
// (promise.go), each with the figure that was counted:
//
//   - a foreground job that was acknowledged is answered, once, to the client
//     that submitted it, with its own result;
//   - a job that runs more than once does so for a reason that the ledger
//     knows: its worker, its backend or Geargate was hit in between;
//   - a background job that was acknowledged by a backend that keeps its queue
//     on disk is run;
//   - nobody's connection ends but where Geargate itself is killed, and
//     Geargate never ends by itself.
//
// Clients (client.go) and workers (worker.go) are a goroutine each. They do
// what well-behaved ones do: who loses the connection connects again, and a
// client then submits what has no answer again, under the same unique.
//
// A scenario (scenarios.go) starts a stage: a farm, its clients and workers,
// and breaks things there while the load goes on. The order of faults follows
// from the seed; the moment at which each hits is as random as the machine.
// docs/faults.md says how to read what comes of them.
package faults
