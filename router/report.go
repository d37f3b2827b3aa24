package router

// A Report is a snapshot of what the router knows, for whoever watches it.
type Report struct {
	Sessions       int
	ForegroundJobs int // in flight, with somebody listening
	Groups         int
	Backends       []BackendReport
}

// BackendReport is the state of one backend.
type BackendReport struct {
	Name       string
	Up         bool
	Links      int // to it, of all kinds, connecting ones included
	Owed       int // replies it still must send
	Foreground int // jobs in flight there
}

// Report returns a snapshot. It walks over all jobs and links.
func (r *Router) Report() *Report {
	p := &Report{
		Sessions:       r.opened.count,
		ForegroundJobs: r.jobs.pending,
		Groups:         len(r.groups),
		Backends:       make([]BackendReport, len(r.backends)),
	}
	for i, b := range r.backends {
		p.Backends[i].Name, p.Backends[i].Up = b.name, b.up()
	}
	for _, l := range r.links {
		b := &p.Backends[l.backend.id]
		b.Links++
		b.Owed += l.owed.count
		b.Foreground += l.jobs.count
	}
	return p
}

// Listening returns how many foreground jobs are in flight with somebody
// listening. It takes constant time.
func (r *Router) Listening() int { return r.jobs.pending }

// Owes reports whether a session that will send no more still waits for
// replies to what it has sent. The results of its foreground jobs are none,
// and one that has asked for a job is owed nothing: the job would be lost
// with it.
func (r *Router) Owes(id SessionID) bool {
	s := r.sessions[id]
	return s != nil && s.owes.first != nil && s.worker.grabs.count == 0
}
