package backend

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

const (
	client = iota + 1
	worker
)

var noon = time.Unix(1_700_000_000, 0)

// wire is a Builtin and what it has answered, one string each.
type wire struct {
	*Builtin
	got    []string
	answer func(link uint64, p *protocol.Packet) // called inside Frame
}

func newWire(links ...uint64) *wire {
	w := &wire{Builtin: NewBuiltin(jobserver.DefaultConfig())}
	for _, link := range links {
		w.Open(link)
	}
	return w
}

func (w *wire) send(link uint64, t protocol.Type, args ...string) {
	w.Write(link, request(t, args...))
}

func request(t protocol.Type, args ...string) []byte {
	var parts [][]byte
	for _, arg := range args {
		parts = append(parts, []byte(arg))
	}
	return protocol.AppendFrame(nil, protocol.Request, t, parts...)
}

func (w *wire) exchange(now time.Time) {
	w.Exchange(now, Receiver{
		Frame: func(_ time.Time, link uint64, frame []byte) {
			var p protocol.Packet
			if err := p.Parse(frame); err != nil || p.Magic != protocol.Response {
				w.got = append(w.got, fmt.Sprintf("%d: %v %v", link, p.Magic, err))
			}
			text := fmt.Sprintf("%d: %v", link, p.Type)
			for i := range p.Args() {
				text += fmt.Sprintf(" %.20s", p.Arg(i))
			}
			w.got = append(w.got, text)
			if w.answer != nil {
				w.answer(link, &p)
			}
		},
		Line: func(_ time.Time, link uint64, line []byte) { w.got = append(w.got, fmt.Sprintf("%d: %q", link, line)) },
		Down: func(_ time.Time, link uint64, reason string) {
			w.got = append(w.got, fmt.Sprintf("%d: down, %s", link, reason))
		},
	})
}

func (w *wire) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.got, want) {
		t.Errorf("got\n\t%s\nexpected\n\t%s", strings.Join(w.got, "\n\t"), strings.Join(want, "\n\t"))
	}
	w.got = nil
}

// A whole job, with a worker that answers from inside Frame.
func TestBuiltinJob(t *testing.T) {
	w := newWire(client, worker)
	w.answer = func(link uint64, p *protocol.Packet) {
		switch p.Type {
		case protocol.Noop:
			w.send(link, protocol.GrabJobUniq)
		case protocol.JobAssignUniq:
			w.send(link, protocol.WorkComplete, string(p.Arg(0)), "done "+string(p.Arg(3)))
		}
	}
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.PreSleep)
	w.exchange(noon)
	w.expect(t)
	w.send(client, protocol.SubmitJob, "f", "u", "work")
	if at, ok := w.Next(); !ok || !at.IsZero() {
		t.Errorf("next %v, %v, expected at once", at, ok)
	}
	w.exchange(noon)
	w.expect(t,
		"2: NOOP",
		"1: JOB_CREATED H:localhost:00000000",
		"2: JOB_ASSIGN_UNIQ H:localhost:00000000 f u work",
		"1: WORK_COMPLETE H:localhost:00000000 done work")
	if at, ok := w.Next(); ok {
		t.Errorf("next %v, expected nothing to do", at)
	}
}

// However requests and lines are cut, the answers are the same.
func TestBuiltinPieces(t *testing.T) {
	input := slices.Concat(request(protocol.EchoReq, "a\x00b"), []byte("version\r\nmaxqueue f\n"),
		request(protocol.EchoReq, ""), request(protocol.GetStatus, "H:x"))
	want := []string{"1: ECHO_RES a\x00b", `1: "OK 2.0.0"`, `1: "OK"`, "1: ECHO_RES ", "1: STATUS_RES H:x 0 0 0 0"}
	for cut := range input {
		w := newWire(client)
		w.Write(client, input[:cut])
		w.exchange(noon)
		w.Write(client, input[cut:])
		w.exchange(noon)
		w.expect(t, want...)
	}
	w := newWire(client)
	for _, b := range input {
		w.Write(client, []byte{b})
		w.exchange(noon)
	}
	w.expect(t, want...)
}

