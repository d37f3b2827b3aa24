package router

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A gearmand stands before a built-in job server and makes it behave as
// gearmand 1.1.20 does where that is worse:
//
//   - A queued job whose last client has gone is doomed, also when it was
//     submitted in the background. It stays until a worker scans for it; a
//     submission that joins it meanwhile gets its handle, and nothing more. A
//     running one is doomed when its worker is lost, whoever has joined it. The
//     list of jobs marks both.
//   - A connection that has been sent NOOP gets none before its next GRAB_JOB,
//     whether it sleeps again or not.
//   - An epoch job that falls due wakes nobody; the next submission does.
//   - Numbers of handles have no zeros before them.
type gearmand struct {
	doomed   map[string]string // handles, by function and unique
	attached map[string]map[jobserver.ConnID]bool
	ignored  map[string]bool   // handles of running jobs whose last client has gone
	names    map[string]string // function and unique of jobs, by handle
	able     map[jobserver.ConnID][]string
	woken    map[jobserver.ConnID]bool
	withheld []sentUnit // NOOPs of epoch jobs
	lost     []string   // handles of jobs that were doomed just now
}

func newGearmand() *gearmand {
	return &gearmand{
		doomed:   map[string]string{},
		attached: map[string]map[jobserver.ConnID]bool{},
		ignored:  map[string]bool{},
		names:    map[string]string{},
		able:     map[jobserver.ConnID][]string{},
		woken:    map[jobserver.ConnID]bool{},
	}
}

func (g *gearmand) step(s *durable, now time.Time, ev *jobserver.Event) []sentUnit {
	if answer := g.ofDoomed(ev); answer != nil {
		return []sentUnit{{ev.Conn, answer}}
	}
	name, foreground := "", false
	switch {
	case ev.Kind == jobserver.Closed:
		return g.closed(s, now, ev)
	case ev.Kind == jobserver.Tick:
		g.withheld = append(g.withheld, g.plain(s.step(now, ev))...)
		return g.tick()
	case ev.Kind != jobserver.Packet:
	case ev.Packet.Type == protocol.CanDo:
		g.able[ev.Conn] = append(g.able[ev.Conn], string(ev.Packet.Arg(0)))
	case ev.Packet.Type == protocol.GrabJobAll:
		delete(g.woken, ev.Conn)
		g.scan(ev.Conn)
	case ev.Packet.Type == protocol.PreSleep:
		g.scan(ev.Conn)
	default:
		if _, background, ok := ev.Packet.Type.Submission(); ok {
			name, foreground = nameOf(ev.Packet), !background
		}
	}
	out := g.plain(s.step(now, ev))
	if ev.Kind == jobserver.Line && string(ev.Line) == "show jobs" {
		out = g.marked(out)
	}
	if name != "" {
		g.created(out, ev.Conn, name, foreground)
		out = append(out, g.withheld...)
		g.withheld = nil
	}
	return slices.DeleteFunc(out, g.unheard)
}

// ofDoomed returns the answer to what is asked about a doomed job, or nil.
func (g *gearmand) ofDoomed(ev *jobserver.Event) []byte {
	p := ev.Packet
	if ev.Kind != jobserver.Packet {
		return nil
	}
	answer := func(t protocol.Type, args ...string) []byte {
		raw := make([][]byte, len(args))
		for i := range args {
			raw[i] = []byte(args[i])
		}
		return protocol.AppendFrame(nil, protocol.Response, t, raw...)
	}
	_, _, submits := p.Type.Submission()
	for _, name := range slices.Sorted(maps.Keys(g.doomed)) {
		handle := g.doomed[name]
		_, unique, _ := strings.Cut(name, "\x00")
		switch {
		case submits && nameOf(p) == name:
			return answer(protocol.JobCreated, handle)
		case p.Type == protocol.GetStatus && string(p.Arg(0)) == handle:
			return answer(protocol.StatusRes, handle, "1", "0", "0", "0")
		case p.Type == protocol.GetStatusUnique && string(p.Arg(0)) == unique:
			return answer(protocol.StatusResUnique, unique, "1", "0", "0", "0", "0")
		}
	}
	return nil
}

// marked marks in a list of jobs those that gearmand has let go of.
func (g *gearmand) marked(list []sentUnit) []sentUnit {
	var out []sentUnit
	for _, u := range list {
		var row protocol.JobRow
		if string(u.bytes) == protocol.TableEnd {
			for _, name := range slices.Sorted(maps.Keys(g.doomed)) {
				row := protocol.JobRow{Handle: []byte(g.doomed[name]), Ignored: true}
				out = append(out, sentUnit{u.conn, row.AppendTo(nil)})
			}
		} else if row.Parse(protocol.TrimEnd(u.bytes)) == nil {
			handle, _ := handleOf(row.Handle)
			short := handle.short()
			row.Ignored = g.ignored[string(short.bytes())]
			u.bytes = row.AppendTo(nil)
		}
		out = append(out, u)
	}
	return out
}

