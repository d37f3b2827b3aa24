package router

import (
	"slices"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// FuzzSessions lets three connections say any bytes, cut anywhere, to a router
// before two job servers. Whatever they say, the router's books stay in order,
// nobody is told of a job that is not theirs, everybody is answered, and
// nothing is left over when they have gone.
func FuzzSessions(f *testing.F) {
	frame := func(session byte, t protocol.Type, body string) []byte {
		return append([]byte{session, byte(t), byte(len(body))}, body...)
	}
	text := func(session byte, line string) []byte {
		return append([]byte{session | 1<<2, byte(len(line))}, line...)
	}
	const job = "H:a~ahost:0000000001"
	arrive, wait := []byte{4 << 2, 60}, []byte{5 << 2, 60}
	f.Add(slices.Concat(frame(0, protocol.SubmitJob, "f\x00u\x00x"), []byte{0 | 2<<2, 5}, arrive, frame(1, protocol.CanDo, "f"),
		frame(1, protocol.GrabJobUniq, ""), arrive, frame(1, protocol.WorkData, job+"\x00d"), frame(1, protocol.WorkComplete, job+"\x00y"), arrive))
	f.Add(slices.Concat(frame(0, protocol.SubmitJobBg, "f\x00-\x00x"), frame(0, protocol.SubmitJob, "f\x00-\x00x"), frame(1, protocol.CanDoTimeout, "f\x001000"),
		frame(1, protocol.GrabJobAll, ""), arrive, wait, frame(1, protocol.WorkException, job+"\x00y"), frame(2, protocol.PreSleep, ""), arrive))
	f.Add(slices.Concat(text(2, "status\r\nshow jobs\ncancel job "+job+"\n"), frame(2, protocol.EchoReq, "x"), text(2, "\x00REQ\x00\x00"), []byte{2 | 2<<2, 3}, arrive))
	f.Add(slices.Concat(frame(0, protocol.SubmitJobEpoch, "f\x00u\x001000000001\x00x"), frame(0, protocol.CanDo, "f"), frame(0, protocol.GrabJob, ""), arrive,
		[]byte{1 << 4}, wait, []byte{1 | 3<<2}, frame(0, protocol.PreSleep, ""), wait, frame(0, protocol.GetStatusUnique, "u"), arrive))
	f.Fuzz(func(t *testing.T, data []byte) {
		if w := runSessions(data); w.wrong != "" {
			t.Errorf("%s\n%v", w.wrong, w.events)
		}
	})
}

// runSessions does what data says. Two bits of an operation's byte say which
// session, three what it does, and one breaks a link.
func runSessions(data []byte) *world {
	z := &fuzzer{data: data}
	w := newWorld(uint64(len(data)))
	w.calm = true // breaks nothing by itself
	var raw [3]*rawPeer
	for i := range raw {
		raw[i] = w.openRaw()
	}
	for steps := 0; len(z.data) > 0 && steps < 300 && w.wrong == ""; steps++ {
		op := z.byte()
		r := &raw[op&3%3]
		if op&(1<<5) != 0 && len(w.order) > 0 {
			w.sever(w.order[int(op>>6)%len(w.order)])
		}
		switch op >> 2 & 7 {
		case 0:
			kind := protocol.Type(z.byte())
			body := z.bytes()
			(*r).stream = append(protocol.AppendHeader((*r).stream, protocol.Request, kind, len(body)), body...)
			(*r).deliver(len((*r).stream))
		case 1:
			(*r).stream = append((*r).stream, z.bytes()...)
			(*r).deliver(len((*r).stream))
		case 2:
			(*r).stream = append((*r).stream, z.bytes()...)
			(*r).deliver(int(z.byte()))
		case 3:
			w.leave((*r).peer)
			*r = w.openRaw()
		case 4:
			for n := z.byte(); n > 0 && w.wrong == "" && w.arrive(); n-- {
			}
		default:
			w.pass(time.Duration(z.byte()) * 10 * time.Millisecond)
		}
	}
	w.part(raw[:])
	return w
}

// A rawPeer is a session that sends bytes.
type rawPeer struct {
	*peer
	stream  []byte         // not sent yet
	begun   []byte         // arrived, and not a whole piece
	told    map[string]int // how often it was told of a job, less its last packets
	fences  int            // answered
	refused bool           // its stream could not be followed
	closed  bool           // by the router
}

func (w *world) openRaw() *rawPeer {
	w.open()
	r := &rawPeer{peer: w.peers[len(w.peers)-1], told: map[string]int{}}
	r.raw = r.read
	return r
}

// deliver lets n bytes of the stream arrive, and cuts off what is complete.
func (r *rawPeer) deliver(n int) {
	n = min(n, len(r.stream))
	r.begun = append(r.begun, r.stream[:n]...)
	r.stream = r.stream[n:]
	for len(r.begun) > 0 && !r.refused && !r.closed && r.wrong == "" {
		var piece []byte
		var err error
		if r.begun[0] == 0 {
			piece, err = protocol.Split(r.begun, 1<<16)
		} else {
			piece, err = protocol.SplitLine(r.begun, protocol.LineLimit)
		}
		if r.refused = err != nil; r.refused || piece == nil {
			return
		}
		r.begun = r.begun[len(piece):]
		if piece[0] != 0 {
			r.sayAnyLine(protocol.TrimEnd(piece))
			continue
		}
		var q protocol.Packet
		malformed := q.Parse(slices.Clone(piece))
		r.note("s%d> %q", r.id, piece)
		r.step(&Event{Kind: SessionPacket, Session: r.id, Packet: &q, Malformed: malformed})
	}
}

// sayAnyLine says a line. One of too many words ends the session.
func (r *rawPeer) sayAnyLine(text []byte) {
	var line protocol.Line
	r.closed = line.Parse(text) != nil
	r.offends = r.closed
	if r.sayLine(string(text)); r.offends {
		r.fail("session %d goes on after %q", r.id, text)
	}
}

// fence is what is asked last of all.
const fence = "the fence"

// read takes a packet the router sends; text is not looked at.
func (r *rawPeer) read(q *protocol.Packet) {
	handle := string(q.Arg(0))
	switch q.Type {
	case protocol.JobCreated:
		r.told[handle]++
	case protocol.EchoRes:
		if handle == fence {
			r.fences++
		}
	case protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus:
		if r.told[handle] == 0 {
			r.fail("session %d is sent %s of %s and was not told of it", r.id, q.Type, handle)
		}
	case protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		if r.told[handle]--; r.told[handle] < 0 {
			r.fail("session %d is sent %s of %s once more than it was told of it", r.id, q.Type, handle)
		}
	}
}

// part sees to it that everybody is answered before they go.
func (w *world) part(raw []*rawPeer) {
	for _, r := range raw {
		r.fences = 0
		if r.deliver(len(r.stream)); w.wrong == "" && !r.closed {
			r.say(protocol.EchoReq, fence)
		}
	}
	w.quiet()
	for _, r := range raw {
		if r.fences == 0 && !r.closed {
			w.fail("session %d is not answered", r.id)
		}
	}
	for _, r := range raw {
		if w.wrong == "" {
			w.leave(r.peer)
		}
	}
	for w.wrong == "" && w.arrive() {
	}
	w.pass(time.Minute)
	w.forwarder.leave()
	if w.wrong == "" {
		w.empty()
	}
}
