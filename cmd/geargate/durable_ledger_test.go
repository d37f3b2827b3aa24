package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A ledger knows of every background job what was promised and what was done.
type ledger struct {
	mu        sync.Mutex
	submitted int
	promised  map[string]string // handles by unique
	runs      map[string][]turn // by unique
	lives     []*life           // the oldest first
	wrong     []string
}

// A life is a process with one durable job server, from its start to its end.
type life struct {
	pid     string
	ended   int // jobs whose end it has taken note of
	certain int // how many of these, the first ones, are on disk
}

// A turn is that a worker was given a job.
type turn struct {
	life int
	end  int // its end was that many-th of its life; 0 where nobody was told
}

func newLedger() *ledger {
	return &ledger{promised: map[string]string{}, runs: map[string][]turn{}}
}

// next returns the unique of a new job.
func (l *ledger) next() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.submitted++
	return uniqueOf(l.submitted)
}

// uniqueOf returns the unique of the n-th job.
func uniqueOf(n int) string { return fmt.Sprintf("job-%08d", n) }

func (l *ledger) promise(unique, handle string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.promised[unique] = handle
}

// born returns the place in lives of a process.
func (l *ledger) born(pid string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.lives, func(one *life) bool { return one.pid == pid })
	if at < 0 {
		at = len(l.lives)
		l.lives = append(l.lives, &life{pid: pid})
	}
	return at
}

// given takes note that a worker is given a job. A process gives out each job
// once, and none whose end was on disk when an earlier one ended.
func (l *ledger) given(at int, unique, workload string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if want := workloadOf(unique); workload != want {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: expected workload %.40q, got %.40q", unique, want, workload))
	}
	for _, before := range l.runs[unique] {
		switch {
		case before.life == at:
			l.wrong = append(l.wrong, fmt.Sprintf("%s: given out twice by process %d", unique, at))
		case before.life < at && before.end > 0 && before.end <= l.lives[before.life].certain:
			l.wrong = append(l.wrong, fmt.Sprintf("%s: given out by process %d, and its end was on disk in process %d", unique, at, before.life))
		}
	}
	l.runs[unique] = append(l.runs[unique], turn{life: at})
}

// ended takes note that a process has read the end of the job that it gave a
// worker last. That is on its way to the disk from then on.
func (l *ledger) ended(at int, unique string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lives[at].ended++
	runs := l.runs[unique]
	for i := range runs {
		if runs[i].life == at {
			runs[i].end = l.lives[at].ended
		}
	}
}

// endedBefore returns how many ends a process has read. They are on disk as soon
// as a submission is acknowledged that it is sent after this: what is to be
// stored goes to the disk in the order in which it comes up.
func (l *ledger) endedBefore(at int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lives[at].ended
}

// certain takes note that the first ends that a process has read are on disk.
func (l *ledger) certain(at, ends int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lives[at].certain = max(l.lives[at].certain, ends)
}

// lost returns the promised jobs that never ran.
func (l *ledger) lost() (lost []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for unique := range l.promised {
		if len(l.runs[unique]) == 0 {
			lost = append(lost, unique)
		}
	}
	return lost
}

// again returns how many jobs were run more than once.
func (l *ledger) again() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, runs := range l.runs {
		if len(runs) > 1 {
			n++
		}
	}
	return n
}

// kept returns how many ends of jobs were known to be on disk.
func (l *ledger) kept() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.lives {
		n += one.certain
	}
	return n
}

func workloadOf(unique string) string { return unique + strings.Repeat(".", 90) }

// dial becomes a peer of the process at an address, and tells which that is.
func (l *ledger) dial(address string) (p *peer, at int, err error) {
	if p, err = dialPeer(address); err != nil {
		return nil, 0, err
	}
	pid := make([]byte, 0, 16)
	if _, err = p.Write([]byte("getpid\n")); err == nil {
		for err == nil && !bytes.HasSuffix(pid, []byte("\n")) {
			pid = append(pid, 0)
			_, err = p.Read(pid[len(pid)-1:])
		}
	}
	if err != nil {
		p.Close()
		return nil, 0, err
	}
	return p, l.born(string(pid)), nil
}

// client submits background jobs, several at once, until the server goes.
func (l *ledger) client(address string) {
	p, at, err := l.dial(address)
	if err != nil {
		return
	}
	defer p.Close()
	const together = 4
	for {
		ends := l.endedBefore(at)
		var uniques []string
		for range together {
			unique := l.next()
			uniques = append(uniques, unique)
			if p.say(protocol.SubmitJobBg, "f", unique, workloadOf(unique)) != nil {
				return
			}
		}
		for _, unique := range uniques {
			answer, err := p.hear()
			if err != nil || answer.Type != protocol.JobCreated {
				return
			}
			l.promise(unique, string(answer.Arg(0)))
			l.certain(at, ends)
		}
	}
}

// worker does jobs until the server goes or, where idle is set, until there is
// none. That the server has read the end of a job is known when it has answered
// something later.
func (l *ledger) worker(address string, idle bool) {
	p, at, err := l.dial(address)
	if err != nil {
		return
	}
	defer p.Close()
	_ = p.say(protocol.CanDo, "f")
	for last := ""; ; {
		answer, err := p.ask(protocol.GrabJobUniq)
		if err != nil {
			return
		}
		if last != "" {
			l.ended(at, last)
			last = ""
		}
		switch answer.Type {
		case protocol.JobAssignUniq:
			p.SetDeadline(time.Now().Add(time.Minute))
			last = string(answer.Arg(2))
			l.given(at, last, string(answer.Arg(3)))
			if p.say(protocol.WorkComplete, string(answer.Arg(0)), "") != nil {
				return
			}
		case protocol.NoJob:
			if idle {
				p.SetDeadline(time.Now().Add(idleAfter))
			}
			if answer, err = p.ask(protocol.PreSleep); err != nil || answer.Type != protocol.Noop {
				return
			}
		}
	}
}

// idleAfter is how long a worker is not woken that gives up.
const idleAfter = 2 * time.Second