// nameOf returns what later submissions join a job by; it ends in a NUL where
// none does.
func nameOf(p *protocol.Packet) string {
	name := string(p.Arg(0)) + "\x00"
	if unique := string(p.Arg(1)); unique != "-" {
		return name + unique
	} else if workload := string(p.Arg(p.Args() - 1)); workload != "" {
		return name + unique + workload
	}
	return name
}

// tick lets NOOPs wait that only an epoch job has caused.
func (g *gearmand) tick() []sentUnit {
	out := slices.DeleteFunc(slices.Clone(g.withheld), isNoop)
	g.withheld = slices.DeleteFunc(g.withheld, func(u sentUnit) bool { return !isNoop(u) })
	return out
}

// created notes who is attached to a job that was submitted.
func (g *gearmand) created(out []sentUnit, conn jobserver.ConnID, name string, foreground bool) {
	for _, u := range out {
		var p protocol.Packet
		if u.conn != conn || p.Parse(u.bytes) != nil || p.Type != protocol.JobCreated {
			continue
		}
		handle := string(p.Arg(0))
		g.names[handle] = name
		if !foreground {
			continue
		}
		if g.attached[handle] == nil {
			g.attached[handle] = map[jobserver.ConnID]bool{}
		}
		g.attached[handle][conn] = true
	}
}

// closed dooms the queued jobs whose last client has gone.
func (g *gearmand) closed(s *durable, now time.Time, ev *jobserver.Event) []sentUnit {
	delete(g.able, ev.Conn)
	delete(g.woken, ev.Conn)
	states := statesOf(s)
	out := s.step(now, ev)
	for _, handle := range slices.Sorted(maps.Keys(g.attached)) {
		clients := g.attached[handle]
		was := clients[ev.Conn]
		delete(clients, ev.Conn)
		if !was || len(clients) > 0 {
			continue
		}
		delete(g.attached, handle)
		switch states[handle] {
		case "":
		case "running":
			g.ignored[handle] = true
		default:
			g.doom(s, now, handle)
		}
	}
	if len(g.ignored) > 0 {
		g.requeued(s, now, states)
	}
	return slices.DeleteFunc(g.plain(out), g.unheard)
}

// requeued dooms the jobs that nobody waited for while they ran, and whose
// worker was lost.
func (g *gearmand) requeued(s *durable, now time.Time, before map[string]string) {
	after := statesOf(s)
	for _, handle := range slices.Sorted(maps.Keys(g.ignored)) {
		switch {
		case after[handle] == "running":
			continue
		case after[handle] == "queued", before[handle] == "running":
			g.doom(s, now, handle)
		}
		delete(g.ignored, handle)
	}
}

// doom has nobody run a job, where a background submission would have kept it.
func (g *gearmand) doom(s *durable, now time.Time, handle string) {
	h := &host{server: s}
	h.tell(now, "cancel job "+handle)
	g.lost = append(g.lost, handle)
	if name := g.names[handle]; !strings.HasSuffix(name, "\x00") {
		g.doomed[name] = handle
	}
}

// statesOf returns where every job stands, by handles as gearmand writes them.
func statesOf(s *durable) map[string]string {
	states := map[string]string{}
	s.List(0, 1<<30, func(j *jobserver.Listed) {
		handle, _ := handleOf(j.Handle)
		short := handle.short()
		states[string(short.bytes())] = j.State
	})
	return states
}

// scan throws away the doomed jobs that a worker comes across.
func (g *gearmand) scan(conn jobserver.ConnID) {
	maps.DeleteFunc(g.doomed, func(name, _ string) bool {
		function, _, _ := strings.Cut(name, "\x00")
		return slices.Contains(g.able[conn], function)
	})
}

// unheard reports whether gearmand would not have sent a NOOP.
func (g *gearmand) unheard(u sentUnit) bool {
	if !isNoop(u) {
		return false
	}
	was := g.woken[u.conn]
	g.woken[u.conn] = true
	return was
}

func isNoop(u sentUnit) bool {
	var p protocol.Packet
	return len(u.bytes) > 0 && u.bytes[0] == 0 && p.Parse(u.bytes) == nil && p.Type == protocol.Noop
}

// plain takes the zeros out of handles.
func (g *gearmand) plain(units []sentUnit) []sentUnit {
	for i, u := range units {
		var p protocol.Packet
		if len(u.bytes) == 0 || u.bytes[0] != 0 || p.Parse(u.bytes) != nil || p.Args() == 0 || !bytes.HasPrefix(p.Arg(0), []byte("H:")) {
			continue
		}
		handle, _ := handleOf(p.Arg(0))
		short := handle.short()
		args := [][]byte{short.bytes()}
		for n := 1; n < p.Args(); n++ {
			args = append(args, p.Arg(n))
		}
		units[i].bytes = protocol.AppendFrame(nil, protocol.Response, p.Type, args...)
	}
	return units
}
