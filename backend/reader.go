package backend

import (
	"errors"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/backend/store"
)

// A load is a workload to be read.
type load struct {
	conn           jobserver.ConnID
	ticket, number uint32
}

// failed returns the answer that it could not be read for now.
func (l *load) failed() jobserver.Event {
	return jobserver.Event{Kind: jobserver.LoadFailed, Conn: l.conn, Ticket: l.ticket}
}

// reads is the reader.
func (k *keeper) reads() {
	for range k.wakeReader {
		for l, more := k.nextLoad(); more; l, more = k.nextLoad() {
			ev := jobserver.Event{Kind: jobserver.Loaded, Conn: l.conn, Ticket: l.ticket}
			var err error
			if ev.Workload, err = k.store.Workload(nil, l.number); err != nil {
				ev = l.failed()
				ev.Gone = errors.Is(err, store.ErrGone) || errors.Is(err, store.ErrDamaged)
			}
			k.haveRead(ev)
		}
	}
}

// nextLoad begins with the oldest load, if there is one.
func (k *keeper) nextLoad() (l load, more bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.loads) == 0 {
		return l, false
	}
	k.reading = k.loads[0]
	k.loads = k.loads[1:]
	k.readAt = time.Now()
	k.lateRead.Reset(slowDisk)
	return k.reading, true
}

// haveRead ends a load. One that was given up has been answered.
func (k *keeper) haveRead(ev jobserver.Event) {
	k.mu.Lock()
	k.lateRead.Stop()
	k.readAt = time.Time{}
	if k.blind {
		k.blind = false
		ev = jobserver.Event{Kind: jobserver.LoadsGoOn}
	}
	k.addAnswer(ev)
	k.mu.Unlock()
	k.notify()
}

// giveUpReading has nobody wait any longer for a read that hangs, nor for those
// behind it. That nothing can be read is heard first: or the next job to be
// given out would be another such.
func (k *keeper) giveUpReading() {
	k.mu.Lock()
	if k.readAt.IsZero() || k.blind || time.Since(k.readAt) < slowDisk {
		k.mu.Unlock()
		return // it has ended meanwhile
	}
	k.blind = true
	k.addAnswer(jobserver.Event{Kind: jobserver.LoadsHang})
	k.addAnswer(k.reading.failed())
	for i := range k.loads {
		k.addAnswer(k.loads[i].failed())
	}
	k.loads = nil
	k.mu.Unlock()
	k.notify()
}
