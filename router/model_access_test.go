package router

import (
	"fmt"
	"slices"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// A grant is what rules of access give a session, as patterns of functions. Who
// has none may do everything.
type grant struct {
	submit, work []string
	admin        string // read, write or nothing
}

// newGrant makes a grant up.
func (w *world) newGrant() *grant {
	some := func() []string {
		var patterns []string
		for _, pattern := range append(functions, "r*", "*") {
			if w.IntN(3) == 0 {
				patterns = append(patterns, pattern)
			}
		}
		return patterns
	}
	return &grant{some(), some(), []string{"", "read", "write"}[w.IntN(3)]}
}

func matchesAny(patterns []string, function []byte) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return ParsePattern(p).Matches(function) })
}

// worksOn reports whether the peer may work on a function.
func (p *peer) worksOn(function []byte) bool {
	return p.grant == nil || matchesAny(p.grant.work, function)
}

// refuses judges a packet as package proxy/access does.
func (g *grant) refuses(q *protocol.Packet) bool {
	switch q.Type {
	case protocol.CanDo, protocol.CanDoTimeout:
		return !matchesAny(g.work, q.Arg(0))
	case protocol.CantDo, protocol.ResetAbilities, protocol.AllYours, protocol.PreSleep,
		protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll,
		protocol.WorkStatus, protocol.WorkData, protocol.WorkWarning,
		protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		return len(g.work) == 0
	case protocol.GetStatus, protocol.GetStatusUnique:
		return len(g.submit) == 0 && g.admin == ""
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		return !matchesAny(g.submit, q.Arg(0)) || !matchesAny(g.submit, q.Arg(2))
	}
	_, _, submits := q.Type.Submission()
	return submits && !matchesAny(g.submit, q.Arg(0))
}

// refusesLine judges an admin line.
func (g *grant) refusesLine(line string) bool {
	switch verb, _, _ := strings.Cut(line, " "); verb {
	case "cancel", "create", "drop", "maxqueue":
		return g.admin != "write"
	}
	return g.admin == ""
}

// denied sends what the peer may not ask, and reports whether it may not.
func (p *peer) denied(t protocol.Type, args ...string) bool {
	words, q, malformed := asked(t, args)
	if p.grant == nil || malformed != nil || !p.grant.refuses(q) {
		return false
	}
	p.expectType("NOT_ALLOWED", protocol.Error)
	p.refuse(words, &Event{Kind: SessionPacket, Session: p.id, Packet: q})
	return true
}

func (p *peer) deniedLine(line string) bool {
	if p.grant == nil || !p.grant.refusesLine(line) {
		return false
	}
	p.expect("refusal of "+line, func(_ *protocol.Packet, text []byte) bool {
		return strings.HasPrefix(string(text), "ERR NOT_ALLOWED ")
	}, nil)
	p.refuse(fmt.Sprintf("%q", line), &Event{Kind: SessionLine, Session: p.id, Line: []byte(line)})
	return true
}

// refuse gives the router what it is to refuse, and checks that nothing else
// comes of it.
func (p *peer) refuse(words string, ev *Event) {
	p.note("s%d denied %s", p.id, words)
	ev.Refused = &protocol.RefuseAccess
	s := p.r.sessions[p.id]
	books := func() string {
		return fmt.Sprint(s.worker.abilities.count, s.worker.running.count, s.listen.count, p.r.jobs.count, p.r.waiting.jobs.count, p.r.orphans.count)
	}
	before := books()
	p.step(ev)
	if after := books(); after != before {
		p.fail("session %d is refused %s, and abilities, jobs run, jobs listened to, all jobs, those waiting and orphans were %s and are %s", p.id, words, before, after)
	}
}

// unmoved checks that what was refused is answered, and that nothing is sent
// anywhere else.
func (w *world) unmoved(ev *Event, acts []Action) {
	for i := range acts {
		switch a := &acts[i]; {
		case a.Session != ev.Session, a.Kind == Note, a.Kind == CloseSession && w.duck.within == 0:
			w.fail("what session %d is refused leads to: %s", ev.Session, (&player{r: w.r}).show(a))
		}
	}
}

// rule puts other rules of access in force, which change what some may do, as
// the shell does: for one session after the other.
func (w *world) rule() {
	for _, p := range slices.Clone(w.peers) {
		if w.IntN(4) > 0 {
			continue
		}
		if p.grant = nil; w.IntN(3) == 0 {
			continue
		}
		p.grant = w.newGrant()
		if slices.Contains(p.grant.work, "*") {
			continue
		}
		p.abilities = slices.DeleteFunc(p.abilities, func(f string) bool { return !p.worksOn([]byte(f)) })
		for _, f := range functions {
			if !p.worksOn([]byte(f)) {
				p.lets(f)
			}
		}
		w.note("s%d may %s", p.id, strings.Join(p.grant.work, " "))
		w.step(&Event{Kind: Restrict, Session: p.id, Allows: p.worksOn})
	}
}

// granted checks that a worker has no more than it may have.
func (c *checker) granted(p *peer) {
	s := c.r.sessions[p.id]
	if p.grant == nil || s == nil {
		return
	}
	for a := s.worker.abilities.first; a != nil; a = s.worker.abilities.next(a) {
		f := a.function.name
		c.expect(fmt.Sprintf("session %d may work on %s, which it can do", p.id, f), p.worksOn(f), true)
	}
	for a := s.worker.running.first; a != nil; a = s.worker.running.next(a) {
		c.expect(fmt.Sprintf("session %d may work on %s, which it runs", p.id, a.function), p.worksOn(a.function), true)
	}
}
