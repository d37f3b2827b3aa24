package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// Tables come over links of their own, one for each kind to each backend: on a
// link that sessions share, what they submit would stand behind a million rows.
// Each is dialled when it is wanted first.

// tableKinds is how many kinds of tables there are.
const tableKinds = protocol.VerbShowUniqueJobs - protocol.VerbStatus + 1

func kindOf(verb protocol.Verb) protocol.Verb { return verb - protocol.VerbStatus }

// askTableOf asks b for its table.
func (r *Router) askTableOf(q *query, b *backend, verb protocol.Verb) {
	q.expect(b)
	r.sendTable(q, b, verb)
}

// sendTable sends the question, now or when its link is up.
func (r *Router) sendTable(q *query, b *backend, verb protocol.Verb) {
	l := b.tables[kindOf(verb)]
	if l == nil {
		l = r.dial(b, 0)
		l.forTables, l.verb = true, verb
		b.tables[kindOf(verb)] = l
	}
	if l.state != linkUp {
		l.unasked = append(l.unasked, q)
		return
	}
	r.sendLine(q, l, verb.AppendLine(nil))
}

// askUnasked asks what has waited for l, which is up.
func (r *Router) askUnasked(l *link) {
	l.state = linkUp
	for _, q := range l.unasked {
		if !q.done {
			r.sendLine(q, l, l.verb.AppendLine(nil))
		}
	}
	l.unasked = nil
}

// loseTable ends the questions of a link for tables that has ended.
func (r *Router) loseTable(l *link) {
	if at := &l.backend.tables[kindOf(l.verb)]; *at == l {
		*at = nil
	}
	waiting := l.unasked
	l.unasked = nil
	for _, q := range waiting {
		q.lose(r, l.backend)
	}
	r.loseSubmitLink(l)
}

// closeTables closes b's links for tables: b is not there any more.
func (r *Router) closeTables(b *backend) {
	for _, l := range b.tables {
		if l != nil {
			r.closeTable(l)
		}
	}
}

func (r *Router) closeTable(l *link) {
	delete(r.links, l.id)
	r.action(CloseLink).Link = l.id
	r.loseTable(l)
}

// retireTables lets b's links for tables go, which lead to an address that b has
// left, when they have answered what they were asked.
func (r *Router) retireTables(b *backend) {
	for kind, l := range b.tables {
		switch {
		case l == nil:
		case l.state != linkUp || l.owed.count == 0:
			r.closeTable(l)
		default:
			b.tables[kind] = nil
			l.retiring, l.probed = true, false
			r.retired = append(r.retired, l)
			r.tidySoon()
		}
	}
}

// closeStale closes the links for tables that wait for an answer that is wanted
// no more, by the end of q: the next question would wait behind it.
func (r *Router) closeStale(q *query) {
	for _, b := range r.backends {
		for _, l := range b.tables {
			if l == nil {
				continue
			}
			if head := l.owed.head(); head != nil && head.query != nil && (head.query == q || head.query.done) {
				r.closeTable(l)
			}
		}
	}
}

// goesOn returns when the latest line came over a link for tables that q waits
// for.
func (r *Router) goesOn(q *query) (at time.Time) {
	for i, b := range r.backends {
		for _, l := range b.tables {
			if l != nil && i < len(q.parts) && q.parts[i].state == partAsked && l.lineAt.After(at) && l.owed.has(q) {
				at = l.lineAt
			}
		}
	}
	return at
}

func (o *owedQueue) has(q *query) bool {
	for i := range o.count {
		if o.ring[(o.first+i)&(len(o.ring)-1)].query == q {
			return true
		}
	}
	return false
}
