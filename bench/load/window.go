package load

import "bytes"

// A job is one submission that has no final answer yet.
type job struct {
	sequence   uint32
	key        uint32 // the shared unique's number
	active     bool
	created    bool // JOB_CREATED came
	background bool
	at         int64 // when it was to be sent, in nanoseconds of the run
	handleSize uint8
	handle     [64]byte
}

// setHandle keeps what JOB_CREATED said; no job server gives more than 63 bytes.
func (j *job) setHandle(handle []byte) {
	j.created = true
	j.handleSize = uint8(copy(j.handle[:], handle))
}

func (j *job) hasHandle(handle []byte) bool {
	return j.created && bytes.Equal(j.handle[:j.handleSize], handle)
}

// A window holds the jobs of one client that are in flight. A job's place is
// its sequence number modulo the size; numbers whose place is taken by a job
// that takes long are passed over, so no search is needed.
type window struct {
	jobs    []job
	next    uint32
	active  int
	created []uint32 // sequence numbers whose JOB_CREATED is still owed, oldest first
	head    int      // of created
}

// newWindow returns a window for jobs in flight, which may become more.
func newWindow(jobs int) window {
	size := 4
	for size < 2*jobs && size < 1<<12 {
		size *= 2
	}
	return window{jobs: make([]job, size)}
}

// add begins a job. The pointer is valid until the next add.
func (w *window) add(at int64) *job {
	if 2*w.active >= len(w.jobs) {
		w.grow()
	}
	for w.place(w.next).active {
		w.next = (w.next + 1) & sequenceMask
	}
	j := w.place(w.next)
	*j = job{sequence: w.next, active: true, at: at}
	w.next = (w.next + 1) & sequenceMask
	w.active++
	w.created = append(w.created, j.sequence)
	return j
}

func (w *window) place(sequence uint32) *job {
	return &w.jobs[int(sequence)&(len(w.jobs)-1)]
}

func (w *window) grow() {
	old := w.jobs
	w.jobs = make([]job, 2*len(old))
	for i := range old {
		if old[i].active {
			*w.place(old[i].sequence) = old[i]
		}
	}
}

// find returns the job of a sequence number, or nil where it is not in flight.
func (w *window) find(sequence uint32) *job {
	j := w.place(sequence)
	if !j.active || j.sequence != sequence {
		return nil
	}
	return j
}

// findHandle returns the oldest job with a handle, or nil. It looks at every
// job: only failures and shared uniques need it.
func (w *window) findHandle(handle []byte) *job {
	var oldest *job
	for i := range w.jobs {
		j := &w.jobs[i]
		if j.active && j.hasHandle(handle) && (oldest == nil || j.at < oldest.at) {
			oldest = j
		}
	}
	return oldest
}

// answered returns the job that the next JOB_CREATED or ERROR is for, or nil
// where none is owed: a connection is answered in order. A job whose result
// came first is no longer in flight; gone is then true.
func (w *window) answered() (j *job, gone bool) {
	if w.head == len(w.created) {
		return nil, false
	}
	sequence := w.created[w.head]
	w.head++
	if w.head == len(w.created) {
		w.created, w.head = w.created[:0], 0
	} else if w.head > 4096 && 2*w.head > len(w.created) {
		w.created = w.created[:copy(w.created, w.created[w.head:])]
		w.head = 0
	}
	j = w.find(sequence)
	return j, j == nil
}

// release ends a job.
func (w *window) release(j *job) {
	j.active = false
	w.active--
}
