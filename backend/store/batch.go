package store

// A Batch is what is committed together. The zero batch is empty.
type Batch struct {
	records []byte // unsealed, one behind the other
	jobs    int
	forgets int
}

// Put adds a job. It replaces one of the same number. Nothing of j is kept.
func (b *Batch) Put(j *Job) {
	b.records = appendJob(b.records, j)
	b.jobs++
}

// Forget adds that the job of that number is not kept any more.
func (b *Batch) Forget(number uint32) {
	b.records, _ = appendRecord(b.records, forgetKind, number, 0)
	b.forgets++
}

// Attempts adds that workers have lost a job so many times.
func (b *Batch) Attempts(number, attempts uint32) {
	var r record
	b.records, r = appendRecord(b.records, attemptsKind, number, 0)
	r.setAttempts(attempts)
}

// Keep adds the store's name and the last number that may have been given to
// any job.
func (b *Batch) Keep(name string, last uint32) {
	var r record
	b.records, r = appendRecord(b.records, stateKind, last, len(name))
	copy(r.body(), name)
}

// Jobs returns how many jobs were put.
func (b *Batch) Jobs() int { return b.jobs }

// Forgotten returns how many jobs are not to be kept any more.
func (b *Batch) Forgotten() int { return b.forgets }

// Size returns the length of b in bytes.
func (b *Batch) Size() int { return len(b.records) }

// keptBatch is the most that a batch may have grown to, in bytes, to be used
// again.
const keptBatch = 4 << 20

// Reset empties b.
func (b *Batch) Reset() {
	if cap(b.records) > keptBatch {
		b.records = nil
	}
	b.records = b.records[:0]
	b.jobs, b.forgets = 0, 0
}

// each calls visit with every record and its offset.
func (b *Batch) each(visit func(offset int, r record)) {
	for offset := 0; offset < len(b.records); {
		r := record(b.records[offset:])
		r = r[:r.size()]
		visit(offset, r)
		offset += len(r)
	}
}

// Spare takes the jobs out, whose commit has failed and was answered so. What
// is left is still true, and must be committed some time.
func (b *Batch) Spare() {
	left := b.records[:0]
	b.each(func(_ int, r record) {
		if r.kind() != jobKind {
			left = append(left, r...)
		}
	})
	b.records, b.jobs = left, 0
}

// Append adds what is in another batch.
func (b *Batch) Append(other *Batch) {
	b.records = append(b.records, other.records...)
	b.jobs += other.jobs
	b.forgets += other.forgets
}
