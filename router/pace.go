package router

import "github.com/geargate/geargate/protocol"

// maxQuestions is how many answers of backends a session may wait for, tables
// included, before it is paused: what it asks beyond that waits unread.
const maxQuestions = 16

// isQuestion notes that p is the answer to a question that takes backends, or a
// table.
func (r *Router) isQuestion(p *reply) {
	p.question = true
	p.session.questions++
	r.touched = append(r.touched, p.session)
}

// pace goes on with the sessions of which a question was asked or answered: it
// begins the table whose turn has come, and pauses or resumes them. A session
// with a table under way is paused in any case. One whose table has not had its
// turn is not: it may have to do something before, such as to send the result
// that its submission waits for.
func (r *Router) pace() {
	for i := 0; i < len(r.touched); i++ { // a table that is made at once is an answer
		s := r.touched[i]
		if r.sessions[s.id] != s {
			continue
		}
		if p := s.owes.first; p != nil && p.table != protocol.VerbNone && s.reading == nil {
			r.beginTable(s, p.table)
		}
	}
	for _, s := range r.touched {
		if r.sessions[s.id] == s {
			r.pauseOrResume(s)
		}
	}
	clear(r.touched)
	r.touched = r.touched[:0]
}

func (r *Router) pauseOrResume(s *session) {
	full := s.reading != nil || s.questions >= maxQuestions
	if full == s.paused {
		return
	}
	s.paused = full
	kind := ResumeSession
	if full {
		kind = PauseSession
	}
	r.action(kind).Session = s.id
}

// deafen ends the table of a session that reads nothing any more.
func (r *Router) deafen(s *session) {
	s.deaf = true
	if s.reading == nil {
		return
	}
	r.leaveTable(s.reading)
	s.amidst = false
	r.charge(s, -len(s.deferred))
	s.deferred = nil
	r.release(s)
}
