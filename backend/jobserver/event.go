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
)

// An Action is one thing to be done, in the order given. Its slices and its
// draft are borrowed: they are valid until the next Step.
type Action struct {
	Kind   ActionKind
	Conn   ConnID
	Draft  protocol.Draft
	Text   []byte
	Reason string
}
