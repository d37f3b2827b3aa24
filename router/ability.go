package router

import (
	"bytes"
	"time"
)

// An ability is a function that a worker can do.
type ability struct {
	function *function
	timeout  time.Duration // zero without CAN_DO_TIMEOUT
	running  byAbility     // the worker's jobs of this function

	inAbilities hook[ability]
}

// abilities are what a worker can do, in the order of registration. What a
// packet about one of them costs does not depend on how many there are.
type abilities struct {
	abilityList
	of map[*function]*ability // nil while they are few
}

// few is how many of a worker's abilities, or of its jobs, are looked through
// one by one.
const few = 8

func (l *abilities) add(a *ability) {
	l.pushBack(a)
	switch {
	case l.of != nil:
		l.of[a.function] = a
	case l.count > few:
		l.of = map[*function]*ability{}
		for a := l.first; a != nil; a = l.next(a) {
			l.of[a.function] = a
		}
	}
}

func (l *abilities) drop(a *ability) {
	l.remove(a)
	if delete(l.of, a.function); l.count <= few/2 {
		l.of = nil
	}
}

// ability returns what w has registered for a function, or nil.
func (r *Router) ability(w *worker, name []byte) *ability {
	if w.abilities.of != nil {
		return w.abilities.of[r.functions.byName[string(name)]]
	}
	for a := w.abilities.first; a != nil; a = w.abilities.next(a) {
		if bytes.Equal(a.function.name, name) {
			return a
		}
	}
	return nil
}

// canDo registers a function. Registering it again moves it to where gearmand
// would look for it first, and is counted once.
func (r *Router) canDo(w *worker, name []byte, timeout time.Duration) {
	a := r.ability(w, name)
	switch {
	case a != nil && a == w.abilities.last:
		a.timeout = timeout
		return
	case a != nil:
		w.abilities.remove(a)
		w.abilities.pushBack(a)
	case !r.functionFits(name) || w.abilities.count >= r.cfg.MaxFunctions:
		r.note(NoteBadPacket, w.session, nil, "function cannot be registered")
		return
	default:
		a = &ability{function: r.functions.use(name)}
		w.abilities.add(a)
		a.function.workers++
		r.charge(w.session, a.size())
	}
	a.timeout = timeout
	r.abilitiesChanged(w)
}

// cantDo takes a function back. Jobs of it that w runs go to others at once.
func (r *Router) cantDo(w *worker, name []byte) {
	if a := r.ability(w, name); a != nil {
		r.backOut(w, r.forgo(w, a, nil))
	}
}

// reset takes all functions back.
func (r *Router) reset(w *worker) {
	if w.abilities.count == 0 && w.running.count == 0 {
		return
	}
	lost := r.takeAwayAll(w)
	for w.abilities.first != nil {
		r.forgo(w, w.abilities.first, nil)
	}
	r.backOut(w, lost)
}

// restrict takes back every function that is not allowed.
func (r *Router) restrict(w *worker, allows func(function []byte) bool) {
	var lost []*assignment
	had := w.abilities.count
	for a := w.abilities.first; a != nil; {
		next := w.abilities.next(a)
		if !allows(a.function.name) {
			lost = r.forgo(w, a, lost)
		}
		a = next
	}
	if w.abilities.count < had {
		r.abilitiesChanged(w)
		r.regroup(w) // at once: a GRAB_JOB that waits must not be answered with a job of theirs
		r.giveBackAll(lost)
	}
}

// forgo ends an ability of w, and returns lost and behind it the jobs of this
// function that w ran.
func (r *Router) forgo(w *worker, a *ability, lost []*assignment) []*assignment {
	for a.running.first != nil {
		lost = append(lost, a.running.first)
		r.takeAway(a.running.first)
	}
	w.abilities.drop(a)
	a.function.workers--
	r.charge(w.session, -a.size())
	r.functions.leave(a.function)
	return lost
}

// backOut goes on when w has taken functions back, and lost what it ran of them.
// It leaves its group at once where jobs would wait there for a worker that
// refuses them, where a GRAB_JOB that waits might be answered with one, where
// backends would see a worker that is none, and where the group keeps much more
// than w is charged for.
func (r *Router) backOut(w *worker, lost []*assignment) {
	r.abilitiesChanged(w)
	if g := w.group; g != nil && (len(lost) > 0 || w.grabs.count > 0 || w.abilities.count == 0 || len(g.functions) > 2*w.abilities.count+spareFunctions) {
		r.regroup(w)
	}
	r.giveBackAll(lost)
}

// spareFunctions is how many functions more than twice its own a worker's group
// may have.
const spareFunctions = 64

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
// functions makes one group and not a hundred. A sleeper may never send one: its
// change is settled as soon as everything has been dealt with that came together
// with it.
func (r *Router) abilitiesChanged(w *worker) {
	w.changed = true
	switch {
	case w.state == workerAsleep && !w.timer.armed():
		r.arm(&w.timer, r.now, w)
	case w.state == workerWoken:
		if w.group != nil {
			w.group.woken.remove(w)
		}
		w.state = workerPassedOver
		if w.group != nil {
			r.balance(w.group)
		}
	}
}
