package router

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// jobTable finds foreground jobs in flight.
type jobTable struct {
	byHandle map[place]*job      // those Accepted
	byFront  map[handleText]*job // by their aliases
	byUnique map[uint64]*job     // by the hash of what they are coalesced by; chained by sameUnique
	count    int
	pending  int // jobs that somebody listens to
}

func (t *jobTable) init() {
	t.byHandle = map[place]*job{}
	t.byFront = map[handleText]*job{}
	t.byUnique = map[uint64]*job{}
}

// find returns the job in flight that p is coalesced with, or nil.
func (t *jobTable) find(p *submission) *job {
	key := coalesceKey(p.unique, p.workload)
	if len(key) == 0 {
		return nil
	}
	for j := t.byUnique[xxhash.Sum64(key)]; j != nil; j = j.sameUnique {
		if j.matches(p) {
			return j
		}
	}
	return nil
}

// matches reports whether a submission is coalesced with j: the same function
// and unique, or for `-` the same function and workload. As in gearmand, `-`
// also finds a job whose own unique is its workload's very bytes.
func (j *job) matches(p *submission) bool {
	switch {
	case !bytes.Equal(j.function, p.function):
		return false
	case isDash(p.unique):
		return bytes.Equal(j.workload, p.workload) && bytes.Equal(coalesceKey(j.unique, j.workload), p.workload)
	}
	return bytes.Equal(j.unique, p.unique)
}

// coalesceKey returns what a submission is coalesced by; an empty one never is.
func coalesceKey(unique, workload []byte) []byte {
	if isDash(unique) {
		return workload
	}
	return unique
}

// isDash reports whether the unique says "the workload is the unique".
func isDash(unique []byte) bool { return len(unique) == 1 && unique[0] == '-' }

func (t *jobTable) add(j *job) {
	t.count++
	key := coalesceKey(j.unique, j.workload)
	if len(key) == 0 {
		return
	}
	j.hash = xxhash.Sum64(key)
	j.sameUnique = t.byUnique[j.hash]
	t.byUnique[j.hash] = j
}

// unique returns a job at b with a unique, whatever its function, or nil. For
// no backend, it is one that none has.
func (t *jobTable) unique(b *backend, unique []byte) *job {
	for j := t.byUnique[xxhash.Sum64(unique)]; j != nil; j = j.sameUnique {
		if j.backend == b && bytes.Equal(j.unique, unique) {
			return j
		}
	}
	return nil
}

// accept notes that a backend has j now, under j.handle.
func (t *jobTable) accept(j *job) {
	j.state, j.place = jobAccepted, j.link.place(&j.handle)
	t.byHandle[j.place] = j
	j.link.jobs.pushBack(j)
}

// leave notes that no backend has j any more. Its clients go on using the
// handle they know.
func (t *jobTable) leave(j *job) {
	if j.state == jobAccepted {
		delete(t.byHandle, j.place)
		j.link.jobs.remove(j)
		t.alias(j, j.front)
	}
	j.state, j.backend, j.link = jobHeld, nil, nil
}

// alias makes front lead to j, whatever it says.
func (t *jobTable) alias(j *job, front handleText) {
	if t.byFront[front] != j {
		t.byFront[front] = j
		j.aliases = append(j.aliases, front)
	}
}

func (t *jobTable) remove(j *job) {
	if j.stored {
		return
	}
	t.count--
	if j.state == jobAccepted {
		delete(t.byHandle, j.place)
		j.link.jobs.remove(j)
	}
	for _, front := range j.aliases {
		delete(t.byFront, front)
	}
	if len(coalesceKey(j.unique, j.workload)) == 0 {
		return
	}
	if t.byUnique[j.hash] == j {
		if j.sameUnique == nil {
			delete(t.byUnique, j.hash)
		} else {
			t.byUnique[j.hash] = j.sameUnique
		}
		return
	}
	for at := t.byUnique[j.hash]; at != nil; at = at.sameUnique {
		if at.sameUnique == j {
			at.sameUnique = j.sameUnique
			return
		}
	}
}
