package router

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// FuzzStep lets three sessions and the backends of every link say anything, in
// any order, while time passes and links come and go. Nothing may panic, and
// the router's own books must stay in order.
func FuzzStep(f *testing.F) {
	handle := "H:h:7"
	frame := func(op byte, t protocol.Type, body string) []byte {
		return append([]byte{op, byte(t - 1), byte(len(body))}, body...)
	}
	seed := func(parts ...[]byte) {
		var data []byte
		for _, part := range parts {
			data = append(data, part...)
		}
		f.Add(data)
	}
	const one, worker, submitLink, groupLink = 0, 8, 1, 1 + 2*8
	seed(frame(one, protocol.SubmitJob, "f\x00u\x00x"), frame(submitLink, protocol.JobCreated, handle),
		frame(submitLink, protocol.WorkData, handle+"\x00d"), frame(submitLink, protocol.WorkComplete, handle+"\x00r"))
	seed(frame(worker, protocol.CanDo, "f"), frame(worker, protocol.GrabJobUniq, ""), []byte{3 + 2*8},
		frame(groupLink, protocol.JobAssignUniq, handle+"\x00f\x00u\x00x"), frame(worker, protocol.WorkComplete, "H:a~h:0000000007\x00r"))
	seed(frame(one, protocol.SubmitJob, "f\x00\x00x"), frame(submitLink, protocol.JobCreated, handle), []byte{5},
		frame(worker, protocol.CanDoTimeout, "f\x001000"), frame(worker, protocol.PreSleep, ""), []byte{3 + 2*8, 6, 255},
		frame(groupLink, protocol.JobAssignAll, handle+"\x00f\x00\x00r\x00x"), []byte{4 + 2*8}, []byte{4})
	seed([]byte("\x02\x06status"), []byte("\x07\x04f\t1\t0\t1"), frame(submitLink, protocol.EchoRes, ""))
	const lameDuck, flow, drain, undrain, reload = 6 + 1*8, 6 + 2*8, 6 + 3*8, 6 + 4*8, 6 + 5*8
	seed(frame(one, protocol.SubmitJob, "f\x00u\x00x"), []byte{flow, 0, drain, 0}, frame(submitLink, protocol.JobCreated, handle),
		[]byte{undrain, 0, reload, 0b001110, 6, 255, lameDuck, 9, 1}, frame(submitLink, protocol.WorkComplete, handle+"\x00r"), []byte{6, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		newFuzzer(data).run(t)
	})
}

// A fuzzer reads events from data. The low three bits of an event's first byte
// say what happens, the others to whom.
type fuzzer struct {
	r     *Router
	now   time.Time
	data  []byte
	links LinkID // the highest that was asked for
}

func newFuzzer(data []byte) *fuzzer {
	cfg := DefaultConfig([]Backend{{Name: "a"}, {Name: "b"}}, 1)
	cfg.JobRetries = 3
	z := &fuzzer{r: New(cfg), now: epoch, data: data}
	z.note(z.r.Start(z.now, nil))
	z.step(&Event{Kind: LinkUp, Link: 1})
	z.step(&Event{Kind: LinkPacket, Link: 1, Packet: packetEvent(LinkPacket, protocol.OptionRes, "exceptions").Packet})
	for id := range SessionID(3) {
		z.step(&Event{Kind: SessionOpened, Session: id})
	}
	return z
}

func (z *fuzzer) run(t *testing.T) {
	for steps := 0; len(z.data) > 0 && steps < 500; steps++ {
		z.event()
		c := &checker{r: z.r}
		for _, g := range z.r.groups {
			c.group(g)
		}
		for _, s := range z.r.sessions {
			c.session(s)
		}
		c.jobs()
		c.timers()
		c.pools()
		if len(c.wrong) > 0 {
			t.Fatal(errors.Join(c.wrong...))
		}
	}
}

