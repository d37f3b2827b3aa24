package router

// A hook is a value's place in one list. A value that can stand in two lists
// at once has two hooks.
type hook[T any] struct {
	prev, next *T
}

// hooked says which hook of a T a list goes by.
type hooked[T any] interface {
	of(*T) *hook[T]
}

// A list is a doubly linked list through the values' own hooks: adding and
// removing take constant time and no memory. A value must not stand in two
// lists that go by the same hook. The empty list is ready for use.
type list[T any, H hooked[T]] struct {
	first, last *T
	count       int
}

func (l *list[T, H]) pushBack(v *T) {
	var h H
	at := h.of(v)
	at.prev, at.next = l.last, nil
	if l.last != nil {
		h.of(l.last).next = v
	} else {
		l.first = v
	}
	l.last = v
	l.count++
}

func (l *list[T, H]) pushFront(v *T) {
	var h H
	at := h.of(v)
	at.prev, at.next = nil, l.first
	if l.first != nil {
		h.of(l.first).prev = v
	} else {
		l.last = v
	}
	l.first = v
	l.count++
}

// insert adds v before another value of the list.
func (l *list[T, H]) insert(v, before *T) {
	var h H
	at, next := h.of(v), h.of(before)
	at.prev, at.next = next.prev, before
	if next.prev != nil {
		h.of(next.prev).next = v
	} else {
		l.first = v
	}
	next.prev = v
	l.count++
}

func (l *list[T, H]) remove(v *T) {
	var h H
	at := h.of(v)
	if at.prev != nil {
		h.of(at.prev).next = at.next
	} else {
		l.first = at.next
	}
	if at.next != nil {
		h.of(at.next).prev = at.prev
	} else {
		l.last = at.prev
	}
	*at = hook[T]{}
	l.count--
}

func (l *list[T, H]) next(v *T) *T {
	var h H
	return h.of(v).next
}

// The lists of the router, by the hook they go by.
type (
	sessionList    = list[session, inOpened]
	heavyList      = list[session, inHeavy]
	byJob          = list[listener, ofJob]
	bySession      = list[listener, ofSession]
	byLink         = list[assignment, ofLink]
	jobList        = list[job, inPlace]
	doubtList      = list[job, inDoubt]
	overdueList    = list[overdue, inOverdue]
	returningList  = list[job, inReturning]
	formedList     = list[group, inFormed]
	readyList      = list[assignment, inReady]
	grabList       = list[grab, inWaiting]
	byWorker       = list[grab, ofWorker]
	workerList     = list[worker, inGroup]
	clientList     = list[session, inClientRoll]
	workerRoll     = list[worker, inWorkerRoll]
	abilityList    = list[ability, inAbilities]
	functionGroups = list[groupFunction, inGroups]
	byRunner       = list[assignment, ofRunner]
	byAbility      = list[assignment, ofAbility]
)

type (
	inOpened    struct{}
	inHeavy     struct{}
	ofJob       struct{}
	ofSession   struct{}
	ofLink      struct{}
	inPlace     struct{}
	inDoubt     struct{}
	inFormed    struct{}
	inReturning struct{}
	inReady     struct{}
	inOverdue   struct{}
	inWaiting   struct{}
	ofWorker    struct{}
	inGroup     struct{}

	inClientRoll struct{}
	inWorkerRoll struct{}

	inAbilities struct{}
	inGroups    struct{}
	ofRunner    struct{}
	ofAbility   struct{}
)

func (inHeavy) of(s *session) *hook[session]              { return &s.inHeavy }
func (inOpened) of(s *session) *hook[session]             { return &s.inOpened }
func (ofJob) of(l *listener) *hook[listener]              { return &l.ofJob }
func (ofSession) of(l *listener) *hook[listener]          { return &l.ofSession }
func (ofLink) of(a *assignment) *hook[assignment]         { return &a.ofLink }
func (inPlace) of(j *job) *hook[job]                      { return &j.inPlace }
func (inDoubt) of(j *job) *hook[job]                      { return &j.inDoubt }
func (inReturning) of(j *job) *hook[job]                  { return &j.inReturning }
func (inFormed) of(g *group) *hook[group]                 { return &g.inFormed }
func (inOverdue) of(o *overdue) *hook[overdue]            { return &o.inOverdue }
func (inReady) of(a *assignment) *hook[assignment]        { return &a.inReady }
func (inWaiting) of(g *grab) *hook[grab]                  { return &g.inWaiting }
func (ofWorker) of(g *grab) *hook[grab]                   { return &g.ofWorker }
func (inGroup) of(w *worker) *hook[worker]                { return &w.inGroup }
func (inClientRoll) of(s *session) *hook[session]         { return &s.inRoll }
func (inWorkerRoll) of(w *worker) *hook[worker]           { return &w.inRoll }
func (inAbilities) of(a *ability) *hook[ability]          { return &a.inAbilities }
func (inGroups) of(m *groupFunction) *hook[groupFunction] { return &m.inGroups }
func (ofRunner) of(a *assignment) *hook[assignment]       { return &a.inRunning }
func (ofAbility) of(a *assignment) *hook[assignment]      { return &a.inAbility }
