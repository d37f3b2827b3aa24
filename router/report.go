package router

import "time"

// A Report is a snapshot of what the router knows, for whoever watches it.
type Report struct {
	Sessions       int
	ForegroundJobs int // in flight, with somebody listening
	Groups         int
	Backends       []BackendReport // but for those that are gone
	Pools          []Pool          // with their members at present
	Routes         []Route
}

// BackendReport is the state of one backend.
type BackendReport struct {
	Name       string
	Up         bool
	State      string // up, suspect, ejected or probing
	Reason     string // why it is not up
	Links      int    // to it, of all kinds, connecting ones included
	Owed       int    // replies it still must send
	Foreground int    // jobs in flight there
	Held       int    // jobs that it assigned and that have no result yet, running and ready ones

	Drained bool // an operator keeps new jobs away
	Leaving bool // not in the configuration any more
	// GivenUp is when one that leaves and is not reached is given up; zero for
	// others.
	GivenUp time.Time
	// Counted is when it last said how many jobs it has, zero for never: see
	// Survey.
	Counted         time.Time
	Queued, Running int  // then, of everybody
	Strays          int  // of these, of functions that are routed elsewhere
	Empty           bool // it had none, and has got none from here since
}

// Report returns a snapshot. It walks over all jobs and links.
func (r *Router) Report() *Report {
	p := &Report{
		Sessions:       r.opened.count,
		ForegroundJobs: r.jobs.pending,
		Groups:         len(r.groups),
		Routes:         r.cfg.Routes,
	}
	all := make([]BackendReport, len(r.backends))
	still := make([]bool, len(r.backends))
	for i := range still {
		still[i] = true
	}
	for _, l := range r.links {
		still[l.backend.id] = still[l.backend.id] && l.still()
		b := &all[l.backend.id]
		b.Links++
		b.Owed += l.owed.count
		b.Foreground += l.jobs.count
		b.Held += l.carries.count
	}
	for i, b := range r.backends {
		if b.standing == standingGone {
			continue
		}
		v := &all[i]
		v.Name, v.Up, v.Drained, v.Leaving = b.name, b.up(), b.drained, b.standing == standingLeaving
		if !b.lostAt.IsZero() {
			v.GivenUp = b.lostAt.Add(leaveTimeout)
		}
		v.State, v.Reason = b.health.state.String(), b.health.reason
		v.Counted, v.Queued, v.Running = b.census.at, b.census.queued, b.census.running
		v.Strays, v.Empty = b.census.strays, b.empty() && still[i]
		p.Backends = append(p.Backends, *v)
	}
	for _, pool := range r.routing.pools {
		p.Pools = append(p.Pools, pool.report())
	}
	return p
}

func (p *backendPool) report() Pool {
	named := Pool{Name: p.name}
	for i := range p.members {
		named.Backends = append(named.Backends, p.members[i].backend.name)
	}
	return named
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
