package router

import (
	"time"
	"unicode/utf8"
)

// Counts are how often things happened since the start, and what is under way
// now. All are plain numbers that cost an event a few nanoseconds; whoever
// wants to show them takes a copy with Count.
type Counts struct {
	Noops       uint64 // workers woken
	Resubmitted uint64 // jobs submitted again, because their link had ended
	Spooled     uint64 // jobs that the spool has acknowledged
	Overdue     uint64 // runs that were longer than their worker's CAN_DO_TIMEOUT
	OverdueEnds uint64 // jobs that have failed because all of their runs were
	Functions   []FunctionCounts
	Backends    []BackendCounts
	Waiting     int // jobs that wait for a backend
	WaitingSize int // and their bytes
	Workers     int // sessions with functions that have asked for a job or slept
	Clients     int // sessions that have submitted a job
}

// FunctionCounts is about the jobs of one function, or of all that came when
// there were MaxCounted already.
type FunctionCounts struct {
	Name       string // OtherFunctions for those
	Foreground uint64 // submissions
	Background uint64
	Joined     uint64   // of both, those that were joined to a job in flight
	Completed  uint64   // by workers here
	Failed     uint64   // by workers here
	Wait       Duration // of foreground jobs that workers here ran, from submission to worker
	WaitStored Duration // of background jobs likewise, as far as it is known: see waits
	Run        Duration // of jobs that workers here ran

	// Now.
	Ready, Running int // jobs grabbed for workers here, and run by them
	Asleep, Active int // workers here

	Queued int // at all backends that are up, as each has answered last: see Survey
}

// BackendCounts is about one backend that is not gone.
type BackendCounts struct {
	Name      string
	Sent      uint64 // submissions
	Ejections uint64
	Failovers uint64 // jobs whose first choice it was, and that went to another as it took none
	Completed uint64 // of its jobs, by workers here
	Failed    uint64

	// As it has answered last; Counted is false where it has not, or is not up.
	Counted         bool
	Queued, Running int
}

// OtherFunctions is the name under which functions are counted that are not
// counted by theirs: those that came too late, and those whose name is no text.
const OtherFunctions = "other"

// MaxCounted is how many functions are counted by name: their names come from
// whoever connects.
const MaxCounted = 200

// Bounds are the upper bounds of a Duration's buckets. A last bucket has what
// takes longer.
var Bounds = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond,
	2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute,
}

// A Duration is how long something took, each time.
type Duration struct {
	Buckets [len(Bounds) + 1]uint64
	Sum     time.Duration
}

func (d *Duration) observe(took time.Duration) {
	took = max(took, 0)
	i := 0
	for i < len(Bounds) && took > Bounds[i] {
		i++
	}
	d.Buckets[i]++
	d.Sum += took
}

// Within returns the smallest bound that a share of all took at most; what
// takes longer than every bound is taken for the last. ok is false where there
// was nothing.
func (d *Duration) Within(percent uint64) (bound time.Duration, ok bool) {
	all := uint64(0)
	for _, n := range d.Buckets {
		all += n
	}
	below := uint64(0)
	for i, bound := range Bounds {
		if below += d.Buckets[i]; all > 0 && below*100 >= all*percent {
			return bound, true
		}
	}
	return Bounds[len(Bounds)-1], all > 0
}

// counting is where the router counts.
type counting struct {
	noops, resubmitted, spooled uint64
	overdue, overdueEnds        uint64
	clients                     int // sessions that have submitted
	functions                   map[string]*FunctionCounts
	order                       []*FunctionCounts // those of functions, as they came
	other                       FunctionCounts
}

func (c *counting) init() {
	c.functions = map[string]*FunctionCounts{}
	c.other.Name = OtherFunctions
}

// of returns where jobs of a function are counted.
func (c *counting) of(function []byte) *FunctionCounts {
	if f := c.functions[string(function)]; f != nil {
		return f
	}
	if len(c.functions) == MaxCounted || len(function) == 0 || !utf8.Valid(function) || string(function) == OtherFunctions {
		return &c.other
	}
	f := &FunctionCounts{Name: string(function)}
	c.functions[f.Name] = f
	c.order = append(c.order, f)
	return f
}

// submitted counts a submission.
func (c *counting) submitted(sub *submission, joined bool) {
	if !counted {
		return
	}
	f := c.of(sub.function)
	if sub.background {
		f.Background++
	} else {
		f.Foreground++
	}
	if joined {
		f.Joined++
	}
}

// ran counts a job that a worker has ended; j is the job in flight, if any.
func (c *counting) ran(a *assignment, j *job, now time.Time, completed bool) {
	if !counted {
		return
	}
	f := c.of(a.function)
	if completed {
		f.Completed++
		a.backend.completed++
	} else {
		f.Failed++
		a.backend.failed++
	}
	f.Run.observe(now.Sub(a.began))
	if a.submitted.IsZero() && j != nil {
		a.submitted = j.submitted
	}
	switch {
	case a.submitted.IsZero():
	case a.stored:
		f.WaitStored.observe(a.began.Sub(a.submitted))
	default:
		f.Wait.observe(a.began.Sub(a.submitted))
	}
}

// Count returns a copy. It walks over all groups, links and assignments.
func (r *Router) Count() *Counts {
	c := &Counts{
		Noops: r.counting.noops, Resubmitted: r.counting.resubmitted, Spooled: r.counting.spooled,
		Overdue: r.counting.overdue, OverdueEnds: r.counting.overdueEnds,
		Waiting: r.waiting.jobs.count, WaitingSize: r.waiting.bytes, Clients: r.counting.clients,
	}
	for _, f := range r.counting.order {
		c.Functions = append(c.Functions, *f)
	}
	c.Functions = append(c.Functions, r.counting.other)
	at := map[string]*FunctionCounts{}
	for i := range c.Functions {
		at[c.Functions[i].Name] = &c.Functions[i]
	}
	of := func(function []byte) *FunctionCounts {
		if f := at[string(function)]; f != nil {
			return f
		}
		return &c.Functions[len(c.Functions)-1]
	}
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		c.Workers += g.members
		for i := range g.functions {
			f := of(g.functions[i].function.name)
			f.Asleep += g.asleep.count
			f.Active += g.members - g.asleep.count
		}
	}
	for _, l := range r.links {
		for a := l.carries.first; a != nil; a = l.carries.next(a) {
			if a.state == assignmentRunning {
				of(a.function).Running++
			} else {
				of(a.function).Ready++
			}
		}
	}
	for a := r.orphans.first; a != nil; a = r.orphans.next(a) {
		of(a.function).Running++
	}
	for _, b := range r.backends {
		if b.standing != standingGone {
			c.Backends = append(c.Backends, b.counted())
		}
		for _, q := range b.queues() {
			of([]byte(q.function)).Queued += q.queued
		}
	}
	return c
}

// counted returns what is counted of b.
func (b *backend) counted() BackendCounts {
	c := BackendCounts{
		Name: b.name, Sent: b.sent, Ejections: b.ejections, Failovers: b.failovers, Completed: b.completed, Failed: b.failed,
	}
	if b.up() && b.census.taken {
		c.Counted, c.Queued, c.Running = true, b.census.queued, b.census.running
	}
	return c
}
