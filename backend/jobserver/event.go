package jobserver

import "github.com/geargate/geargate/protocol"

// A ConnID names one connection to the job server; whoever feeds the server
// chooses it and does not use it again while the connection is open.
type ConnID uint64

// EventKind says what happened.
type EventKind uint8

const (
	// Opened: a client or worker connected. Conn, Peer and Number are set.
	Opened EventKind = iota
	// Packet: the connection sent a packet. Conn, Packet and, where its
	// arguments are incomplete, Malformed are set.
	Packet
	// Line: the connection sent an admin line. Conn and Line are set.
	Line
	// Closed: the connection ended. Conn is set.
	Closed
	// Tick: time has passed. Due at Server.Next at the latest.
	Tick
	// Stored: every Store up to Ticket that was not answered is on disk.
	Stored
	// StoreFailed: none of those is, nor will be.
	StoreFailed
	// Loaded: the workload that Conn waits for is there. Conn, Ticket and
	// Workload are set.
	Loaded
	// LoadFailed: it could not be read, never where Gone is set. Conn and
	// Ticket are set.
	LoadFailed
	// LoadsHang: workloads cannot be read until LoadsGoOn. Every Load that was
	// not answered is answered LoadFailed.
	LoadsHang
	// LoadsGoOn: workloads can be read again.
	LoadsGoOn
)

// An Event is one thing that happened outside. Its slices and its packet are
// borrowed: they are valid until Step returns and the actions are applied.
type Event struct {
	Kind EventKind
	Conn ConnID

	Peer   string // the address without its port, as `workers` shows it
	Number int    // the connection's number in `workers`, its descriptor

	Packet    *protocol.Packet
	Malformed error
	Line      []byte // without its end

	Ticket   uint32 // of the Store or Load that is answered
	Workload []byte
	Gone     bool
}

// ActionKind says what must be done.
type ActionKind uint8

const (
	// Send: append Draft to the output of Conn.
	Send ActionKind = iota
	// SendText: append Text to the output of Conn.
	SendText
	// Close: close Conn once its output is written. Reason is set, and a
	// Closed event must follow.
	Close
	// SendHeld: append Text, whole packets and answers to admin lines, to the
	// output of Conn.
	SendHeld

	// The others are for the disk, in this order. Only a server that is Durable
	// has them.

	// Store: keep the job Kept on disk. Tickets count by one; answered by
	// Stored or StoreFailed, in the order of tickets.
	Store
	// Forget: keep the job Number no longer.
	Forget
	// Attempts: keep that the job Number has been lost so many times.
	Attempts
	// Reserve: keep Number, for Resume to go on behind.
	Reserve
	// Load: read the workload of the job Number. Answered by Loaded or
	// LoadFailed with the same Conn and Ticket, in any order.
	Load
)

// An Action is one thing to be done, in the order given. Its slices and its
// draft are borrowed: they are valid until the next Step.
type Action struct {
	Kind   ActionKind
	Conn   ConnID
	Draft  protocol.Draft
	Text   []byte
	Reason string

	Ticket   uint32
	Number   uint32
	Attempts uint32
	Kept     *Kept // borrowed like the slices
}
