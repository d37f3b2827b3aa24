package router

import (
	"slices"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// restart has Geargate killed and started anew: it knows nothing of before, and
// whoever was connected connects again. Its connections end before the new life
// begins, as a kernel ends them; backends take in some of what was under way, and
// queue again what its workers ran.
func (w *world) restart() {
	if w.duck.within > 0 {
		return // another process serves
	}
	w.unrun()
	parted := w.peers
	w.peers = nil
	for _, at := range slices.Clone(w.order) {
		w.cut(at)
		if at.state == wireHungUp {
			w.gone(at)
		}
		w.forgetWire(at)
	}
	w.restartSpool()
	last := w.r.lastLink
	w.r = New(w.cfg)
	w.r.large, w.r.lastLink = modelLarge, last
	w.forget()
	w.note("restart %s", strings.Join(w.words, " "))
	w.apply(w.r.Start(w.now, nil))
	w.exchange()
	w.forwarder.restart()
	for _, p := range parted {
		if w.IntN(4) > 0 {
			w.reconnect(p)
		}
	}
}

// unrun takes back that the jobs were run that workers are at: their backends
// have them run again.
func (w *world) unrun() {
	for _, p := range w.peers {
		for _, h := range p.holds {
			a := w.r.sessions[p.id].worker.runs([]byte(h.handle))
			if h.over || a == nil || a.link == nil || w.wires[a.link.id].state != wireOpen {
				continue
			}
			delete(p.hostOf(h.handle).ran, h.handle)
			if strings.Contains(h.workload, "|") { // or it may be that of others
				delete(w.ran, h.function+">"+h.workload)
			}
		}
	}
}

// forget forgets what only the life before knew, such as the background
// submissions that had joined foreground jobs there. The new one counts the
// backends of its configuration.
func (w *world) forget() {
	clear(w.surveys)
	clear(w.given)
	clear(w.doubtful)
	clear(w.kept)
	clear(w.wereReady)
	var members []*host
	for _, b := range w.cfg.Backends {
		members = append(members, w.host(b.Name))
	}
	for _, h := range w.hosts {
		h.drained, h.unreached, h.silent, h.surprised, h.stranded = false, false, false, false, false
		h.flowed, h.spared = w.now, w.now
		h.accepted = slices.DeleteFunc(h.accepted, func(a attachment) bool { return a.joined })
		if !slices.Contains(members, h) {
			w.away = append(w.away, h)
		}
	}
	w.hosts = members
}

// comeBack returns the host of a name that this life has not heard of: one that
// another did, or a new one.
func (w *world) comeBack(name string) *host {
	for i, h := range w.away {
		if h.name == name {
			w.away = slices.Delete(w.away, i, i+1)
			return h
		}
	}
	return w.newHost(name)
}

// reconnect has somebody come back who was connected before: a worker tells how
// its jobs have ended, a client submits again what it waits for, and later may
// ask after the handles it knows.
func (w *world) reconnect(parted *peer) {
	w.open()
	p := w.peers[len(w.peers)-1]
	p.register(parted.abilities...)
	for _, h := range parted.holds {
		w.old = append(w.old, h.handle)
		if len(p.abilities) > 0 && p.IntN(2) == 0 {
			p.say(protocol.WorkComplete, h.handle, h.function+">"+h.workload)
		}
	}
	for _, a := range parted.listens {
		w.old = append(w.old, a.handle)
		p.request(protocol.SubmitJob, a)
	}
}