// A table is handed on line by line.
func TestBuiltinTable(t *testing.T) {
	w := newWire(client, worker)
	w.send(worker, protocol.CanDo, "f")
	w.exchange(noon)
	w.Write(client, []byte("status\n"))
	w.Close(worker)
	w.exchange(noon)
	w.expect(t, `1: "f\t0\t0\t1"`, `1: "."`)
	w.Write(client, []byte("status\n"))
	w.exchange(noon)
	w.expect(t, `1: "f\t0\t0\t0"`, `1: "."`)
}

// What is written while an answer is handed on comes behind what was written
// before, also where that ends in the middle of a frame.
func TestBuiltinWriteInsideFrame(t *testing.T) {
	w := newWire(client)
	second := request(protocol.EchoReq, "second")
	w.answer = func(link uint64, p *protocol.Packet) {
		if string(p.Arg(0)) == "first" {
			w.Write(client, second[5:])
			w.send(client, protocol.EchoReq, "third")
		}
	}
	w.Write(client, append(request(protocol.EchoReq, "first"), second[:5]...))
	w.exchange(noon)
	w.expect(t, "1: ECHO_RES first", "1: ECHO_RES second", "1: ECHO_RES third")
}

// What a link said before it was closed counts; nothing comes back on it.
func TestBuiltinClose(t *testing.T) {
	w := newWire(client, worker, 3)
	w.send(client, protocol.SubmitJobBg, "f", "", "work")
	w.send(client, protocol.EchoReq, "lost")
	w.Close(client)
	w.send(client, protocol.SubmitJobBg, "late", "", "work")
	late := protocol.Drafted(protocol.Request, protocol.SubmitJobBg, []byte("late"), nil, []byte("work"))
	w.Send(client, &late)
	w.exchange(noon)
	w.expect(t)
	w.send(worker, protocol.CanDo, "late")
	w.send(worker, protocol.GrabJob)
	w.exchange(noon)
	w.expect(t, "2: NO_JOB")
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.GrabJob)
	w.exchange(noon)
	w.expect(t, "2: JOB_ASSIGN H:localhost:00000000 f work")
	w.Close(worker)
	w.send(3, protocol.CanDo, "f")
	w.send(3, protocol.GrabJob)
	w.exchange(noon)
	w.expect(t, "3: JOB_ASSIGN H:localhost:00000000 f work")
	if len(w.links) != 1 {
		t.Errorf("%d links are known, expected 1", len(w.links))
	}
	w.Write(77, []byte("version\n"))
	w.Close(77)
	w.exchange(noon)
	w.expect(t)
}

// A link closed from inside Frame gets no more frames.
func TestBuiltinCloseInsideFrame(t *testing.T) {
	w := newWire(client)
	w.answer = func(link uint64, p *protocol.Packet) { w.Close(link) }
	w.send(client, protocol.EchoReq, "first")
	w.send(client, protocol.EchoReq, "second")
	w.exchange(noon)
	w.expect(t, "1: ECHO_RES first")
}

// The job server closes a link it cannot follow, and that one only.
func TestBuiltinDown(t *testing.T) {
	for input, reason := range map[string]string{
		"\x00BAD\x00\x00\x00\x01":             "neither request nor response magic",
		"one two three four five six\n":       "more than five words",
		strings.Repeat("x", 10_000):           "longer than the limit",
		"\x00REQ\x00\x00\xff\xff\x00\x00\x00": "unknown packet type",
	} {
		w := newWire(client, worker)
		w.Write(client, []byte(input))
		w.send(client, protocol.SubmitJobBg, "f", "", "behind")
		w.exchange(noon)
		w.send(client, protocol.SubmitJobBg, "f", "", "late")
		w.send(worker, protocol.CanDo, "f")
		w.send(worker, protocol.GrabJob)
		w.exchange(noon)
		if len(w.got) != 2 || !strings.HasPrefix(w.got[0], "1: down, ") || !strings.Contains(w.got[0], reason) || w.got[1] != "2: NO_JOB" {
			t.Errorf("after %.30q: %q, expected link 1 down because of %q, and no job", input, w.got, reason)
		}
		if len(w.links) != 1 {
			t.Errorf("after %.30q: %d links are known, expected 1", input, len(w.links))
		}
	}
}

