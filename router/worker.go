package router

import (
	"bytes"
	"encoding/binary"
	"time"
)

// A worker is the worker's side of a session: what it can do, what it runs,
// and whether it sleeps.
type worker struct {
	session    *session
	state      workerState
	abilities  abilities
	changed    bool     // abilities may not be those of group: see regroup
	group      *group   // nil without abilities, and for a while where they change too often
	grabs      byWorker // owed their replies
	running    running
	timer      timer     // while it sleeps, for its changed abilities
	spentUntil time.Time // until when its share of time for changing its group is used up
	wokenAt    time.Time
	late       []lateRun
	had        []uint64 // hashes of the handles of the last jobs it held
	hadOldest  int      // its place in had, once that is full

	roll  *workerRoll // the one it is on, or nil
	since time.Time   // when it came there

	inGroup hook[worker] // group.asleep or group.woken
	inRoll  hook[worker] // roll
}

// workerState is what a worker is doing:
//
//	Busy ──PRE_SLEEP──► Asleep ──NOOP──► Woken ──WakeTimeout──► PassedOver
//	 ▲                    │                │                        │
//	 └────── GRAB_JOB ────┴────────────────┴────────────────────────┘
//
// PRE_SLEEP puts it to sleep from each of them, and a Woken one whose abilities
// change is PassedOver at once. One NOOP per sleep. A worker that is passed over
// was woken for a job that has gone to another; it gets no further NOOP until it
// has grabbed or slept.
type workerState uint8

const (
	workerBusy workerState = iota
	workerAsleep
	workerWoken
	workerPassedOver
)

// dismiss ends a worker whose session has closed.
func (r *Router) dismiss(w *worker) {
	r.awake(w)
	for w.grabs.count > 0 {
		at := w.grabs.first
		r.recycle(at.reply)
		r.forgetGrab(w.group, at)
	}
	lost := r.takeAwayAll(w)
	if g := w.group; g != nil {
		w.group = nil
		r.enrollWorker(w)
		r.leaveGroup(g)
	}
	r.disarm(&w.timer)
	for w.abilities.first != nil {
		r.forgo(w, w.abilities.first, nil)
	}
	r.giveBackAll(lost)
}

// readTimeout reads the number of CAN_DO_TIMEOUT: decimal digits, or four raw
// bytes, big-endian, as some Go and Node.js libraries send it. gearmand makes
// less than a second one second, and takes zero, a negative number or none as
// no limit.
func (r *Router) readTimeout(text []byte) time.Duration {
	n, raw := rawTimeout(text)
	if !raw {
		n = decimal(text)
	}
	unit := time.Millisecond
	if r.cfg.TimeoutSeconds {
		unit = time.Second
	}
	if n == 0 {
		return 0
	}
	return max(time.Duration(n)*unit, time.Second)
}

// rawTimeout reports whether text is four raw bytes, and their number. No
// text in ASCII begins with a control character, and no time limit is so long
// that its first byte is not one.
func rawTimeout(text []byte) (n uint32, ok bool) {
	if len(text) != 4 || text[0] >= ' ' {
		return 0, false
	}
	return binary.BigEndian.Uint32(text), true
}

// decimal reads the digits at the start of text; more than fit are the
// largest number.
func decimal(text []byte) (n uint32) {
	for _, c := range bytes.TrimLeft(text, " ") {
		if c < '0' || c > '9' {
			break
		}
		if n > (1<<32-1-9)/10 {
			return 1<<32 - 1
		}
		n = n*10 + uint32(c-'0')
	}
	return n
}
