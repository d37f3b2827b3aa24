package proxy

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A Job is a job of a built-in job server, as `geargate jobs` shows it.
type Job struct {
	Handle      string        `json:"handle"`
	Function    protocol.Text `json:"function"`
	Unique      protocol.Text `json:"unique"`
	Priority    string        `json:"priority"`
	State       string        `json:"state"` // queued, running or scheduled
	Background  bool          `json:"background"`
	Attempts    int           `json:"attempts"` // that workers lost
	Clients     int           `json:"clients"`  // that wait for it
	Bytes       int           `json:"bytes"`    // of its workload
	Due         time.Time     `json:"due,omitzero"`
	Numerator   uint32        `json:"numerator"`
	Denominator uint32        `json:"denominator"`
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
		Handle: handle, Function: protocol.Text(l.Function), Unique: protocol.Text(l.Unique), Priority: priorityNames[l.Priority],
		State: l.State, Background: l.Background, Attempts: l.Attempts, Clients: l.Clients, Bytes: l.Bytes,
		Due: l.Due, Numerator: l.Numerator, Denominator: l.Denominator,
	}
}

// Cancelled is what has come of a cancel or a part of a purge.
type Cancelled struct {
	Jobs int    `json:"jobs"`
	Next string `json:"next"` // as in JobPage
}

// serveCancel cancels one job, wherever it is.
func (p *Proxy) serveCancel(w http.ResponseWriter, r *http.Request) {
	handle := r.FormValue("handle")
	if !isHandle(handle) {
		refuse(w, http.StatusBadRequest, "expected the handle of a job, got "+quote(handle))
		return
	}
	said, err := p.cancelJobs(r.Context(), handle)
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error())
	case said[0] == protocol.AnswerOK:
		p.journal.add(line{event: "job_cancelled", reason: handle})
		answer(w, Cancelled{Jobs: 1})
	case said[0] == protocol.AnswerUnknownJob:
		refuse(w, http.StatusNotFound, "expected the handle of a job that waits or runs, got "+quote(handle))
	default:
		refuse(w, http.StatusBadGateway, "cancel "+handle+": the job server with that job does not answer, or does not cancel it: "+strings.TrimSpace(said[0]))
	}
}

// longestHandle is the longest handle that a job server gives out, in bytes.
const longestHandle = 64

// isHandle reports whether text can stand for a job in an admin line.
func isHandle(text string) bool {
	return text != "" && len(text) <= longestHandle && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// cancelJobs has jobs cancelled as an operator would over the text commands, and
// returns what was said of each.
func (p *Proxy) cancelJobs(ctx context.Context, handles ...string) (said []string, err error) {
	if len(handles) == 0 {
		return nil, nil
	}
	operator, err := p.enter(ctx, &session{})
	if err != nil {
		return nil, err
	}
	defer operator.Close()
	var lines []byte
	for _, handle := range handles {
		lines = protocol.VerbCancelJob.AppendLine(lines, []byte(handle))
	}
	if _, err := operator.Write(lines); err != nil {
		return nil, fmt.Errorf("cancel jobs: %w", err)
	}
	for range handles {
		line, err := operator.replies.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("cancel jobs: %w", err)
		}
		said = append(said, line)
	}
	return said, nil
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
	var waiting []string
	for _, job := range page.Jobs {
		if job.State != "running" {
			waiting = append(waiting, job.Handle)
		}
	}
	said, err := p.cancelJobs(r.Context(), waiting...)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	done := Cancelled{Next: page.Next}
	for _, verdict := range said {
		if verdict == protocol.AnswerOK {
			done.Jobs++
		}
	}
	if done.Jobs > 0 {
		p.journal.add(line{event: "jobs_purged", reason: strconv.Itoa(done.Jobs) + " of " + quote(function)})
	}
	answer(w, done)
}
