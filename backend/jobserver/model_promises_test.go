package jobserver

import (
	"fmt"
	"time"

	"github.com/geargate/geargate/protocol"
)

// say runs one event and takes in what it leads to.
func (m *model) say(id ConnID, ev *Event) {
	ev.Conn = id
	what := fmt.Sprint(ev.Kind)
	if ev.Packet != nil {
		what = fmt.Sprintf("%v %.40q", ev.Packet.Type, ev.Packet.Body())
	}
	m.history = append(m.history, fmt.Sprintf("%d> %s %s", id, what, ev.Line))
	if sleeps := ev.Packet != nil && ev.Packet.Type == protocol.PreSleep; sleeps {
		m.goesOn(id)
		m.conns[id].asleep, m.conns[id].blind = true, false
	}
	for _, action := range m.server.Step(m.now, ev, nil) {
		switch action.Kind {
		case Send:
			m.hears(action.Conn, &action.Draft)
		case SendHeld:
			m.hearsHeld(action.Conn, action.Text)
		case SendText, Close:
		default:
			m.disk.take(&action)
		}
	}
	if err := check(m.server); err != nil {
		m.fail("%v", err)
	}
	m.nobodyOversleeps()
}

func (m *model) hears(id ConnID, d *protocol.Draft) {
	m.history = append(m.history, fmt.Sprintf("  %d< %.40q", id, draftWords(d)))
	m.heard(id, d)
}

// heard takes in a packet that a connection is sent.
func (m *model) heard(id ConnID, d *protocol.Draft) {
	a := m.conns[id]
	if a == nil {
		m.fail("connection %d is not open and was sent %v", id, d.Type)
	}
	handle := string(d.Arg(0))
	switch d.Type {
	case protocol.JobCreated:
		m.handles = append(m.handles, handle)
		if m.owed(id, d.Type, foregroundJob, backgroundJob) == foregroundJob {
			a.waits[handle]++
		} else if m.server.config.Durable {
			m.disk.promised(handle)
		}
	case protocol.JobAssign, protocol.JobAssignUniq, protocol.JobAssignAll:
		m.owed(id, d.Type, aGrab)
		if m.server.config.Durable && !m.runs(id, handle) {
			return // it was lost while the assignment was held
		}
		if other, taken := m.workers[handle]; taken && (other != id || !m.server.config.Durable) {
			m.fail("%s was given to %d while %d runs it", handle, id, other)
		}
		m.workers[handle] = id
		a.jobs[handle] = string(d.Arg(1))
	case protocol.NoJob:
		m.owed(id, d.Type, aGrab)
	case protocol.Error, protocol.OptionRes:
		m.owed(id, d.Type, foregroundJob, backgroundJob, anythingElse)
	case protocol.Noop:
		if a.crossed > 0 {
			a.crossed--
			return
		}
		if !a.asleep {
			m.fail("connection %d was sent NOOP and does not sleep", id)
		}
		a.asleep = false
	case protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		if a.waits[handle]--; a.waits[handle] < 0 {
			m.fail("connection %d was sent %v for %s once too often", id, d.Type, handle)
		}
	case protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus:
		if a.waits[handle] == 0 {
			m.fail("connection %d was sent %v for %s and does not wait for it", id, d.Type, handle)
		}
	default:
		m.fail("connection %d was sent %v", id, d.Type)
	}
}

// nobodyOversleeps checks that no worker sleeps while a job it can do is
// queued. With a limit of workers to wake that is not promised.
func (m *model) nobodyOversleeps() {
	for id, a := range m.conns {
		if m.held(id) {
			continue // its NOOP waits too
		}
		c := m.server.conns.at(m.server.byID[id])
		if a.asleep != (c.sleep == asleep) {
			m.fail("connection %d: asleep is %v outside and %v inside", id, a.asleep, c.sleep)
		}
		if a.asleep && !a.blind && m.server.config.WorkerWakeup == 0 && m.server.choose(c) != 0 {
			m.fail("connection %d sleeps while a job for it is queued", id)
		}
	}
}

// finish has one worker do all that is left and checks that everybody had an
// answer and nothing stayed.
func (m *model) finish() {
	m.answerAll()
	m.pass(time.Hour)
	for len(m.order) > 4 {
		m.close(m.order[0])
	}
	m.open()
	worker := m.last
	for _, function := range modelFunctions {
		m.packet(worker, silent, protocol.CanDo, function)
	}
	for _, id := range m.order[:min(4, len(m.order))] {
		if id != worker {
			m.leaves(id, "none")
		}
		for _, handle := range m.conns[id].held() {
			m.over(id, silent, protocol.WorkComplete, handle, "")
		}
	}
	for {
		m.goesOn(worker)
		m.conns[worker].asleep = false
		m.packet(worker, aGrab, protocol.GrabJobUniq)
		m.answerAll()
		if len(m.conns[worker].jobs) == 0 {
			break
		}
		for _, handle := range m.conns[worker].held() {
			m.over(worker, silent, protocol.WorkComplete, handle, "")
		}
	}
	for id, a := range m.conns {
		for handle, waits := range a.waits {
			if waits != 0 {
				m.fail("connection %d waits for %s still", id, handle)
			}
		}
	}
	if err := idle(m.server); err != nil {
		m.fail("%v", err)
	}
	if n := len(m.disk.jobs) + len(m.disk.unanswered); n > 0 {
		m.fail("expected nothing on the disk, got %d jobs and actions", n)
	}
	for len(m.order) > 0 {
		m.close(m.order[0])
	}
	if n := m.server.conns.live + m.server.abilities.live; n != 0 {
		m.fail("expected no connections and abilities, %d are left", n)
	}
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	for _, line := range m.history[max(0, len(m.history)-40):] {
		m.t.Log(line)
	}
	m.t.Fatalf(format, args...)
}