// Exchange does what is due although nobody writes.
func TestBuiltinTime(t *testing.T) {
	w := newWire(client, worker)
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.PreSleep)
	due := noon.Add(time.Minute)
	w.send(client, protocol.SubmitJobEpoch, "f", "", fmt.Sprint(due.Unix()), "work")
	w.exchange(noon)
	w.expect(t, "1: JOB_CREATED H:localhost:00000000")
	if at, ok := w.Next(); !ok || !at.Equal(due) {
		t.Errorf("next %v, %v, expected %v", at, ok, due)
	}
	w.exchange(due.Add(-time.Second))
	w.expect(t)
	w.exchange(due)
	w.expect(t, "2: NOOP")
}

// A large workload passes whole, and its buffers are not kept.
func TestBuiltinLargeWorkload(t *testing.T) {
	w := newWire(client)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, large)
	var got []byte
	receiver := Receiver{
		Room:  func(size int) []byte { return make([]byte, 0, size) },
		Frame: func(_ time.Time, _ uint64, frame []byte) { got = slices.Clone(frame[protocol.HeaderSize:]) },
	}
	for piece := range slices.Chunk(frame, 1<<20) {
		w.Write(client, piece)
		w.Exchange(noon, receiver)
	}
	if !bytes.Equal(got, large) {
		t.Errorf("%d bytes came back, expected %d", len(got), len(large))
	}
	l := w.links[client]
	if kept := cap(l.input) + cap(l.spare) + cap(w.frame); kept > 3*keptBuffer {
		t.Errorf("%d bytes are kept", kept)
	}
}

func TestBuiltinAllocatesNothing(t *testing.T) {
	b := NewBuiltin(jobserver.DefaultConfig())
	b.Open(client)
	b.Open(worker)
	b.Write(worker, request(protocol.CanDo, "f"))
	submit, grab := request(protocol.SubmitJob, "f", "u", "work"), request(protocol.GrabJob)
	var complete []byte
	frames := 0
	receiver := Receiver{Frame: func(_ time.Time, link uint64, frame []byte) {
		var p protocol.Packet
		p.Parse(frame)
		frames++
		if p.Type == protocol.JobAssign {
			complete = protocol.AppendFrame(complete[:0], protocol.Request, protocol.WorkComplete, p.Arg(0), p.Arg(2))
			b.Write(link, complete)
		}
	}}
	job := func() {
		b.Write(client, submit)
		b.Write(worker, grab)
		b.Exchange(noon, receiver)
	}
	for range 1000 {
		job()
	}
	if n := testing.AllocsPerRun(1000, job); n > 0 {
		t.Errorf("%v allocations per job", n)
	}
	if frames != 3*2001 {
		t.Errorf("%d frames, expected %d", frames, 3*2001)
	}
}

// An Exchange ends where its receiver has had enough, and the next one goes on
// there: nothing is lost, and each link keeps its order.
func TestBuiltinGoesOnWhereItStopped(t *testing.T) {
	w := newWire(client, worker)
	for i := range 3 {
		w.send(client, protocol.EchoReq, fmt.Sprint("c", i))
		w.send(worker, protocol.EchoReq, fmt.Sprint("w", i))
	}
	w.Close(worker)
	var got []string
	exchanges := 0
	for at, ok := w.Next(); ok && at.IsZero(); at, ok = w.Next() {
		exchanges++
		w.Exchange(noon, Receiver{
			Frame: func(_ time.Time, link uint64, frame []byte) {
				got = append(got, string(frame[protocol.HeaderSize:]))
			},
			Enough: func() bool { return true },
		})
	}
	if want := []string{"c0", "c1", "c2"}; !slices.Equal(got, want) || exchanges != 6 {
		t.Errorf("got %v in %d exchanges, expected %v and one for each request", got, exchanges, want)
	}
}
