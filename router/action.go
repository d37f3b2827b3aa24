package router

import "github.com/geargate/geargate/protocol"

// ActionKind says what must be done.
type ActionKind uint8

const (
	// Send: append Draft to the output of Session.
	Send ActionKind = iota
	// SendText: append Text to the output of Session.
	SendText
	// CloseSession: close Session once its output is written. Reason is set.
	CloseSession
	// AwaitWritable: say SessionWritable when all is written that Session was
	// sent.
	AwaitWritable
	// PauseSession: nothing that Session sends should be heard until
	// ResumeSession. What is heard all the same does no harm.
	PauseSession
	// ResumeSession: the end of a PauseSession.
	ResumeSession
	// SendLink: append Draft to the output of Link.
	SendLink
	// SendLinkText: append Text to the output of Link.
	SendLinkText
	// Dial: connect to Backend as Link, owned by Lane; answer with LinkUp or
	// LinkDown.
	Dial
	// CloseLink: close Link once its output is written. No LinkDown follows,
	// and packets of the link that are under way are void.
	CloseLink
	// Note: Event and Reason are worth a log line or a count.
	Note
	// Surveyed: the backends have said how many jobs they have, or have let
	// Config.AdminTimeout pass. Survey is set.
	Surveyed
	// Retain: the memory of the packet whose end is Text is kept beyond this
	// step, once more for each Retain.
	Retain
	// Release: the end of a Retain with the same Text, once everything else
	// of this step is done.
	Release
)

// An Action is one thing the shell must do, in the order given. Its slices
// and drafts are borrowed: they are valid until the next Step. Only what
// Draft.AppendCut cuts off may be shared: its memory is not written again while
// somebody uses it.
type Action struct {
	Kind    ActionKind
	Session SessionID
	Link    LinkID
	Backend BackendID
	Lane    int
	Draft   protocol.Draft
	Text    []byte
	Event   NoteEvent
	Reason  string
	Survey  uint64
}

// NoteEvent is the stable name of something worth a log line.
type NoteEvent string

const (
	NoteBackendUp       NoteEvent = "backend_up"       // it answers for the first time
	NoteBackendEjected  NoteEvent = "backend_ejected"  // it is not there, or does not answer: it gets nothing more
	NoteBackendRestored NoteEvent = "backend_restored" // it answers again
	NoteBackendSuspect  NoteEvent = "backend_suspect"  // it does not answer, as too many others do not: it is kept
	NoteLinkSilent      NoteEvent = "link_silent"      // a link says nothing though its backend is well; it is closed
	NoteBackendGone     NoteEvent = "backend_gone"     // taken out of the configuration, and has nothing left to do, or was given up
	NoteJobsAgain       NoteEvent = "jobs_resubmitted" // jobs whose link to a backend has ended were submitted again
	NoteBadPacket       NoteEvent = "bad_packet"       // a session sent what cannot be passed on
	NoteBadReply        NoteEvent = "bad_reply"        // a backend broke the protocol; its link is closed
	NoteLateResult      NoteEvent = "late_result"      // a worker's packet about a job it no longer holds was dropped
	NoteJobTimeout      NoteEvent = "job_timeout"      // a worker held a job longer than its CAN_DO_TIMEOUT
	NoteJobAbandoned    NoteEvent = "job_abandoned"    // nobody listens any more: not run
	NoteRetriesUsedUp   NoteEvent = "retries_used_up"
	NoteTimeoutRuns     NoteEvent = "timeout_runs_used_up" // every run of a job was longer than its worker's CAN_DO_TIMEOUT: it has failed
	NoteQueryPartial    NoteEvent = "query_partial"        // a backend did not answer an admin question in time
)
