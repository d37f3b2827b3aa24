package proxy

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
)

// controlLink is the endpoint's connection to each built-in job server, beside
// those of the router.
const controlLink = 1<<63 | 1

// A Job is a job of a built-in job server, as `geargate jobs` shows it.
type Job struct {
	Handle      string    `json:"handle"`
	Function    string    `json:"function"`
	Unique      string    `json:"unique"`
	Priority    string    `json:"priority"`
	State       string    `json:"state"` // queued, running or scheduled
	Background  bool      `json:"background"`
	Attempts    int       `json:"attempts"` // that workers lost
	Clients     int       `json:"clients"`  // that wait for it
	Bytes       int       `json:"bytes"`    // of its workload
	Due         time.Time `json:"due,omitzero"`
	Numerator   uint32    `json:"numerator"`
	Denominator uint32    `json:"denominator"`
}

// A JobPage is a part of the jobs. Next is where the next part begins, and
// empty behind the last.
type JobPage struct {
	Jobs []Job  `json:"jobs"`
	Next string `json:"next"`
}

const (
	// jobsPerPage is how many jobs a page has, and placesPerPage how far is
	// looked for them: a page may be empty where few jobs are asked for.
	jobsPerPage   = 1000
	placesPerPage = 10_000
)

var priorityNames = [...]string{"high", "normal", "low"}

// serveJobs answers with a page of the jobs of a function and in a state, or
// of all.
func (p *Proxy) serveJobs(w http.ResponseWriter, r *http.Request) {
	name, cursor, _ := strings.Cut(r.FormValue("after"), ":")
	from, err := strconv.ParseUint(cursor, 10, 32)
	if err != nil && cursor != "" {
		refuse(w, http.StatusBadRequest, "expected the next of a page as after, got "+quote(r.FormValue("after")))
		return
	}
	answer(w, p.core.jobPage(name, uint32(from), jobFilter{r.FormValue("function"), r.FormValue("state")}))
}

// A jobFilter says which jobs are wanted; what is empty leaves none out.
type jobFilter struct{ function, state string }

func (f jobFilter) wants(l *jobserver.Listed) bool {
	return (f.function == "" || f.function == string(l.Function)) && (f.state == "" || f.state == l.State)
}

// jobPage returns the jobs behind a cursor of the built-in job server with a
// name, the first where it is empty.
func (c *core) jobPage(name string, cursor uint32, filter jobFilter) JobPage {
	c.mu.Lock()
	defer c.mu.Unlock()
	page := JobPage{Jobs: []Job{}}
	builtins := c.builtins()
	for i, u := range builtins {
		if name != "" && u.name != name {
			continue
		}
		for looked := 0; looked < placesPerPage && len(page.Jobs) < jobsPerPage; looked += jobsPerPage {
			cursor = u.builtin.List(cursor, jobsPerPage, func(l *jobserver.Listed) {
				if filter.wants(l) {
					page.Jobs = append(page.Jobs, c.listed(u, l))
				}
			})
			if cursor == 0 {
				break
			}
		}
		switch {
		case cursor != 0:
			page.Next = u.name + ":" + strconv.Itoa(int(cursor))
		case i+1 < len(builtins):
			page.Next = builtins[i+1].name + ":"
		}
		break
	}
	return page
}

// builtins returns the built-in job servers. core.mu is held.
func (c *core) builtins() (all []*upstream) {
	for _, u := range c.upstreams {
		if u.builtin != nil {
			all = append(all, u)
		}
	}
	return all
}

// listed returns a job under the handle that clients know.
func (c *core) listed(u *upstream, l *jobserver.Listed) Job {
	handle := string(l.Handle)
	if !c.plain {
		handle = "H:" + u.name + "~" + strings.TrimPrefix(handle, "H:")
	}
	return Job{
		Handle: handle, Function: string(l.Function), Unique: string(l.Unique), Priority: priorityNames[l.Priority],
		State: l.State, Background: l.Background, Attempts: l.Attempts, Clients: l.Clients, Bytes: l.Bytes,
		Due: l.Due, Numerator: l.Numerator, Denominator: l.Denominator,
	}
}

// Cancelled is what has come of a cancel or a part of a purge.
type Cancelled struct {
	Jobs int    `json:"jobs"`
	Next string `json:"next"` // as in JobPage
}

// serveCancel cancels one job of a built-in job server.
func (p *Proxy) serveCancel(w http.ResponseWriter, r *http.Request) {
	handle := r.FormValue("handle")
	if !p.core.cancelJob(handle) {
		refuse(w, http.StatusNotFound, "expected the handle of a job of the built-in pool or the spool, got "+quote(handle))
		return
	}
	p.journal.add(line{event: "job_cancelled", reason: handle})
	answer(w, Cancelled{Jobs: 1})
}

// cancelJob reports false where no built-in job server has the job.
func (c *core) cancelJob(handle string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.builtins() {
		own, ok := strings.CutPrefix(handle, "H:"+u.name+"~")
		if ok {
			own = "H:" + own
		} else if own = handle; !c.plain {
			continue
		}
		return c.cancelAt(u, own)
	}
	return false
}

// cancelAt has a built-in job server cancel a job, as an operator would over
// its own text commands. core.mu is held.
func (c *core) cancelAt(u *upstream, handle string) bool {
	if strings.ContainsAny(handle, " \r\n") {
		return false
	}
	if !u.controlled {
		u.controlled = true
		u.builtin.Open(controlLink)
	}
	c.control = c.control[:0]
	u.builtin.Write(controlLink, []byte("cancel job "+handle+"\n"))
	c.settle(time.Now())
	return bytes.HasPrefix(c.control, []byte("OK"))
}

// servePurge cancels jobs of a function that wait, a page of them, and says
// where the next begins.
func (p *Proxy) servePurge(w http.ResponseWriter, r *http.Request) {
	name, cursor, _ := strings.Cut(r.FormValue("after"), ":")
	from, err := strconv.ParseUint(cursor, 10, 32)
	function := r.FormValue("function")
	if err != nil && cursor != "" || function == "" {
		refuse(w, http.StatusBadRequest, "expected a function, and the next of an answer as after, if any")
		return
	}
	page := p.core.jobPage(name, uint32(from), jobFilter{function: function})
	done := Cancelled{Next: page.Next}
	for _, job := range page.Jobs {
		if job.State != "running" && p.core.cancelJob(job.Handle) {
			done.Jobs++
		}
	}
	if done.Jobs > 0 {
		p.journal.add(line{event: "jobs_purged", reason: strconv.Itoa(done.Jobs) + " of " + quote(function)})
	}
	answer(w, done)
}
