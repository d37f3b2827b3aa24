package faults

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/geargate/geargate/bench/load"
)

// A ledger notes what was promised to whom, what was run, and what was hit
// when. Safe for concurrent use.
type ledger struct {
	began time.Time
	// keeps says that backends have their queue on disk: a background job
	// that one of them has acknowledged must be run, whatever is killed.
	keeps bool

	mutex  sync.Mutex
	works  map[load.Identity]*work
	open   map[*submission]struct{} // promises not kept yet
	hits   []*hit
	counts Counts
	waits  []time.Duration // from submission to answer, of foreground jobs
	kept   int64           // grows with everything that goes on; see quiet
}

// Counts is what a ledger has counted.
type Counts struct {
	Foreground int    `json:"foreground"` // jobs acknowledged
	Background int    `json:"background"` // jobs acknowledged
	Again      int    `json:"again"`      // submissions made again after a connection had ended
	Answered   int    `json:"answered"`   // foreground jobs
	Runs       int    `json:"runs"`
	Failed     int    `json:"failed"`  // WORK_FAIL or WORK_EXCEPTION, which no worker here sends
	Refused    int    `json:"refused"` // ERROR instead of JOB_CREATED
	Wrong      int    `json:"wrong"`   // packets that belong to nobody or somebody else
	Doubled    int    `json:"doubled"` // packets behind the last one of a job
	Handles    int    `json:"handles"` // handles given to a job while another of the client's has it
	Closed     int    `json:"closed"`  // connections that ended without anybody's killing an end
	Problem    string `json:"problem"` // the first of what should not have been
}

// A work is what workers are given to do; submissions that share a unique
// share it.
type work struct {
	who       load.Identity
	submitted []time.Duration // when, each time
	runs      []*run
}

// A submission is a client's own view of one job it has submitted.
type submission struct {
	work       *work
	background bool
	at         time.Duration // when it was submitted last
	backend    string        // that acknowledged it, empty before
	first      time.Duration // when it was submitted first
	settled    bool          // answered, failed or run
	excused    bool          // its client has left
}

// A run is one worker's doing a job.
type run struct {
	work    *work
	backend string
	at      time.Duration
	late    bool   // it was noted some time after it began
	cut     string // why nobody knows whether the result arrived, empty where it did
}

// A hit is a fault, from the moment it began to the moment all was well again.
type hit struct {
	target string
	cause  string
	from   time.Duration
	to     time.Duration // below zero while it lasts
}

func newLedger(keeps bool) *ledger {
	return &ledger{began: time.Now(), keeps: keeps, works: map[load.Identity]*work{}, open: map[*submission]struct{}{}}
}

func (l *ledger) now() time.Duration { return time.Since(l.began) }

// submit notes a new submission.
func (l *ledger) submit(who load.Identity, background bool) *submission {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	s := &submission{work: l.work(who), background: background, first: l.now()}
	l.submitted(s)
	l.open[s] = struct{}{}
	return s
}

// again notes that a submission was made once more.
func (l *ledger) again(s *submission) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.counts.Again++
	l.submitted(s)
}

func (l *ledger) submitted(s *submission) {
	s.at, s.backend = l.now(), ""
	s.work.submitted = append(s.work.submitted, s.at)
	l.kept++
}

func (l *ledger) work(who load.Identity) *work {
	w := l.works[who]
	if w == nil {
		w = &work{who: who}
		l.works[who] = w
	}
	return w
}

// acknowledge notes JOB_CREATED.
func (l *ledger) acknowledge(s *submission, handle []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	s.backend = backendOf(handle)
	switch {
	case !s.background:
		l.counts.Foreground++
	default:
		l.counts.Background++
		if len(s.work.runs) > 0 {
			l.settle(s)
		}
	}
	l.kept++
}

// backendOf returns the backend's name in a handle that Geargate gave.
func backendOf(handle []byte) string {
	name, _, found := bytes.Cut(bytes.TrimPrefix(handle, []byte("H:")), []byte("~"))
	if !found {
		return ""
	}
	return string(name)
}

// refuse notes an ERROR for a submission, which its client makes again.
func (l *ledger) refuse(s *submission, code, text []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.counts.Refused++
	l.problem("refused: %s %q", code, text)
}

// answer notes the result of a foreground job.
func (l *ledger) answer(s *submission) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.counts.Answered++
	l.waits = append(l.waits, l.now()-s.first)
	l.settle(s)
}

// fail notes the end of a foreground job that nobody let fail.
func (l *ledger) fail(s *submission, handle []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.counts.Failed++
	l.problem("%v, %q failed after %v", s.work.who, handle, l.now()-s.at)
	l.settle(s)
}

// excuse notes that a client has left; nobody waits for its answers.
func (l *ledger) excuse(s *submission) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	s.excused = true
	delete(l.open, s)
}

// settle ends a submission; the mutex is held.
func (l *ledger) settle(s *submission) {
	s.settled = true
	l.kept++
	delete(l.open, s)
}

// run notes that a worker has begun a job.
func (l *ledger) run(who load.Identity, backend string) *run {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	w := l.work(who)
	r := &run{work: w, backend: backend, at: l.now()}
	w.runs = append(w.runs, r)
	l.counts.Runs++
	l.kept++
	return r
}

// runLate notes that a worker has begun a job some time ago, of which backend
// nobody knows.
func (l *ledger) runLate(who load.Identity) *run {
	r := l.run(who, "")
	l.mutex.Lock()
	defer l.mutex.Unlock()
	r.late = true
	return r
}

// cut notes that a worker was gone before anybody knew of its result.
func (l *ledger) cut(r *run, cause string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	r.cut = cause
}

// A mistake is something that must never come, counted by the field it names.
type mistake func(*Counts) *int

func wrong(c *Counts) *int   { return &c.Wrong }
func doubled(c *Counts) *int { return &c.Doubled }
func handles(c *Counts) *int { return &c.Handles }
func closed(c *Counts) *int  { return &c.Closed }

// mistake notes what should not have come.
func (l *ledger) mistake(which mistake, format string, args ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	*which(&l.counts)++
	l.problem(format, args...)
}

// problem keeps the first description; the mutex is held.
func (l *ledger) problem(format string, args ...any) {
	if l.counts.Problem == "" {
		l.counts.Problem = fmt.Sprintf("at %v: ", l.now().Round(time.Millisecond)) + fmt.Sprintf(format, args...)
	}
}

// hit notes that a fault begins at target.
func (l *ledger) hit(target, cause string) *hit {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	h := &hit{target: target, cause: cause, from: l.now(), to: -1}
	l.hits = append(l.hits, h)
	return h
}

// heal notes that the fault is over.
func (l *ledger) heal(h *hit) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	h.to = l.now()
}

// progress returns a number that grows while anything goes on.
func (l *ledger) progress() int64 {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.kept
}

// queued returns how many background jobs are acknowledged and not run.
func (l *ledger) unkept() (foreground, background int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for s := range l.open {
		switch {
		case !s.background:
			foreground++
		case len(s.work.runs) == 0 && !l.forgotten(s):
			background++
		}
	}
	return foreground, background
}

// forgotten reports whether a background job may have gone with the memory of
// its backend; the mutex is held.
func (l *ledger) forgotten(s *submission) bool {
	if l.keeps || s.backend == "" {
		return false
	}
	for _, h := range l.hits {
		if h.target == s.backend && h.cause == killed && h.from >= s.at {
			return true
		}
	}
	return false
}

// acknowledged returns how many jobs were acknowledged so far.
func (l *ledger) acknowledged() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.counts.Foreground + l.counts.Background
}
