package jobserver

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/geargate/geargate/protocol"
)

// A job is one submission and those that were coalesced with it, until its
// last packet. It holds no pointers; doc.go draws its states.
type job struct {
	chained [chainKinds]chained
	links   links // in a queue while it is queued, in its worker's jobs while it runs

	function uint32 // its index
	worker   uint32 // the index of the connection that runs it; 0 if none
	clients  list   // its attachments, in the order of their submissions
	attached uint32 // how many they are
	timer    uint32 // its place among the timers, plus one

	text         blob // unique, reducer and workload, one behind the other
	workloadSize uint32
	uniqueSize   uint8
	reducerSize  uint8

	state      state
	priority   protocol.Priority
	background bool // run also with no client left: a background submission was part of it
	keeping    keeping
	cancelled  bool // still with its worker, but nobody hears of it again
	indexed    bool // in the table of uniques

	retries     uint32 // how often a worker lost it
	numerator   uint32
	denominator uint32
}

// A state is where a job is. The zero state is that of no job.
type state uint8

const (
	storing state = iota + 1 // waits to be on disk; not in a queue
	delayed                  // waits for its epoch; not in a queue
	queued                   // in the queue of its function and priority
	running                  // with its worker
)

// ignored reports whether nobody waits for j any more.
func (j *job) ignored() bool { return j.cancelled || !j.background && j.attached == 0 }

// unique returns j's unique; it is valid until j is dropped, as are reducer and
// workload.
func (s *Server) unique(j *job) []byte { return s.texts.bytes(j.text)[:j.uniqueSize] }

func (s *Server) reducer(j *job) []byte {
	from := uint32(j.uniqueSize)
	return s.texts.bytes(j.text)[from : from+uint32(j.reducerSize)]
}

func (s *Server) workload(j *job) []byte {
	from := uint32(j.uniqueSize) + uint32(j.reducerSize)
	return s.texts.bytes(j.text)[from : from+j.workloadSize]
}

// workloadIsUnique is the unique that stands for the workload itself.
const workloadIsUnique = "-"

// coalesceKey returns what a job is coalesced by; where it is empty, it never
// is.
func coalesceKey(unique, workload []byte) []byte {
	if string(unique) == workloadIsUnique {
		return workload
	}
	return unique
}

func hashOf(key []byte) uint32 {
	sum := xxhash.Sum64(key)
	return uint32(sum ^ sum>>32)
}

// inFlight returns the job of f that a submission with this unique and workload
// joins, or 0. As in gearmand, unique "-" also finds a job whose own unique is
// its workload's very bytes.
func (s *Server) inFlight(f *function, unique, workload []byte) uint32 {
	key := coalesceKey(unique, workload)
	if len(key) == 0 {
		return 0
	}
	hash := hashOf(key)
	for id := s.uniques.first(hash); id != 0; id = s.uniques.next(id) {
		j := s.jobs.at(id)
		if j.chained[byUnique].key != hash || j.function != f.index {
			continue
		}
		if string(unique) != workloadIsUnique {
			if bytes.Equal(s.unique(j), unique) {
				return id
			}
		} else if j.keeping != away && bytes.Equal(s.workload(j), workload) && bytes.Equal(coalesceKey(s.unique(j), s.workload(j)), workload) {
			return id
		}
	}
	return 0
}

// newest returns the job submitted last, of whatever function, whose unique is
// the given one, or 0.
func (s *Server) newest(unique []byte) uint32 {
	if len(unique) == 0 {
		return 0
	}
	hash := hashOf(unique)
	for id := s.uniques.first(hash); id != 0; id = s.uniques.next(id) {
		j := s.jobs.at(id)
		if j.chained[byUnique].key == hash && bytes.Equal(s.unique(j), unique) {
			return id
		}
	}
	return 0
}

// create makes a job of a submission; it is in no queue yet.
func (s *Server) create(sub *submission, number uint32) uint32 {
	id := s.jobs.take()
	j := s.jobs.at(id)
	j.function = sub.function.index
	j.priority = sub.priority
	j.background = sub.background
	j.uniqueSize = uint8(len(sub.unique))
	j.reducerSize = uint8(len(sub.reducer))
	j.workloadSize = uint32(len(sub.workload))
	j.text = s.texts.take(len(sub.unique) + len(sub.reducer) + len(sub.workload))
	text := s.texts.bytes(j.text)
	n := copy(text, sub.unique)
	n += copy(text[n:], sub.reducer)
	copy(text[n:], sub.workload)

	s.numbers.add(id, number)
	if key := coalesceKey(sub.unique, sub.workload); len(key) > 0 {
		j.indexed = true
		s.uniques.add(id, hashOf(key))
	}
	sub.function.total++
	return id
}

// forget takes j out of the table of uniques: no submission joins it again.
func (s *Server) forget(id uint32) {
	if j := s.jobs.at(id); j.indexed {
		j.indexed = false
		s.uniques.remove(id)
	}
}

// drop ends a job wherever it is. Its attachments end with it; they must have
// been told before.
func (s *Server) drop(id uint32) {
	s.detachAll(id)
	s.leave(id)
	s.forget(id)
	s.unkeep(id)
	s.numbers.remove(id)
	j := s.jobs.at(id)
	f := s.functions.at(j.function)
	f.total--
	s.texts.give(j.text)
	s.jobs.give(id)
	s.outlive(f)
}
