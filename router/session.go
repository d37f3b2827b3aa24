package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A session is one downstream connection. It is a client, a worker and an
// administrator by what it sends, all at once if it likes.
type session struct {
	id     SessionID
	lane   int
	peer   string
	number int

	clientID   []byte // SET_CLIENT_ID, nil while not set
	exceptions bool
	forwards   bool // see Event.Forwards
	submits    bool // it has submitted a job

	owes      replyQueue // replies it still waits for, in the order it asked
	questions int        // how many of them are answers of backends, or tables
	paused    bool       // the shell hears nothing more of it for now, see pace
	deaf      bool       // see SessionDeaf
	reading   *reading   // the table that it gets, or waits for in its turn
	amidst    bool       // it has had a part of it, and waits for the next
	deferred  []byte     // packets that came for it meanwhile
	listen    bySession  // the foreground jobs it listens to
	worker    worker

	held int // see Held

	goes      bool // its turn to go has come, see lameDuck
	notBefore int  // the first batch that may be its own

	roll  *clientList // the one it is on, or nil
	since time.Time   // when it came there

	inOpened hook[session] // Router.opened
	inHeavy  hook[session] // Router.heavy
	inRoll   hook[session] // roll
}

func (r *Router) openSession(ev *Event) {
	s := &session{
		id:       ev.Session,
		lane:     ev.Lane,
		peer:     ev.Peer,
		number:   ev.Number,
		forwards: ev.Forwards,
	}
	s.worker.session = s
	r.sessions[s.id] = s
	r.opened.pushBack(s)
	r.enrollClient(s)
	if r.duck.pause > 0 {
		s.notBefore = r.duck.batch + 2 // whoever has just connected is about to ask
	}
}

// closeSession forgets s: nobody waits for its replies any more, its
// foreground jobs lose a listener, and its worker's jobs go to others.
func (r *Router) closeSession(s *session) {
	delete(r.sessions, s.id)
	r.passOver(s)
	r.opened.remove(s)
	if s.reading != nil {
		r.leaveTable(s.reading)
	}
	r.dropReplies(s)
	r.dismiss(&s.worker)
	for s.listen.first != nil {
		j := s.listen.first.job
		r.detach(s.listen.first)
		r.stopListening(j)
	}
	r.strikeClient(s)
	r.charge(s, -s.held)
	if s.submits {
		r.counting.clients--
	}
}

// A reply is a place in the order in which a session gets its answers. What
// is asked first is answered first, however long a backend takes; what is
// ready early is held here.
type reply struct {
	session   *session   // nil once it has closed
	asked     handleText // of GET_STATUS, which the answer repeats; of a job that is unsaid, its front
	next      *reply
	ready     bool
	held      []byte        // the answer and all that must follow it, while others are before it
	announces *listener     // the listener that hears of its job here, if any
	grab      *grab         // the GRAB_JOB that it answers, if any
	table     protocol.Verb // where it is a table
	cost      int           // what its question is charged with beside replyCost
	question  bool          // it counts in session.questions
	unsaid    bool          // held has all that its session will hear of a job, which has ended
}

// replyQueue is a session's replies, oldest first.
type replyQueue struct {
	first, last *reply
}

// expect adds a reply at the end of what s waits for.
func (r *Router) expect(s *session) *reply {
	p := r.replies.get()
	*p = reply{session: s, held: p.held[:0]}
	r.charge(s, replyCost)
	if s.owes.last != nil {
		s.owes.last.next = p
	} else {
		s.owes.first = p
	}
	s.owes.last = p
	return p
}

// answer gives p its answer, which is sent as soon as every reply before it
// has been. p must not be used any more.
func (r *Router) answer(p *reply, t protocol.Type, args ...[]byte) {
	switch s := p.session; {
	case s == nil:
		r.recycle(p)
	case s.owes.first == p:
		r.send(s, t, args...)
		r.release(s)
	default:
		p.ready = true
		r.holdFrame(p, t, args...)
	}
}

// answerText is answer for admin text.
func (r *Router) answerText(p *reply, text []byte) {
	switch s := p.session; {
	case s == nil:
		r.recycle(p)
	case s.owes.first == p:
		r.sendText(s, text)
		r.release(s)
	default:
		p.ready = true
		p.held = append(p.held, text...)
		r.charge(s, len(text))
	}
}

// release drops the first reply of s, which has been sent, and sends those
// behind it that are ready.
func (r *Router) release(s *session) {
	r.mayHaveDone(s)
	for {
		p := s.owes.first
		s.owes.first = p.next
		if p.next == nil {
			s.owes.last = nil
		}
		r.charge(s, -replyCost-p.cost-len(p.held))
		if p.question {
			s.questions--
			r.touched = append(r.touched, s)
		}
		r.recycle(p)
		p = s.owes.first
		if p == nil || !p.ready {
			if p != nil && p.grab != nil && p.grab.behind {
				r.freed = append(r.freed, s)
			}
			if p != nil && p.table != protocol.VerbNone {
				r.touched = append(r.touched, s)
			}
			return
		}
		r.sendText(s, p.held)
	}
}

func (r *Router) recycle(p *reply) {
	if p.unsaid {
		p.unsaid = false
		r.unsaid--
	}
	if p.announces != nil {
		p.announces.unheard = nil
	}
	p.announces, p.session, p.next = nil, nil, nil
	if cap(p.held) > maxKept {
		p.held = nil
	}
	r.replies.put(p)
}

// maxKept is the capacity in bytes above which a buffer is not kept for reuse.
const maxKept = 4096

// dropReplies lets go of what s waited for. A reply that a backend still
// owes is recycled when it comes; one that was ready is recycled now.
func (r *Router) dropReplies(s *session) {
	for p := s.owes.first; p != nil; {
		next := p.next
		p.next, p.session = nil, nil
		if p.ready || p.table != protocol.VerbNone {
			r.recycle(p)
		}
		p = next
	}
	s.owes = replyQueue{}
}

// reply answers s in its turn: at once where it waits for nothing.
func (r *Router) reply(s *session, t protocol.Type, args ...[]byte) {
	if s.owes.first == nil {
		r.send(s, t, args...)
		return
	}
	r.answer(r.expect(s), t, args...)
}

// replyError is reply with an ERROR.
func (r *Router) replyError(s *session, why protocol.Refusal) {
	r.reply(s, protocol.Error, []byte(why.Code), []byte(why.Text))
}

// replyText is reply with admin text.
func (r *Router) replyText(s *session, text []byte) { r.answerText(r.expect(s), text) }
