package router

import "time"

// A Roster is who is connected and what they do, those first who have done it
// longest.
type Roster struct {
	Workers []WorkerEntry // who run jobs, then the others
	Clients []ClientEntry // who wait for jobs, then those who are no workers either

	// How many there are of each, however many are listed. A session that is a
	// worker is a client too while it waits for jobs.
	AllWorkers, AllRunning int
	AllClients, AllWaiting int
}

// Entry is what is said of workers and clients alike.
type Entry struct {
	Session SessionID
	ID      string // of SET_CLIENT_ID, empty where it has set none
	Jobs    int    // that it runs, or waits for
	// Function is that of the oldest of these jobs, and Handle what it is called
	// here.
	Function, Handle string
	// Since is when the worker got that job, or the client submitted it; where
	// there is none, when it had its last one, or connected.
	Since time.Time
}

// WorkerEntry is about one worker.
type WorkerEntry struct {
	Entry
	State     string   // running, asleep, or awake: about to ask for a job
	Functions int      // how many it can do
	Names     []string // the first of them
	Backend   string   // that the job is from
}

// ClientEntry is about one client.
type ClientEntry struct {
	Entry
}

const (
	// MaxNames is how many functions a WorkerEntry names.
	MaxNames = 8
	// MaxName is how many bytes of a name an Entry has: names may be long, and
	// come from whoever connects.
	MaxName = 128
)

// rolls are all workers and clients, by what they do, in the order in which
// they began: whom a Roster lists is found without a search.
//
//	client:  idle ◄──► waiting         a worker that waits for nothing: neither
//	worker:  resting ◄──► running      a session without functions: neither
type rolls struct {
	idle, waiting    clientList
	resting, running workerRoll
}

// enrollClient puts s on the roll that it belongs to by now.
func (r *Router) enrollClient(s *session) {
	var roll *clientList
	switch {
	case s.listen.count > 0:
		roll = &r.rolls.waiting
	case s.worker.group == nil:
		roll = &r.rolls.idle
	}
	if s.roll == roll {
		return
	}
	r.strikeClient(s)
	if s.roll = roll; roll != nil {
		s.since = r.now
		roll.pushBack(s)
	}
}

func (r *Router) strikeClient(s *session) {
	if s.roll != nil {
		s.roll.remove(s)
		s.roll = nil
	}
}

// enrollWorker puts w on the roll that it belongs to by now.
func (r *Router) enrollWorker(w *worker) {
	var roll *workerRoll
	switch {
	case w.running.count > 0:
		roll = &r.rolls.running
	case w.group != nil:
		roll = &r.rolls.resting
	}
	if w.roll == roll {
		return
	}
	if w.roll != nil {
		w.roll.remove(w)
	}
	if w.roll = roll; roll != nil {
		w.since = r.now
		roll.pushBack(w)
	}
}

// Roster returns at most so many workers, and as many clients. It looks at
// nobody else.
func (r *Router) Roster(most int) *Roster {
	p := &Roster{
		AllRunning: r.rolls.running.count,
		AllWorkers: r.rolls.running.count + r.rolls.resting.count,
		AllWaiting: r.rolls.waiting.count,
		AllClients: r.rolls.waiting.count + r.rolls.idle.count,
	}
	for _, roll := range []*workerRoll{&r.rolls.running, &r.rolls.resting} {
		for w := roll.first; w != nil && len(p.Workers) < most; w = roll.next(w) {
			p.Workers = append(p.Workers, w.entry())
		}
	}
	for _, roll := range []*clientList{&r.rolls.waiting, &r.rolls.idle} {
		for s := roll.first; s != nil && len(p.Clients) < most; s = roll.next(s) {
			p.Clients = append(p.Clients, s.entry())
		}
	}
	return p
}

func (s *session) entry() ClientEntry {
	e := ClientEntry{Entry{Session: s.id, ID: clip(s.clientID), Jobs: s.listen.count, Since: s.since}}
	if l := s.listen.first; l != nil {
		e.Function, e.Handle = clip(l.job.function), clip(l.handle())
		if at := l.job.submitted; at.After(e.Since) {
			e.Since = at // it has not been without a job since, but this one came later
		}
	}
	return e
}

func (w *worker) entry() WorkerEntry {
	e := WorkerEntry{
		Entry:     Entry{Session: w.session.id, ID: clip(w.session.clientID), Jobs: w.running.count, Since: w.since},
		State:     "awake",
		Functions: w.abilities.count,
	}
	for a := w.abilities.first; a != nil && len(e.Names) < MaxNames; a = w.abilities.next(a) {
		e.Names = append(e.Names, clip(a.function.name))
	}
	switch {
	case w.running.count > 0:
		a := w.running.first
		e.State, e.Since, e.Backend = "running", a.began, a.backend.name
		e.Function, e.Handle = clip(a.function), clip(a.front.bytes())
	case w.state == workerAsleep:
		e.State = "asleep"
	}
	return e
}

// clip returns the first bytes of a name.
func clip(name []byte) string { return string(name[:min(len(name), MaxName)]) }
