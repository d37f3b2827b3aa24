package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A SessionID names one downstream connection for as long as the process
// lives; the shell never uses one twice.
type SessionID uint64

// A LinkID names one connection to a backend, from the Dial that asks for it
// to its LinkDown; the router never uses one twice.
type LinkID uint64

// A BackendID is a backend's place in Config.Backends of New. Backends that a
// Reload adds take the next numbers in their order. A name keeps its number as
// long as the Router lives.
type BackendID int

// EventKind says what happened.
type EventKind uint8

const (
	// SessionOpened: a client or worker connected. Session, Lane, Peer and
	// Number are set.
	SessionOpened EventKind = iota
	// SessionPacket: a session sent a packet. Session, Packet and, where its
	// arguments are incomplete, Malformed are set.
	SessionPacket
	// SessionLine: a session sent an admin line. Session and Line are set.
	SessionLine
	// SessionWritable: a session has been sent all that was for it. Session is
	// set. It follows an AwaitWritable, once.
	SessionWritable
	// SessionDeaf: a session's connection has ended, and something that it has
	// sent before is still to come. Session is set.
	SessionDeaf
	// SessionClosed: the connection ended. Session is set. No event of the
	// session follows; actions for it that are under way are void.
	SessionClosed
	// LinkUp: a Dial succeeded. Link is set.
	LinkUp
	// LinkPacket: a backend sent a packet. Link, Packet and, where its
	// arguments are incomplete, Malformed are set.
	LinkPacket
	// LinkLine: a backend sent a line of admin text. Link and Line are set.
	LinkLine
	// LinkFlow: bytes of something that is not complete yet went over a link,
	// in either direction. Link is set.
	LinkFlow
	// LinkDown: a Dial failed or the link ended. Link and Reason are set.
	// The shell delays the next Dial of the same backend as it sees fit.
	LinkDown
	// Tick: time has passed. Due at Router.Next at the latest.
	Tick
	// Drain: an operator wants no new jobs to go to Backend.
	Drain
	// Undrain: new jobs may go to Backend again.
	Undrain
	// Reload: the configuration is Config from now on. A backend that is not
	// in it any more gets no new jobs, and its links close when it is empty.
	Reload
	// Survey: somebody wants to know how many jobs the backends have. They are
	// asked, and Surveyed with the same Survey follows when Report can say.
	Survey
	// LameDuck: a successor serves from now on. Sessions are closed, in batches
	// and as soon as each loses nothing by it, Within being how long all of it
	// may take. WorkersLast is for jobs that no other process could run.
	LameDuck
	// Forwarded: the job that clients know as From has left the spool, and is the
	// job To now; without To it has ended.
	Forwarded
	// Restrict: a session may work on the functions that Allows accepts, and on
	// no others. Session and Allows are set. It loses the others as by CANT_DO.
	Restrict
)

// An Event is one thing that happened outside. Its slices and its packet are
// borrowed: they are valid until Step returns and the actions are applied.
// A packet of protocol.Large bytes or more is shared: its memory may be kept,
// which Retain and Release say.
type Event struct {
	Kind    EventKind
	Session SessionID
	Link    LinkID

	Lane   int    // which event loop owns the session, from 0
	Peer   string // the session's address without its port, as `workers` shows it
	Number int    // the session's number in `workers`, its descriptor
	// Forwards marks the session that takes jobs from the spool to where they
	// belong: none of its own goes to the spool.
	Forwards bool

	Packet    *protocol.Packet
	Malformed error
	// Refused is set where the session may not do what it asks: nothing is done,
	// and it is answered with an ERROR in its turn.
	Refused *protocol.Refusal
	Line    []byte // without its end
	Reason  string

	Backend BackendID
	Config  *Config // kept
	Survey  uint64

	Within      time.Duration
	WorkersLast bool
	From, To    []byte // handles as clients see them
	Allows      func(function []byte) bool
}
