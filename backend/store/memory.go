package store

import (
	"bytes"
	"slices"
	"sync"
)

// A Memory is a Store that ends with the process. It is the measure of what a
// Store does, and stands in for a disk that fails or hangs in tests.
type Memory struct {
	// Fault is called before each commit, which fails with its error. It may be
	// nil.
	Fault func() error

	mu        sync.Mutex
	jobs      map[uint32]*Job
	recovered Recovery
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{jobs: make(map[uint32]*Job)} }

// Recovered is part of Store.
func (m *Memory) Recovered() Recovery {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.recovered
	r.Jobs = len(m.jobs)
	return r
}

// Replay is part of Store.
func (m *Memory) Replay(visit func(*Job) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	numbers := make([]uint32, 0, len(m.jobs))
	for number := range m.jobs {
		numbers = append(numbers, number)
	}
	first := m.recovered.Last + 1
	slices.SortFunc(numbers, func(a, b uint32) int { return int(int64(a-first) - int64(b-first)) })
	for _, number := range numbers {
		job := *m.jobs[number]
		if err := visit(&job); err != nil {
			return err
		}
	}
	return nil
}

// Commit is part of Store.
func (m *Memory) Commit(b *Batch) error {
	if m.Fault != nil {
		if err := m.Fault(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b.each(func(_ int, r record) { m.apply(r) })
	return nil
}

func (m *Memory) apply(r record) {
	number := r.number()
	switch r.kind() {
	case jobKind:
		job := &Job{}
		r.job(job)
		for _, text := range []*[]byte{&job.Function, &job.Unique, &job.Reducer, &job.Workload} {
			*text = bytes.Clone(*text)
		}
		m.jobs[number] = job
		if int32(number-m.recovered.Last) > 0 {
			m.recovered.Last = number
		}
	case forgetKind:
		delete(m.jobs, number)
	case attemptsKind:
		if job := m.jobs[number]; job != nil {
			job.Attempts = r.attempts()
		}
	case stateKind:
		m.recovered.Name, m.recovered.Last = string(r.body()), number
	}
}

// Workload is part of Store.
func (m *Memory) Workload(dst []byte, number uint32) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job := m.jobs[number]
	if job == nil {
		return dst, ErrGone
	}
	return append(dst, job.Workload...), nil
}

// Room is part of Store.
func (m *Memory) Room() error { return nil }

// Compact is part of Store.
func (m *Memory) Compact() (more bool, err error) { return false, nil }

// Close is part of Store. The jobs stay for who opens it again: the next
// caller of Replay.
func (m *Memory) Close() error { return nil }
