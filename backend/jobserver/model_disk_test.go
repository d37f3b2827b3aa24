package jobserver

import (
	"bytes"
	"slices"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// A modelDisk does what a server asks of a disk, when the model wants it to.
type modelDisk struct {
	jobs       map[uint32]*Kept // what would be there after a crash
	order      []uint32
	unanswered []Action // in their order; of loads and what is stored
	reserved   uint32
	promises   map[string]bool // handles of acknowledged background jobs
}

func newModelDisk() *modelDisk {
	return &modelDisk{jobs: map[uint32]*Kept{}, promises: map[string]bool{}}
}

func (d *modelDisk) promised(handle string) { d.promises[handle] = true }

// take keeps an action for later, and a copy of what it borrows.
func (d *modelDisk) take(a *Action) {
	kept := *a
	if a.Kept != nil {
		job := *a.Kept
		for _, text := range []*[]byte{&job.Function, &job.Unique, &job.Reducer, &job.Workload} {
			*text = bytes.Clone(*text)
		}
		kept.Kept = &job
	}
	d.unanswered = append(d.unanswered, kept)
}

// answer does what the disk was asked first, up to a Store or Load, and tells
// how it went.
func (m *model) answer(well bool) {
	for len(m.disk.unanswered) > 0 {
		a := m.disk.unanswered[0]
		m.disk.unanswered = m.disk.unanswered[1:]
		switch a.Kind {
		case Store:
			if !well {
				m.say(0, &Event{Kind: StoreFailed, Ticket: a.Ticket})
				return
			}
			m.disk.jobs[a.Kept.Number] = a.Kept
			m.disk.order = append(m.disk.order, a.Kept.Number)
			m.say(0, &Event{Kind: Stored, Ticket: a.Ticket})
			return
		case Load:
			m.load(&a, well)
			return
		case Forget:
			m.disk.forget(a.Number)
		case Attempts:
			if job := m.disk.jobs[a.Number]; job != nil {
				job.Attempts = a.Attempts
			}
		case Reserve:
			m.disk.reserved = a.Number
		}
	}
}

func (d *modelDisk) forget(number uint32) {
	delete(d.jobs, number)
	d.order = slices.DeleteFunc(d.order, func(n uint32) bool { return n == number })
}

func (m *model) load(a *Action, well bool) {
	ev := &Event{Kind: LoadFailed, Conn: a.Conn, Ticket: a.Ticket}
	if job := m.disk.jobs[a.Number]; job == nil {
		ev.Gone = true
	} else if well {
		ev.Kind, ev.Workload = Loaded, job.Workload
	}
	m.say(a.Conn, ev)
}

// answerAll has the disk do all that it was asked for.
func (m *model) answerAll() {
	for len(m.disk.unanswered) > 0 {
		m.answer(true)
	}
}

// crash ends the server and has another go on with what is on the disk. Every
// promised job that is not over must be there.
func (m *model) crash() {
	m.history = append(m.history, "crash")
	lastNumber := m.server.lastNumber
	for handle := range m.disk.promises {
		if id := m.server.find([]byte(handle)); id == 0 || m.server.jobs.at(id).cancelled {
			delete(m.disk.promises, handle)
		}
	}
	m.server = New(m.server.config)
	m.server.Resume(m.disk.reserved, m.disk.reserved+Reserved)
	m.disk.reserved += Reserved
	for _, number := range m.disk.order {
		if !m.server.Restore(m.now, m.disk.jobs[number]) {
			m.fail("job %d was not restored", number)
		}
	}
	for handle := range m.disk.promises {
		if m.server.find([]byte(handle)) == 0 {
			m.fail("%s was acknowledged and is gone", handle)
		}
	}
	if int32(m.server.lastNumber-lastNumber) < 0 {
		m.fail("numbers begin again at %d, %d was given out", m.server.lastNumber, lastNumber)
	}
	m.disk.unanswered = nil
	m.conns, m.order, m.workers = map[ConnID]*actor{}, nil, map[string]ConnID{}
	if err := check(m.server); err != nil {
		m.fail("%v", err)
	}
}

// runs reports whether a job's worker is id, which need not know it yet.
func (m *model) runs(id ConnID, handle string) bool {
	job := m.server.find([]byte(handle))
	return job != 0 && m.server.jobs.at(job).worker == m.server.byID[id]
}

// held reports whether a connection waits for the disk.
func (m *model) held(id ConnID) bool {
	index := m.server.byID[id]
	return index != 0 && len(m.server.conns.at(index).holds) > 0
}

// owed takes note that the oldest request of a connection is answered. It must
// be one of those the answer is for.
func (m *model) owed(id ConnID, answer protocol.Type, to ...request) request {
	a := m.conns[id]
	if len(a.owed) == 0 || !slices.Contains(to, a.owed[0]) {
		m.fail("connection %d was sent %v and is owed %v", id, answer, a.owed)
	}
	first := a.owed[0]
	a.owed = a.owed[1:]
	return first
}

// hearsHeld takes in what was held.
func (m *model) hearsHeld(id ConnID, text []byte) {
	if m.conns[id] == nil {
		return // it is closing
	}
	for len(text) > 0 {
		if text[0] != 0 {
			line, rest, _ := strings.Cut(string(text), "\n")
			text = []byte(rest)
			m.history = append(m.history, "  "+line)
			continue
		}
		frame, _ := protocol.Split(text, 1<<20)
		var packet protocol.Packet
		if err := packet.Parse(frame); err != nil {
			m.fail("connection %d was sent %q: %v", id, frame, err)
		}
		args := make([][]byte, packet.Args())
		for i := range args {
			args[i] = packet.Arg(i)
		}
		draft := protocol.Drafted(packet.Magic, packet.Type, args...)
		m.hears(id, &draft)
		text = text[len(frame):]
	}
}

// goesOn takes note that a worker does not wait for its NOOP any more, which
// may be on its way.
func (m *model) goesOn(id ConnID) {
	if a := m.conns[id]; a.asleep && m.server.conns.at(m.server.byID[id]).sleep != asleep {
		a.crossed++
	}
}
