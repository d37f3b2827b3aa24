package access

import (
	"slices"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A Grant is what a peer may do. It does not change, and is shared by all that
// the same rule fits.
type Grant struct {
	everywhere set // rights for every function; None and those of admin too
	somewhere  set // rights for every function or some
	submit     []router.Pattern
	work       []router.Pattern
	origin     string // why the rest is refused
}

// Everything refuses nothing.
var Everything = newGrant(&Rule{Submit: []string{"*"}, Work: []string{"*"}, Admin: "write"}, "")

func newGrant(r *Rule, origin string) *Grant {
	g := &Grant{everywhere: of(None), submit: patterns(r.Submit), work: patterns(r.Work), origin: origin}
	switch r.Admin {
	case "write":
		g.everywhere |= of(AdminRead, AdminWrite)
	case "read":
		g.everywhere |= of(AdminRead)
	}
	g.somewhere = g.everywhere
	g.give(Submit, r.Submit)
	g.give(Work, r.Work)
	return g
}

// give notes for which functions a right is.
func (g *Grant) give(right Right, functions []string) {
	if len(functions) > 0 {
		g.somewhere |= of(right)
	}
	if slices.Contains(functions, "*") {
		g.everywhere |= of(right)
	}
}

// Packet returns the right that g lacks for p, whose arguments must be
// complete, or None. It does not allocate.
func (g *Grant) Packet(p *protocol.Packet) Right {
	d := &packets[p.Type]
	if d.needs&g.everywhere != 0 {
		return None
	}
	if d.needs&g.somewhere == 0 {
		return d.needs.first()
	}
	for _, i := range d.functions {
		if i > 0 && len(p.Arg(i)) == 0 {
			continue // no reducer
		}
		if right := d.needs.first(); !matchesAny(g.functions(right), p.Arg(i)) {
			return right
		}
	}
	return None
}

// Line returns the right that g lacks for an admin line without its end, or
// None.
func (g *Grant) Line(text []byte) Right {
	if admin := of(AdminRead, AdminWrite); g.everywhere&admin == admin {
		return None
	}
	var line protocol.Line
	if line.Parse(text) != nil {
		return None // it is no command
	}
	if needs := verbs[line.Verb]; needs&g.everywhere == 0 {
		return needs.first()
	}
	return None
}

// first returns the right to name where none of s is there.
func (s set) first() Right {
	for r := None; r < Rights; r++ {
		if s&of(r) != 0 {
			return r
		}
	}
	return AdminWrite
}

// functions returns the patterns of functions that a right is for.
func (g *Grant) functions(r Right) []router.Pattern {
	if r == Submit {
		return g.submit
	}
	return g.work
}

// WorksOnAll reports whether g gives work on every function.
func (g *Grant) WorksOnAll() bool { return g.everywhere&of(Work) != 0 }

// WorksOn reports whether g gives work on a function.
func (g *Grant) WorksOn(function []byte) bool { return matchesAny(g.work, function) }

// Origin ends a sentence about a right that g lacks: which rule is to blame.
func (g *Grant) Origin() string { return g.origin }
