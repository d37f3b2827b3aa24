package load

import "fmt"

// completed checks a result against the job it should belong to.
func (c *client) completed(handle, data []byte) {
	who, intact := ReadResult(data, c.salt)
	switch {
	case !intact:
		c.wrong(handle, "a result was altered")
	case who.Client == sharedClient:
		c.completedShared(handle, who.Sequence)
	case who.Client != c.id:
		c.wrong(handle, "a client got another's result")
	default:
		c.completedOwn(handle, who.Sequence)
	}
}

func (c *client) completedOwn(handle []byte, sequence uint32) {
	j := c.window.find(sequence)
	switch {
	case j == nil && c.window.findHandle(handle) != nil:
		c.wrong(handle, "the result of a finished job came with another's handle")
	case j == nil:
		c.doubled(handle)
	case !j.created:
		c.tally.wrong++
		c.tally.note(fmt.Sprintf("a result came before its JOB_CREATED, handle %q", handle))
		c.settle(j)
	case !j.hasHandle(handle):
		c.wrong(handle, "a result came with another's handle")
	default:
		c.good(j)
	}
}

// completedShared finds the job by its handle: the result is the same for all
// that carried the unique.
func (c *client) completedShared(handle []byte, key uint32) {
	j := c.window.findHandle(handle)
	switch {
	case j == nil:
		c.doubled(handle)
	case j.key != key:
		c.wrong(handle, "a result of another unique came")
	default:
		c.good(j)
	}
}

// failed ends a job that was given up; workers of the bench never do.
func (c *client) failed(handle []byte) {
	j := c.window.findHandle(handle)
	if j == nil {
		c.doubled(handle)
		return
	}
	c.tally.failed++
	c.tally.note(fmt.Sprintf("job %q failed", handle))
	c.settle(j)
}

func (c *client) doubled(handle []byte) {
	c.tally.doubled++
	c.tally.note(fmt.Sprintf("an answer too many for %q", handle))
}

// wrong ends the job that has the handle, where there is one.
func (c *client) wrong(handle []byte, what string) {
	c.tally.wrong++
	c.tally.note(fmt.Sprintf("%s, handle %q", what, handle))
	if j := c.window.findHandle(handle); j != nil {
		c.settle(j)
	}
}

// good ends a job as it should, and measures it.
func (c *client) good(j *job) {
	if c.measured(c.clock) {
		c.tally.jobs++
	}
	if c.measured(j.at) {
		c.tally.record(c.clock - j.at)
	}
	c.settle(j)
}

// settle ends a job in whatever way and lets the next one go.
func (c *client) settle(j *job) {
	c.window.release(j)
	c.counters.last.Store(c.clock)
	c.counters.settled.Add(1)
	c.arrivals.full = false
	c.fill()
}
