// Package router is Geargate's core: it decides which backend gets a job,
// which worker wakes, who hears of a result, and what becomes of everything
// when a peer dies. It is one pure state machine. Step takes the time and one
// event and returns what must be done; there is no socket, clock, goroutine,
// lock, log or random source here, so that every decision can be written down
// in a script and played again.
//
// # The two sides
//
//	clients, workers                                       job servers
//	 session ─┐                                        ┌─ submit link, one per lane ─┐
//	 session ─┼─► submit.go ──► pick.go ──► owed.go ───┤                             ├ backend
//	 session ─┘      ▲                                 └─ group link, a few per group┘
//	    ▲            │ job.go, jobtable.go                      │        │
//	    └── session.go (in order) ◄── created.go, relay.go ◄── reply.go  │
//	    └── seek.go, worker.go ◄── grab.go, group.go ◄── assignment.go ◄─┘
//
// A session is a connection of a client, a worker, an administrator, or all
// three. A link is a connection to a backend, which is a job server; the
// router cannot tell a remote one from one in the same process. Links come in
// two kinds. A submit link carries what clients ask, many clients mixed; to
// a backend that stores there is a second one per lane, for background submissions.
// A group link is a worker in the eyes of its backend: it can do what every member
// of its group can, and grabs jobs on their behalf.
//
// # Replies
//
// Gearman's replies carry no request id, on either side. On a link, what the
// backend still owes stands in a queue (owed.go), and its head says whom the
// next reply is for. On a session, what the router still owes stands in a
// queue of its own (session.go): replies leave in the order they were asked
// for, whichever backend was quicker, and packets of a job stay behind its
// JOB_CREATED.
//
// # Operators
//
// Drain and Undrain keep new jobs away from a backend, and let them come.
// Reload puts another configuration in force (reload.go): backends come, leave
// when they are empty (drain.go) and change their address, and functions are
// led to other pools (route.go), while sessions go on. Survey asks backends how
// many jobs they have, for Report and Count. LameDuck lets sessions go to a
// successor (lameduck.go). Restrict takes functions from a session that may not
// work on them any more, and Forwarded has the handle of a job of the spool lead
// to where the job is now (forwarded.go). Report, Count and Roster (roster.go) show what there
// is: backends, functions, and who does what.
//
// # States
//
// The drawings stand beside the types: jobState in job.go, assignmentState in
// assignment.go (a job a worker of ours is to run), linkState in link.go,
// workerState in worker.go, healthState in health.go and standing in drain.go (a
// backend).
//
// # When a backend is lost
//
// failover.go decides what becomes of what was under way there, probe.go when a
// backend is lost that does not say so, unfit.go puts one out that cannot give
// jobs to our workers, and proof.go sees that the links in use lead to one
// process. Jobs wait in hold.go while no backend takes them, ghost.go keeps a
// job from being joined to its own remains, and orphan.go goes on with what
// workers of ours run.
//
// # What holds after every Step
//
//   - A link's owed queue matches what was sent on it.
//   - Every foreground submission that was accepted has one listener, until it
//     has been told the last packet of its job or its session has closed.
//   - No worker sleeps while its group has a ready job and nobody is woken for
//     it, and none waits for a GRAB_JOB while no link can bring one.
//   - A job is held by one worker of ours at most, unless its backend was lost
//     under it.
package router
