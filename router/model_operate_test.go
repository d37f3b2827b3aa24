package router

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// operate lets an operator do something: drain a backend, ask how many jobs
// are left, or load another configuration.
func (w *world) operate() {
	switch h := w.hosts[w.IntN(len(w.hosts))]; w.IntN(6) {
	case 0:
		w.drain(h, true)
	case 1, 2:
		w.drain(h, false)
	case 3:
		w.survey()
	default:
		w.reload(w.configuration())
	}
}

func (w *world) drain(h *host, on bool) {
	kind, verb := Undrain, "undrain"
	if on {
		kind, verb = Drain, "drain"
	}
	h.drained = on
	w.note("%s %s", verb, h.name)
	w.step(&Event{Kind: kind, Backend: w.r.named(h.name).id})
}

func (w *world) survey() {
	w.lastSurvey++
	w.surveys[w.lastSurvey] = w.now
	w.note("survey %d", w.lastSurvey)
	w.step(&Event{Kind: Survey, Survey: w.lastSurvey})
}

// surveyed takes the answer to a survey, of which each has one.
func (w *world) surveyed(id uint64) {
	if w.surveys[id].IsZero() {
		w.fail("survey %d is answered and was not asked, or twice", id)
	}
	delete(w.surveys, id)
	w.r.Report()
}

// configuration makes a configuration up, in the words of a farm: some of four
// backends, sometimes pools of them.
func (w *world) configuration() []string {
	words := append([]string{fmt.Sprintf("links=%d", 1+w.IntN(3))}, w.constant...)
	var names []string
	for _, name := range []string{"a", "b", "c", "d"} {
		if w.IntN(3) == 0 && (name != "d" || len(names) > 0) {
			continue
		}
		names = append(names, name)
		if w.IntN(8) == 0 {
			w.moved[name]++
		}
		words = append(words, fmt.Sprintf("%s@%d=%d", name, w.moved[name], 1+w.IntN(3)))
	}
	if w.IntN(2) == 0 {
		return words
	}
	cut := w.IntN(len(names))
	words = append(words, "pool:first="+names[0], "pool:rest="+strings.Join(names[cut:], ","))
	words = append(words, "route:"+functions[w.IntN(len(functions))]+"=first")
	if w.IntN(4) > 0 {
		words = append(words, "route:*=rest")
	}
	return words
}

func (w *world) reload(words []string) {
	cfg := config(words)
	for _, b := range cfg.Backends {
		if w.host(b.Name) == nil {
			w.hosts = append(w.hosts, w.comeBack(b.Name))
		}
	}
	for _, h := range w.hosts {
		was := isMember(&w.cfg, h.name)
		switch is := isMember(&cfg, h.name); {
		case is:
			h.stranded = false
		case was:
			h.drained = false
			h.unreached = h.unreached || !w.r.named(h.name).up() // as while its address changes
		}
	}
	w.cfg, w.words = cfg, words
	for _, f := range functions {
		w.unrouted[f] = w.unrouted[f] || w.leadsNowhere(f)
	}
	w.note("reload %s", strings.Join(words, " "))
	w.step(&Event{Kind: Reload, Config: &cfg})
}

// leadsNowhere reports whether no route leads a function.
func (w *world) leadsNowhere(function string) bool {
	led := func(rt Route) bool { return rt.Matches([]byte(function)) }
	return len(w.cfg.Pools) > 0 && !slices.ContainsFunc(w.cfg.Routes, led)
}

func isMember(cfg *Config, name string) bool {
	return slices.ContainsFunc(cfg.Backends, func(b Backend) bool { return b.Name == name })
}

func (w *world) host(name string) *host {
	for _, h := range w.hosts {
		if h.name == name {
			return h
		}
	}
	return nil
}

// submitted checks that a new job may go to h.
func (w *world) submitted(h *host, function []byte) {
	if h.drained || !isMember(&w.cfg, h.name) {
		w.fail("a job of %q goes to %s, which is to get no new ones", function, h.name)
	}
	if pools := w.cfg.Pools; len(pools) > 0 {
		for _, rt := range w.cfg.Routes {
			if rt.Matches(function) {
				at := slices.IndexFunc(pools, func(p Pool) bool { return p.Name == rt.Pool })
				if !slices.Contains(pools[at].Backends, h.name) {
					w.fail("a job of %q goes to %s, which is not of the pool %s", function, h.name, rt.Pool)
				}
				return
			}
		}
		w.fail("a job of %q goes to %s, and no route leads there", function, h.name)
	}
}

// settle ends what operators have begun, so that all can come to rest.
func (w *world) settle() {
	for _, h := range w.hosts {
		if h.drained {
			w.drain(h, false)
		}
	}
	if len(w.cfg.Pools) > 0 && w.IntN(2) == 0 || slices.ContainsFunc(functions, w.leadsNowhere) {
		words := slices.Clone(w.constant)
		for _, b := range w.cfg.Backends {
			if b.Name != w.cfg.Spool {
				words = append(words, fmt.Sprintf("%s@%d=1", b.Name, w.moved[b.Name]))
			}
		}
		w.reload(words)
	}
}

// operated checks what operators were promised.
func (c *checker) operated(w *world) {
	for _, b := range w.r.backends {
		c.silence(w, b, w.hosts[b.id])
	}
	for id, at := range w.surveys {
		if late := w.now.Sub(at); late > w.r.cfg.AdminTimeout {
			c.expect(fmt.Sprintf("survey %d answered", id), late, time.Duration(0))
		}
	}
}

// silence checks that a backend that says nothing is given up, unless too many
// others say nothing either.
func (c *checker) silence(w *world, b *backend, h *host) {
	quiet, limit := w.now.Sub(h.flowed), w.r.cfg.HealthInterval+2*w.r.cfg.HealthTimeout
	if !b.up() || quiet <= limit {
		h.spared = w.now
		return
	}
	alive, silent := 0, 0
	for _, other := range w.r.backends {
		if other.standing != standingGone && (other.health.answers() || other.health.silent) {
			alive++
		}
		if other.standing != standingGone && other.health.silent {
			silent++
		}
	}
	if b.health.state == healthSuspect && !maySilence(alive, silent) {
		h.spared = w.now
	}
	if b.health.state == healthUp || w.now.Sub(h.spared) > w.r.cfg.HealthTimeout {
		c.expect(b.name+" has said nothing for "+quiet.String()+" and is "+b.health.state.String(), true, false)
	}
}
