package jobserver

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A Kept is a background job as it goes to a disk and comes back from it.
type Kept struct {
	Number   uint32 // of its handle
	Priority protocol.Priority
	Attempts uint32 // how often a worker lost it
	Due      int64  // milliseconds since 1970; 0 is at once
	Function []byte
	Unique   []byte
	Reducer  []byte
	Workload []byte
}

// A keeping says how a job stands to the disk.
type keeping uint8

const (
	unkept  keeping = iota // it ends with the process
	writing                // it was handed over, and nobody has said yet how that went
	kept                   // it is on disk
	away                   // it is on disk, and its workload is nowhere else
)

// A write is a Store that was not answered yet.
type write struct {
	job  uint32
	size uint32 // of the workload
	due  int64  // when the job is to be queued; 0 is at once
}

const (
	// maxUnwritten is how many bytes of workloads may wait for the disk.
	maxUnwritten = 256 << 20
	// Reserved is how many numbers are reserved at once. Half of them are left
	// when the next Reserve goes to the disk.
	Reserved = 1 << 17
)

// keep hands a job over to be stored.
func (s *Server) keep(id uint32, due int64) {
	j := s.jobs.at(id)
	j.keeping = writing
	s.lastWrite++
	s.writing[id] = s.lastWrite
	s.writes = append(s.writes, write{job: id, size: j.workloadSize, due: due})
	s.unwritten += int(j.workloadSize)
	s.kept = Kept{
		Number:   j.chained[byNumber].key,
		Priority: j.priority,
		Attempts: j.retries,
		Due:      due,
		Function: s.functions.at(j.function).name,
		Unique:   s.unique(j),
		Reducer:  s.reducer(j),
		Workload: s.workload(j),
	}
	s.acts = append(s.acts, Action{Kind: Store, Ticket: s.lastWrite, Kept: &s.kept})
}

// unkeep has the disk forget a job, if it was ever handed over.
func (s *Server) unkeep(id uint32) {
	j := s.jobs.at(id)
	if j.keeping == unkept {
		return
	}
	s.lapse(id)
	s.acts = append(s.acts, Action{Kind: Forget, Number: j.chained[byNumber].key})
}

// lapse takes note that a job is not on disk any more, or never was.
func (s *Server) lapse(id uint32) {
	j := s.jobs.at(id)
	switch j.keeping {
	case writing:
		delete(s.writing, id)
	case kept:
		s.resident -= int(j.workloadSize)
	case away:
		j.workloadSize = 0
	}
	j.keeping = unkept
}

// written takes note of how all writes up to a ticket went.
func (s *Server) written(ticket uint32, stored bool) {
	first := s.lastWrite - uint32(len(s.writes)) + 1
	done := min(int(int32(ticket-first+1)), len(s.writes))
	if done <= 0 {
		return
	}
	for i, w := range s.writes[:done] {
		s.unwritten -= int(w.size)
		switch {
		case s.writing[w.job] != first+uint32(i): // it is gone, and perhaps another has its place
		case stored:
			s.stored(w)
		default:
			s.refused(w)
		}
	}
	s.writes = append(s.writes[:0], s.writes[done:]...)
	s.settleWrites(ticket, stored)
}

// stored goes on with a job that is on disk now: the wait was for this.
func (s *Server) stored(w write) {
	j := s.jobs.at(w.job)
	delete(s.writing, w.job)
	j.keeping = kept
	s.resident += int(j.workloadSize)
	if j.state != running {
		s.sendAway(w.job)
	}
	if j.state == storing {
		s.leave(w.job)
		s.place(w.job, w.due)
	}
}

// refused goes on with a job that could not be stored: for the foreground
// clients that have joined it, or not at all.
func (s *Server) refused(w write) {
	s.lapse(w.job)
	j := s.jobs.at(w.job)
	j.background = false
	switch {
	case j.state == running:
	case j.ignored():
		s.drop(w.job)
	case j.state == storing:
		s.leave(w.job)
		s.enqueue(w.job)
	}
}

// smallWorkload is what it is not worth leaving to the disk, in bytes. A
// unique is never longer.
const smallWorkload = 64

// sendAway leaves the workload of a job that is on disk to the disk alone,
// where there are too many in memory. The oldest stay: they are wanted first.
// Where the workload is the unique it is needed to find the job.
func (s *Server) sendAway(id uint32) {
	j := s.jobs.at(id)
	if s.config.Memory == 0 || s.resident <= s.config.Memory || j.workloadSize <= smallWorkload ||
		string(s.unique(j)) == workloadIsUnique {
		return
	}
	s.resident -= int(j.workloadSize)
	j.keeping = away
	size := int(j.uniqueSize) + int(j.reducerSize)
	from := j.text
	j.text = s.texts.take(size)
	copy(s.texts.bytes(j.text), s.texts.bytes(from)[:size])
	s.texts.give(from)
}

// Restore adds a job that was stored before. It comes before the first Step;
// the jobs in the order in which they were submitted. It reports false where
// the function's name is not acceptable any more. Slices of k are not kept.
func (s *Server) Restore(now time.Time, k *Kept) bool {
	s.now = now.UnixMilli()
	sub := submission{unique: k.Unique, reducer: k.Reducer, workload: k.Workload,
		priority: min(k.Priority, protocol.Low), background: true}
	if len(k.Unique) > maxUnique || len(k.Reducer) > maxReducer || s.numbered(k.Number) != 0 {
		return false
	}
	var refusal *protocol.Refusal
	if sub.function, refusal = s.named(k.Function); refusal != nil {
		return false
	}
	id := s.create(&sub, k.Number)
	j := s.jobs.at(id)
	j.retries = k.Attempts
	j.keeping = kept
	s.resident += int(j.workloadSize)
	s.sendAway(id)
	s.place(id, k.Due)
	return true
}

// Resume makes numbers go on behind last, those up to reserved being reserved
// on disk. It comes before the first Step.
func (s *Server) Resume(last, reserved uint32) { s.lastNumber, s.reservedTo = last, reserved }

// reserve sees to it that no number is given out again after a restart, also
// where no job of it was stored.
func (s *Server) reserve() {
	if s.config.Durable && int32(s.reservedTo-s.lastNumber) < Reserved/2 {
		s.reservedTo = s.lastNumber + Reserved
		s.acts = append(s.acts, Action{Kind: Reserve, Number: s.reservedTo})
	}
}
