package router

import (
	"bytes"
	"strings"
)

// A Pool is a named list of backends. A job goes to a backend of the pool that
// its function is routed to.
type Pool struct {
	Name     string
	Backends []string // names of Config.Backends
}

// A Route leads functions to a pool. In Function a * stands for any text, none
// included; everything else stands for itself.
type Route struct {
	Function string
	Pool     string
}

// Matches reports whether rt leads a function.
func (rt Route) Matches(function []byte) bool { return ParsePattern(rt.Function).Matches(function) }

// A Pattern is what stands before, between and behind the stars: one part
// where there is no star.
type Pattern [][]byte

// ParsePattern reads a text in which a * stands for any text, none included.
func ParsePattern(text string) Pattern {
	var p Pattern
	for part := range strings.SplitSeq(text, "*") {
		p = append(p, []byte(part))
	}
	return p
}

// Matches takes time in proportion to the name, such as a function's.
func (p Pattern) Matches(name []byte) bool {
	first, last := p[0], p[len(p)-1]
	if len(p) == 1 {
		return bytes.Equal(name, first)
	}
	rest, ok := bytes.CutPrefix(name, first)
	if !ok {
		return false
	}
	for _, part := range p[1 : len(p)-1] {
		if _, rest, ok = bytes.Cut(rest, part); !ok {
			return false
		}
	}
	return bytes.HasSuffix(rest, last)
}

// A backendPool is a pool with the state of its turns: each has its own, so
// that a backend of two pools is spread over evenly in both.
type backendPool struct {
	name    string
	members []member
}

// A member is a backend's place in a pool.
type member struct {
	backend *backend
	credit  int // of the smooth weighted round robin
}

func (p *backendPool) has(b *backend) bool {
	for i := range p.members {
		if p.members[i].backend == b {
			return true
		}
	}
	return false
}

// routing finds the pool of a function.
type routing struct {
	pools []*backendPool
	rules []rule
	only  *backendPool            // of every function; nil where rules decide
	known map[string]*backendPool // what rules have decided
}

type rule struct {
	pattern Pattern
	pool    *backendPool
}

// Users make names of functions up without limit. What is remembered of them
// is bounded: a thousand times what a farm has, a few MiB at most.
const (
	maxKnown     = 8192
	maxKnownName = 256
)

// nowhere is the pool of a function that no route leads anywhere.
var nowhere = &backendPool{}

// pool returns the pool that jobs of a function go to. In steady state that is
// one look into a table, or none without routes.
func (t *routing) pool(function []byte) *backendPool {
	if t.only != nil {
		return t.only
	}
	if p := t.known[string(function)]; p != nil {
		return p
	}
	p := t.decide(function)
	if len(function) <= maxKnownName {
		if len(t.known) >= maxKnown {
			clear(t.known)
		}
		t.known[string(function)] = p
	}
	return p
}

// decide goes by the first rule that matches.
func (t *routing) decide(function []byte) *backendPool {
	for i := range t.rules {
		if t.rules[i].pattern.Matches(function) {
			return t.rules[i].pool
		}
	}
	return nowhere
}

// route sets the pools and routes of r.cfg up. Without any, all backends are
// one pool.
func (r *Router) route() {
	t := routing{known: map[string]*backendPool{}}
	byName := map[string]*backend{}
	every := &backendPool{}
	for _, b := range r.backends {
		if b.standing == standingMember && b.name != r.cfg.Spool {
			byName[b.name] = b
			every.members = append(every.members, member{backend: b})
		}
	}
	if len(r.cfg.Pools) == 0 {
		t.pools, t.only = []*backendPool{every}, every
	}
	for _, named := range r.cfg.Pools {
		p := &backendPool{name: named.Name}
		for _, name := range named.Backends {
			if b := byName[name]; b != nil {
				p.members = append(p.members, member{backend: b})
			}
		}
		t.pools = append(t.pools, p)
	}
	for _, rt := range r.cfg.Routes {
		for _, p := range t.pools {
			if p.name == rt.Pool {
				t.rules = append(t.rules, rule{ParsePattern(rt.Function), p})
				break
			}
		}
	}
	if len(t.rules) > 0 && t.rules[0].pattern.Matches(nil) && len(t.rules[0].pattern) > 1 {
		t.only = t.rules[0].pool // a first rule of nothing but stars
	}
	r.routing = t
}
