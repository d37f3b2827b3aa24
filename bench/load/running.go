package load

import "container/heap"

// A runningJob is a job that a worker will have finished at a moment.
type runningJob struct {
	due    int64 // nanoseconds of the run
	worker *worker
	answer []byte // the packet to send then
}

// runningJobs is a heap of jobs by when they will be finished.
type runningJobs []runningJob

func (r runningJobs) Len() int           { return len(r) }
func (r runningJobs) Less(i, j int) bool { return r[i].due < r[j].due }
func (r runningJobs) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

// Push is called by package heap only.
func (r *runningJobs) Push(x any) { *r = append(*r, x.(runningJob)) }

// Pop is called by package heap only.
func (r *runningJobs) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	(*r)[last] = runningJob{}
	*r = (*r)[:last]
	return x
}

func (r *runningJobs) add(j runningJob) { heap.Push(r, j) }

// due returns when the next job will be finished; ok is false where none runs.
func (r *runningJobs) due() (at int64, ok bool) {
	if len(*r) == 0 {
		return 0, false
	}
	return (*r)[0].due, true
}

// finish sends the answers that are due and lets those workers grab again.
func (l *loop) finish() {
	now := l.now()
	for {
		due, ok := l.running.due()
		if !ok || due > now {
			return
		}
		j := heap.Pop(&l.running).(runningJob)
		w := j.worker
		if w.gone {
			continue
		}
		w.running--
		w.connection.out = append(w.connection.out, j.answer...)
		w.grab()
		l.flush(w.connection)
	}
}
