package jobserver

import (
	"slices"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// FuzzStep lets three connections send any packet and any line, in any order,
// while time passes and they come and go. Nothing may panic, and the server
// must be sound after each step.
func FuzzStep(f *testing.F) {
	frame := func(conn byte, t protocol.Type, body string) []byte {
		return append([]byte{conn, byte(t - 1), byte(len(body))}, body...)
	}
	line := func(conn byte, text string) []byte { return append([]byte{conn | 1<<2, byte(len(text))}, text...) }
	const job = "H:t:0000000001"
	wait, again := []byte{2 << 2, 255}, []byte{1 | 3<<2}
	f.Add(slices.Concat(frame(0, protocol.SubmitJob, "f\x00u\x00x"), frame(1, protocol.CanDo, "f"), frame(1, protocol.GrabJobUniq, ""),
		frame(1, protocol.WorkStatus, job+"\x001\x002"), frame(1, protocol.WorkComplete, job+"\x00y"), frame(1, protocol.PreSleep, "")))
	f.Add(slices.Concat(frame(1, protocol.CanDoTimeout, "f\x001"), frame(1, protocol.PreSleep, ""), frame(0, protocol.SubmitJobEpoch, "f\x00-\x001000000001\x00x"),
		wait, frame(1, protocol.GrabJobAll, ""), wait, frame(1, protocol.WorkFail, job), again, frame(2, protocol.GetStatusUnique, "-")))
	f.Add(slices.Concat(line(2, "maxqueue f 1 1 1"), frame(0, protocol.SubmitReduceJob, "f\x00u\x00r\x00a\x00x"), frame(2, protocol.SubmitJobHighBg, "f\x00u\x00x"),
		line(2, "show unique jobs"), line(2, "cancel job "+job), line(2, "drop function f"), line(2, "prioritystatus"), line(2, "workers")))
	f.Fuzz(func(t *testing.T, data []byte) {
		config := DefaultConfig()
		config.HandlePrefix = "H:t"
		config.JobRetries = 2
		s, now := New(config), time.Unix(1_000_000_000, 0)
		do := func(ev Event) {
			for _, a := range s.Step(now, &ev, nil) {
				a.Draft.AppendTo(nil)
			}
		}
		for conn := range ConnID(3) {
			do(Event{Kind: Opened, Conn: conn})
		}
		for steps := 0; len(data) > 0 && steps < 400; steps++ {
			op := data[0]
			data = data[1:]
			conn := ConnID(op & 3 % 3)
			switch op >> 2 & 3 {
			case 0:
				var n byte
				n, data = first(data)
				var body []byte
				body, data = counted(data)
				kind := 1 + protocol.Type(n)%protocol.StatusResUnique // others are not parsed
				p := &protocol.Packet{}
				malformed := p.Parse(append(protocol.AppendHeader(nil, protocol.Request, kind, len(body)), body...))
				do(Event{Kind: Packet, Conn: conn, Packet: p, Malformed: malformed})
			case 1:
				var text []byte
				text, data = counted(data)
				do(Event{Kind: Line, Conn: conn, Line: text})
			case 2:
				var n byte
				n, data = first(data)
				now = now.Add(time.Duration(n) * 16 * time.Millisecond)
				do(Event{Kind: Tick})
			case 3:
				do(Event{Kind: Closed, Conn: conn})
				do(Event{Kind: Opened, Conn: conn})
			}
			if err := check(s); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// first takes a byte off data; zero where there is none.
func first(data []byte) (byte, []byte) {
	if len(data) == 0 {
		return 0, nil
	}
	return data[0], data[1:]
}

// counted takes a length and as many bytes off data.
func counted(data []byte) (taken, rest []byte) {
	n, rest := first(data)
	size := min(int(n), len(rest))
	return rest[:size:size], rest[size:]
}
