package backend

import (
	"math"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

const (
	// keptBuffer is the most that a buffer may have grown to, in bytes, to be
	// used again.
	keptBuffer = protocol.Large
	// builtinPeer is the address of a link as the job server shows it.
	builtinPeer = "127.0.0.1"
)

// A Builtin is a job server in the process, with the same links as one over
// the network. Open, Write and Close only note what the job server is to read;
// Exchange lets it read and answer. It is not safe for concurrent use.
type Builtin struct {
	server *jobserver.Server
	links  map[uint64]*builtinLink
	unread []*builtinLink // with something for the job server to read, oldest first
	spare  []*builtinLink // the slice not in use
	listed []*builtinLink // those to which a table is under way: what they say waits

	receiver Receiver // of the Exchange under way
	enough   bool     // it is to end
	event    jobserver.Event
	packet   protocol.Packet
	acts     []jobserver.Action
	frame    []byte

	keeper  *keeper           // nil where background jobs end with the process
	answers []jobserver.Event // scratch
}

// Receiver is what a Builtin answers to. Its functions may call Open, Write
// and Close of the Builtin, but not Exchange. now is that of the Exchange;
// slices are valid until return.
type Receiver struct {
	Frame func(now time.Time, link uint64, frame []byte)  // one complete response; one of protocol.Large or more is in memory from Room
	Room  func(size int) []byte                           // an empty buffer, which is the receiver's again after Frame
	Line  func(now time.Time, link uint64, line []byte)   // one line of admin text, without its end
	Down  func(now time.Time, link uint64, reason string) // the job server closed the link, which is gone
	// Enough is asked behind each request, and ends the Exchange where it says
	// so: the rest is read by the next one. It may be nil.
	Enough func() bool
}

// builtinLink is one link. input is what has been written and not read.
type builtinLink struct {
	id       uint64
	input    []byte
	spare    []byte // the input buffer not in use
	unread   bool
	listed   bool // a table is under way to it
	accepted bool // the job server knows of it
	closed   bool // no answer goes out any more
	cut      bool // the job server closed it, and reads no more
}

// NewBuiltin returns a job server without links.
func NewBuiltin(config jobserver.Config) *Builtin {
	return &Builtin{server: jobserver.New(config), links: make(map[uint64]*builtinLink)}
}

// Open connects a link, whose number must be a new one.
func (b *Builtin) Open(link uint64) {
	l := &builtinLink{id: link}
	b.links[link] = l
	b.touch(l)
}

// Write appends p, requests and admin lines in any pieces, to what the job
// server will read from link. p is free for reuse on return. On a link that is
// not open, Write does nothing.
func (b *Builtin) Write(link uint64, p []byte) {
	if l := b.links[link]; l != nil && !l.closed {
		l.input = append(l.input, p...)
		b.touch(l)
	}
}

// Send is Write of a packet.
func (b *Builtin) Send(link uint64, packet *protocol.Draft) {
	if l := b.links[link]; l != nil && !l.closed {
		l.input = packet.AppendTo(l.input)
		b.touch(l)
	}
}

// Close ends link, once what was written to it has been read. Nothing is
// received from it any more.
func (b *Builtin) Close(link uint64) {
	if l := b.links[link]; l != nil {
		l.closed = true
		b.touch(l)
	}
}

func (b *Builtin) touch(l *builtinLink) {
	if !l.unread {
		l.unread = true
		b.unread = append(b.unread, l)
	}
}

// Next returns when Exchange is due, if it is: the zero time means at once.
func (b *Builtin) Next() (at time.Time, ok bool) {
	if len(b.unread) > 0 || b.keeper != nil && b.keeper.waits.Load() {
		return time.Time{}, true
	}
	return b.server.Next()
}

// Exchange lets the job server do what is due at time now and read all that
// was written, also what the receiver writes meanwhile, and hands its answers
// to the receiver in order. Where that is enough before the end, another
// Exchange is due at once.
func (b *Builtin) Exchange(now time.Time, to Receiver) {
	b.receiver, b.enough = to, false
	b.hearDisk(now)
	if at, ok := b.server.Next(); ok && !at.After(now) {
		b.step(now, jobserver.Event{Kind: jobserver.Tick})
		b.goOnBehindTables()
	}
	for len(b.unread) > 0 && !b.enough {
		round := b.unread
		b.unread = b.spare
		for _, l := range round {
			if b.enough {
				b.unread = append(b.unread, l)
				continue
			}
			l.unread = false
			b.read(now, l)
		}
		clear(round)
		b.spare = round[:0]
	}
	b.receiver = Receiver{}
	if b.keeper != nil {
		b.keeper.flush()
	}
}

// read takes a link as far as it goes: its opening, its input, its end.
func (b *Builtin) read(now time.Time, l *builtinLink) {
	if !l.accepted {
		l.accepted = true
		b.step(now, jobserver.Event{Kind: jobserver.Opened, Conn: l.conn(), Peer: builtinPeer, Number: int(l.id)})
	}
	data := l.input
	l.input, l.spare = l.spare, nil // the receiver may write while data is read
	rest, err := b.readInput(now, l, data)
	if err != nil {
		b.down(now, l, err.Error())
	}
	l.keep(data, rest)
	switch {
	case l.listed:
		return
	case b.enough && len(rest) > 0 && !l.cut:
		b.touch(l)
		return
	}
	if l.closed {
		b.step(now, jobserver.Event{Kind: jobserver.Closed, Conn: l.conn()})
		delete(b.links, l.id)
	}
}

// keep puts rest, the end of data, before what was written while data was
// read, and the buffer that is free then aside.
func (l *builtinLink) keep(data, rest []byte) {
	if len(rest) > 0 {
		joined := append(data[:copy(data, rest)], l.input...)
		data, l.input = l.input, joined
	}
	if cap(data) <= keptBuffer {
		l.spare = data[:0]
	}
}

func (l *builtinLink) conn() jobserver.ConnID { return jobserver.ConnID(l.id) }

// readInput feeds the complete frames and lines of data to the job server, until
// that is enough, and returns the rest. An error means that the rest cannot be
// followed.
func (b *Builtin) readInput(now time.Time, l *builtinLink, data []byte) (rest []byte, err error) {
	for len(data) > 0 && !l.cut {
		if b.enough || l.listed {
			return data, nil
		}
		var taken []byte
		if data[0] == 0 {
			if taken, err = protocol.Split(data, math.MaxUint32); taken != nil {
				malformed := b.packet.Parse(taken)
				b.step(now, jobserver.Event{Kind: jobserver.Packet, Conn: l.conn(), Packet: &b.packet, Malformed: malformed})
			}
		} else {
			if taken, err = protocol.SplitLine(data, protocol.LineLimit); taken != nil {
				b.step(now, jobserver.Event{Kind: jobserver.Line, Conn: l.conn(), Line: protocol.TrimEnd(taken)})
				b.noteTable(l)
			}
		}
		if taken == nil {
			return data, err
		}
		data = data[len(taken):]
		b.enough = b.receiver.Enough != nil && b.receiver.Enough()
	}
	return nil, nil
}

// noteTable has l wait while a table is under way to it.
func (b *Builtin) noteTable(l *builtinLink) {
	if !l.listed && b.server.Lists(l.conn()) {
		l.listed = true
		b.listed = append(b.listed, l)
	}
}

// goOnBehindTables reads on from the links whose tables are complete.
func (b *Builtin) goOnBehindTables() {
	still := b.listed[:0]
	for _, l := range b.listed {
		if b.server.Lists(l.conn()) {
			still = append(still, l)
			continue
		}
		l.listed = false
		b.touch(l)
	}
	clear(b.listed[len(still):])
	b.listed = still
}

// step gives the job server one event and hands on what it answers.
func (b *Builtin) step(now time.Time, ev jobserver.Event) {
	b.event = ev
	b.acts = b.server.Step(now, &b.event, b.acts[:0])
	for i := range b.acts {
		act := &b.acts[i]
		if act.Kind >= jobserver.Store {
			b.keeper.take(act)
			continue
		}
		l := b.links[uint64(act.Conn)]
		if l == nil || l.closed {
			continue
		}
		switch act.Kind {
		case jobserver.Send:
			b.sendFrame(now, l, &act.Draft)
		case jobserver.SendText:
			b.sendLines(now, l, act.Text)
		case jobserver.SendHeld:
			b.sendHeld(now, l, act.Text)
		case jobserver.Close:
			b.down(now, l, act.Reason)
		}
	}
}

func (b *Builtin) sendFrame(now time.Time, l *builtinLink, draft *protocol.Draft) {
	if size := draft.Size(); size >= protocol.Large {
		b.receiver.Frame(now, l.id, draft.AppendTo(b.receiver.Room(size)))
		return
	}
	b.frame = draft.AppendTo(b.frame[:0])
	b.receiver.Frame(now, l.id, b.frame)
}

// sendHeld hands on packets and answers to admin lines, in any mix.
func (b *Builtin) sendHeld(now time.Time, l *builtinLink, held []byte) {
	for len(held) > 0 && !l.closed {
		if held[0] != 0 {
			line, _ := protocol.SplitLine(held, len(held)+1)
			if line == nil {
				line = held
			}
			b.receiver.Line(now, l.id, protocol.TrimEnd(line))
			held = held[len(line):]
			continue
		}
		frame, _ := protocol.Split(held, math.MaxUint32)
		held = held[len(frame):]
		if len(frame) >= protocol.Large {
			frame = append(b.receiver.Room(len(frame)), frame...)
		}
		b.receiver.Frame(now, l.id, frame)
	}
}

// sendLines hands on a complete answer to an admin line.
func (b *Builtin) sendLines(now time.Time, l *builtinLink, text []byte) {
	for len(text) > 0 && !l.closed {
		line, _ := protocol.SplitLine(text, len(text)+1)
		if line == nil {
			line = text
		}
		b.receiver.Line(now, l.id, protocol.TrimEnd(line))
		text = text[len(line):]
	}
}

// down ends a link on the job server's side.
func (b *Builtin) down(now time.Time, l *builtinLink, reason string) {
	l.cut = true
	if !l.closed {
		b.Close(l.id)
		b.receiver.Down(now, l.id, reason)
	}
}
