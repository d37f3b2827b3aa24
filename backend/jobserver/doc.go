// Package jobserver is a complete Gearman job server without I/O: Step takes
// one event and returns what must be sent. Whoever runs it feeds it what
// connections say, in order, and does what the actions say, in order.
//
// It behaves as gearmand 2.0 does, but for what is listed at the end.
//
// # A job
//
//	SUBMIT_JOB_EPOCH, not due        SUBMIT_*
//	          |                          |
//	          v          due             v         grab
//	       delayed -----------------> queued ----------------> running
//	          |                          |  ^                     |
//	          |                          |  |  worker closes,     | COMPLETE, FAIL,
//	   cancel |        cancel, last      |  |  CANT_DO, RESET,    | EXCEPTION, or lost
//	          |        client gone       |  |  timeout            | with no client or
//	          |                          |  +---------------------| retry left
//	          v                          v                        v
//	        gone                       gone                     gone
//
// A job in any state is joined by a submission of the same function and unique
// (see inFlight): a foreground one adds an attachment, a background one makes
// the job run even when every client leaves. Each attachment is sent each
// packet of the job from then on, a client attached twice being sent two, and
// ends with the job. A job that neither a client waits for nor a background
// submission asked for is gone at once while it is queued; while it runs, its
// worker finishes for nobody, unless a submission joins it before. A running
// job that is cancelled is joined by none.
//
// A queued job goes behind all others of its function and priority, also when
// a worker lost it.
//
// # A durable server
//
// With Config.Durable a background job is stored before it is queued, and its
// submission answered after that:
//
//	SUBMIT_*_BG ---Store---> storing ---Stored---> delayed or queued, as above
//	                            |
//	                            +---StoreFailed---> gone: ERROR QUEUE_ERROR
//
// It is stored until it is gone (Forget), not until it is assigned, and so is
// how often it was lost (Attempts). A foreground job that a background
// submission joins is stored then, and goes on meanwhile; where that fails, it
// is a foreground job as before. A foreground submission that joins a job on
// its way to the disk is answered at once, and the job is its alone where the
// disk fails.
//
// The workload of a stored job may be left to the disk (Config.Memory). Such a
// job runs from its GRAB_JOB on, as any does; the answer waits for the workload
// (Load). One that cannot be read is no reason to lose the job: it is delayed for
// a second and queued again. A job whose workload is gone for good fails.
// While the disk does not answer at all (LoadsHang) no such job is given out, nor
// what is behind it in its queue: the worker gets a job of another queue.
//
// While a reply to a connection waits for the disk, all that the connection is
// sent waits behind it, see hold.
//
// Restore brings jobs back, with their handles, and Resume has new handles go
// on behind. A number that was given out is not used again, also where its job
// was never stored: numbers are reserved on disk before (Reserve).
//
// # A worker's connection
//
//	       PRE_SLEEP, no job                 a job to do: NOOP
//	awake ------------------------> asleep ---------------------> woken
//	  ^ ^                             |                             |
//	  | |  GRAB_JOB                   |   GRAB_JOB, or PRE_SLEEP    |
//	  | +-----------------------------+   with a job: NOOP          |
//	  +-------------------------------------------------------------+
//
// PRE_SLEEP with a job to do is answered NOOP, and the connection stays awake;
// without one it puts a woken connection to sleep as well.
// A sleeper is sent one NOOP, when a job it can do is queued or becomes due;
// the next only after it has slept again. A woken connection that leaves has
// others woken. CAN_DO wakes nobody: a worker must grab before it sleeps.
//
// A connection may be client, worker and operator at once, and hold any number
// of jobs. WORK_* are taken from the connection that runs the job only.
//
// # Cost
//
// Every operation takes the same time at any length of any queue, and the
// millionth job costs what the first does; only a timer costs more the more
// timers there are, one step for every fourfold. A table goes out in parts, see
// listing. A PRE_SLEEP or GRAB_JOB looks
// at each function the connection can do. Jobs lie in slabs without pointers
// and their bytes on pages; both go back to the runtime when they fall empty.
// Work that goes on and on allocates nothing.
//
// # Where it is not gearmand
//
//   - Handles have ten digits, and any number of zeros before the number finds
//     the job.
//   - WORK_FAIL in place of WORK_EXCEPTION has no NUL, nor has any other.
//   - A unique of 64 bytes is refused, as longer ones are. A reducer may have
//     64.
//   - WORK_COMPLETE, WORK_DATA, WORK_WARNING and WORK_EXCEPTION may come
//     without data and its NUL, WORK_STATUS without denominator.
//   - Packets that gearmand is silent about or closes for are answered with an
//     ERROR: too few arguments, a handle too long, numbers out of range, names
//     that are too long or would break a table.
//   - A background job stays when foreground clients that joined it leave.
//   - A job that nobody waits for is removed at once, not when a worker comes
//     by, and a later submission makes a new one.
//   - Each job has its own timeout, and it ends with the job. A timeout is that
//     of the registration by which the job was grabbed.
//   - Cancelled clients get one WORK_FAIL and nothing after it.
//   - A future epoch job wakes nobody when it is submitted, but sleepers when
//     it is due.
//   - PRE_SLEEP after NOOP without a GRAB_JOB between does not lose the next
//     NOOP.
//   - `drop function` is refused while jobs are queued.
package jobserver
