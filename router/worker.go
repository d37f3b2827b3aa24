package router

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// A worker is the worker's side of a session: what it can do, what it runs,
// and whether it sleeps.
type worker struct {
	session   *session
	state     workerState
	abilities []ability // in the order of registration
	changed   bool      // abilities are not those of group: settled at the next grab or sleep
	group     *group    // nil without abilities
	grabs     byWorker  // owed their replies
	running   []held    // in the order they were assigned
	wokenAt   time.Time
	patience  int      // how often in a row it slept until it was woken
	refused   bool     // its latest GRAB_JOB was answered NO_JOB
	had       []uint64 // hashes of the handles of the last jobs it held
	hadOldest int      // its place in had, once that is full

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

// An ability is a function that a worker can do.
type ability struct {
	function []byte
	timeout  time.Duration // zero without CAN_DO_TIMEOUT
}

// remembered is how many jobs a worker's late results are told by. A worker
// that runs many at once may be late with one and do many others meanwhile.
const remembered = 64

// A held is a job that a worker runs, and the hash of the handle it knows it by.
type held struct {
	front uint64
	job   *assignment
}

// hold notes that w runs a.
func (w *worker) hold(a *assignment) {
	w.running = append(w.running, held{xxhash.Sum64(a.front.bytes()), a})
}

// release ends w's hold on a, and remembers it.
func (w *worker) release(a *assignment) {
	i := slices.IndexFunc(w.running, func(h held) bool { return h.job == a })
	front := w.running[i].front
	w.running = slices.Delete(w.running, i, i+1)
	if len(w.had) < remembered {
		w.had = append(w.had, front)
		return
	}
	w.had[w.hadOldest] = front
	w.hadOldest = (w.hadOldest + 1) % remembered
}

// runsOther reports whether w runs another job than a under a's handle: one
// that its job server gave out before it started anew.
func (w *worker) runsOther(a *assignment) bool {
	other := w.runs(a.front.bytes())
	return other != nil && !other.sameAs(a)
}

// timeout returns how long w may run a job of a function, or zero.
func (w *worker) timeout(function []byte) time.Duration {
	for i := range w.abilities {
		if bytes.Equal(w.abilities[i].function, function) {
			return w.abilities[i].timeout
		}
	}
	return 0
}

// canDo registers a function. Registering it again moves it to where gearmand
// would look for it first, and is counted once.
func (r *Router) canDo(w *worker, function []byte, timeout time.Duration) {
	if !r.functionFits(function) || len(w.abilities) >= r.cfg.MaxFunctions {
		r.note(NoteBadPacket, w.session, nil, "function cannot be registered")
		return
	}
	w.abilities = slices.DeleteFunc(w.abilities, func(a ability) bool { return bytes.Equal(a.function, function) })
	w.abilities = append(w.abilities, ability{slices.Clone(function), timeout})
	r.abilitiesChanged(w)
}

// settled reports whether w's abilities are those of its group.
func (w *worker) settled() bool {
	if w.group == nil || len(w.group.functions) != len(w.abilities) {
		return w.group == nil && len(w.abilities) == 0
	}
	for i, f := range w.group.functions {
		if !bytes.Equal(f, w.abilities[i].function) {
			return false
		}
	}
	return true
}

// cantDo takes a function back; nil takes back all. Jobs of it that w runs go
// to others at once.
func (r *Router) cantDo(w *worker, function []byte) {
	r.takeBack(w, func(name []byte) bool { return function == nil || bytes.Equal(name, function) })
}

// takeBack takes back the functions that are gone, as cantDo does.
func (r *Router) takeBack(w *worker, gone func(function []byte) bool) {
	w.abilities = slices.DeleteFunc(w.abilities, func(a ability) bool { return gone(a.function) })
	var lost []*assignment
	for _, h := range slices.Clone(w.running) {
		if gone(h.job.function) {
			r.takeAway(h.job)
			lost = append(lost, h.job)
		}
	}
	r.abilitiesChanged(w)
	if w.changed && (len(lost) > 0 || len(w.abilities) == 0) {
		r.joinGroup(w) // or jobs would wait for a worker that refuses them, and backends see one that is none
	}
	r.giveBackAll(lost)
}

// restrict takes back every function that is not allowed.
func (r *Router) restrict(w *worker, allows func(function []byte) bool) {
	r.takeBack(w, func(function []byte) bool { return !allows(function) })
	if w.changed {
		r.joinGroup(w) // at once: a GRAB_JOB that waits must not be answered with a job of theirs
	}
}

// giveBackAll gives back those of the jobs whose link has not ended meanwhile.
func (r *Router) giveBackAll(lost []*assignment) {
	for _, a := range lost {
		if a.link != nil || a.state == assignmentOrphaned {
			r.giveBack(a)
		}
	}
}

// abilitiesChanged notes that w can do something else than its group. That is
// settled at its next GRAB_JOB or PRE_SLEEP, so that registering a hundred
// functions makes one group and not a hundred; a sleeper may never send one
// and is settled now.
func (r *Router) abilitiesChanged(w *worker) {
	w.changed = !w.settled()
	switch {
	case !w.changed:
	case w.state == workerAsleep:
		r.joinGroup(w)
	case w.state == workerWoken:
		w.group.woken.remove(w)
		w.state = workerPassedOver
		r.balance(w.group)
	}
}

// dismiss ends a worker whose session has closed.
func (r *Router) dismiss(w *worker) {
	r.awake(w)
	for w.grabs.count > 0 {
		at := w.grabs.first
		r.recycle(at.reply)
		r.forgetGrab(w.group, at)
	}
	var lost []*assignment
	for len(w.running) > 0 {
		lost = append(lost, w.running[0].job)
		r.takeAway(w.running[0].job)
	}
	if g := w.group; g != nil {
		w.group = nil
		r.enrollWorker(w)
		r.leaveGroup(g)
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
