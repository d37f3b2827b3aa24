package router

import (
	"strings"

	"github.com/geargate/geargate/protocol"
)

var functions = []string{"f", "g", "h"}

// act lets the peer do one thing.
func (p *peer) act() {
	if p.hung {
		p.hung = p.IntN(20) > 0
		return
	}
	p.hung = p.chance(200)
	switch p.IntN(16) {
	case 0, 1, 2:
		p.submit()
	case 3:
		p.ask()
	case 4:
		p.change()
	case 5, 6, 7, 8:
		if len(p.holds) > 0 {
			p.work()
		}
	case 9:
		p.sleep()
	default:
		p.seekWork()
	}
}

// ask asks for something that is answered and changes little.
func (p *peer) ask() {
	switch p.IntN(9) {
	case 0:
		p.expectType("fence", protocol.EchoRes)
		p.say(protocol.EchoReq, "fence")
	case 1:
		p.optedIn = true
		p.expectType("exceptions", protocol.OptionRes)
		p.say(protocol.OptionReq, "exceptions")
	case 2, 3:
		handle := p.someHandle()
		if p.denied(protocol.GetStatus, handle) {
			return
		}
		p.expectStatus(handle)
		p.say(protocol.GetStatus, handle)
	case 4:
		if p.denied(protocol.GetStatusUnique, "u1") {
			return
		}
		p.expectType("u1", protocol.StatusResUnique)
		p.say(protocol.GetStatusUnique, "u1")
	case 5:
		p.refused()
	default:
		p.operate()
	}
}

func (p *peer) someHandle() string {
	switch {
	case len(p.spooledJobs) > 0 && p.IntN(2) == 0:
		return p.spooledJobs[p.IntN(len(p.spooledJobs))].handle
	case len(p.old) > 0 && p.IntN(2) == 0:
		return p.old[p.IntN(len(p.old))]
	case len(p.listens) > 0:
		return p.listens[p.IntN(len(p.listens))].handle
	case len(p.holds) > 0:
		return p.holds[p.IntN(len(p.holds))].handle
	}
	return []string{"H:a~ahost:0000000001", "H:ahost:1", "rubbish"}[p.IntN(3)]
}

// refused sends what must be refused.
func (p *peer) refused() {
	bad := []struct {
		code string
		kind protocol.Type
		args []string
	}{
		{"UNKNOWN_OPTION", protocol.OptionReq, []string{"what"}},
		{"ARGUMENT_TOO_LARGE", protocol.SubmitJob, []string{"f", strings.Repeat("u", 65), "x"}},
		{"ARGUMENT_TOO_LARGE", protocol.GetStatus, []string{strings.Repeat("h", 64)}},
		{"INVALID_COMMAND", protocol.AllYours, nil},
		{"INVALID_COMMAND", protocol.JobCreated, []string{"H:a~ahost:0000000001"}},
		{"INVALID_PACKET", protocol.SubmitJob, []string{"f", "u"}},
	}[p.IntN(6)]
	if p.denied(bad.kind, bad.args...) {
		return
	}
	p.expectType(bad.code, protocol.Error)
	p.say(bad.kind, bad.args...)
}

// operate sends an admin line.
func (p *peer) operate() {
	lines := []string{"status", "prioritystatus", "workers", "show jobs", "show unique jobs", "version", "cancel job", "create function new", "drop function new", "maxqueue f"}
	line := lines[p.IntN(len(lines))]
	if p.deniedLine(line) {
		return
	}
	if line == "cancel job" {
		p.cancel()
		return
	}
	p.expect(line, func(_ *protocol.Packet, text []byte) bool {
		if strings.HasPrefix(line, "show") || strings.HasSuffix(line, "status") || line == "workers" {
			return strings.HasSuffix(string(text), ".\n")
		}
		return isLine(text)
	}, nil)
	p.sayLine(line)
}

func isLine(text []byte) bool {
	return strings.HasSuffix(string(text), "\n") && strings.Count(string(text), "\n") == 1
}

// cancel cancels a job, which may be one of another client's.
func (p *peer) cancel() {
	a := attachment{handle: "rubbish"}
	switch {
	case len(p.spooledJobs) > 0 && p.IntN(2) == 0:
		a = p.spooledJobs[p.IntN(len(p.spooledJobs))]
	case len(p.listens) > 0:
		a = p.listens[0]
	case len(p.holds) > 0:
		h := &p.holds[0]
		a = attachment{handle: h.handle, function: h.function, workload: h.workload}
	}
	p.fails(hold{handle: a.handle, function: a.function, workload: a.workload})
	must := p.mustBeFound(a.handle)
	p.expect("cancel job", func(_ *protocol.Packet, text []byte) bool {
		return isLine(text) && (string(text) != protocol.AnswerUnknownJob || !must())
	}, nil)
	p.sayLine("cancel job " + a.handle)
}