func (z *fuzzer) event() {
	op := z.byte()
	session, link := SessionID(op>>3)%3, 1+LinkID(op>>3)%max(1, z.links)
	switch op & 7 {
	case 0:
		z.packet(&Event{Kind: SessionPacket, Session: session}, protocol.Request)
	case 1:
		z.packet(&Event{Kind: LinkPacket, Link: link}, protocol.Response)
	case 2:
		z.step(&Event{Kind: SessionLine, Session: session, Line: z.bytes()})
	case 3:
		if l := z.r.links[link]; l != nil && l.state == linkConnecting {
			z.step(&Event{Kind: LinkUp, Link: link})
		}
	case 4:
		z.step(&Event{Kind: LinkDown, Link: link, Reason: "gone"})
	case 5:
		z.step(&Event{Kind: SessionClosed, Session: session})
		z.step(&Event{Kind: SessionOpened, Session: session})
	case 6:
		z.operate(op >> 3)
	case 7:
		z.step(&Event{Kind: LinkLine, Link: link, Line: z.bytes()})
	}
}

// operate lets an operator do something, or only time pass.
func (z *fuzzer) operate(what byte) {
	switch what {
	case 1:
		z.step(&Event{Kind: LameDuck, Within: time.Duration(1+int(z.byte())) * 100 * time.Millisecond, WorkersLast: z.byte()&1 == 1})
	case 2:
		z.step(&Event{Kind: LinkFlow, Link: 1 + LinkID(z.byte())%max(1, z.links)})
	case 3, 4:
		kind := Drain
		if what == 4 {
			kind = Undrain
		}
		z.step(&Event{Kind: kind, Backend: BackendID(int(z.byte()) % len(z.r.backends))})
	case 5:
		cfg := config(z.farm())
		z.step(&Event{Kind: Reload, Config: &cfg})
	default:
		z.pass(time.Duration(z.byte()) * 8 * time.Millisecond)
	}
}

// farm makes up a configuration of one to three backends, each at one of two
// addresses.
func (z *fuzzer) farm() []string {
	words, bits := []string{"retries=3", "health=2s"}, z.byte()
	for i, name := range []string{"a", "b", "c"} {
		if bits>>i&1 == 1 || i == 0 && bits&7 == 0 {
			words = append(words, fmt.Sprintf("%s@%d=1", name, bits>>(3+i)&1))
		}
	}
	return words
}

// packet takes a packet's type and body from the data.
func (z *fuzzer) packet(ev *Event, m protocol.Magic) {
	t := 1 + protocol.Type(z.byte())%protocol.StatusResUnique
	body := z.bytes()
	ev.Packet = &protocol.Packet{}
	ev.Malformed = ev.Packet.Parse(append(protocol.AppendHeader(nil, m, t, len(body)), body...))
	z.step(ev)
}

// pass lets time pass with every deadline in it at its time.
func (z *fuzzer) pass(d time.Duration) {
	end := z.now.Add(d)
	for at, ok := z.r.Next(); ok && !at.After(end); at, ok = z.r.Next() {
		z.now = at
		z.step(&Event{Kind: Tick})
	}
	z.now = end
}

// step gives the router an event and reads all that it says.
func (z *fuzzer) step(ev *Event) { z.note(z.r.Step(z.now, ev, nil)) }

func (z *fuzzer) note(acts []Action) {
	for i := range acts {
		acts[i].Draft.AppendTo(nil)
		if acts[i].Kind == Dial {
			z.links = acts[i].Link
		}
	}
}

func (z *fuzzer) byte() byte {
	if len(z.data) == 0 {
		return 0
	}
	b := z.data[0]
	z.data = z.data[1:]
	return b
}

// bytes takes a length and as many bytes.
func (z *fuzzer) bytes() []byte {
	n := min(int(z.byte()), len(z.data))
	b := z.data[:n:n]
	z.data = z.data[n:]
	return b
}
