package router

import "time"

// reload goes on with another configuration. Sessions notice nothing. What
// the process was started with stays: lanes, the form of handles, who it is.
func (r *Router) reload(cfg Config) {
	cfg.Lanes, cfg.PlainHandles = r.cfg.Lanes, r.cfg.PlainHandles
	cfg.Version, cfg.PID = r.cfg.Version, r.cfg.PID
	r.cfg = cfg
	listed := map[string]bool{}
	var moved, leaving []*backend
	for _, conf := range cfg.Backends {
		listed[conf.Name] = true
		if r.renew(conf) {
			moved = append(moved, r.named(conf.Name))
		}
	}
	for _, b := range r.backends {
		if b.standing == standingMember && !listed[b.name] {
			b.standing = standingLeaving
			leaving = append(leaving, b)
		}
	}
	r.route() // first: what the others have may have to go elsewhere at once
	for _, b := range moved {
		r.move(b)
	}
	for _, b := range leaving {
		r.leave(b)
	}
	r.watch()
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		r.shrink(g)
		r.connect(g)
		r.balance(g)
	}
	r.placeWaiting()
}

// watch begins or ends to ask the backends whether they live, where the
// configuration says so.
func (r *Router) watch() {
	for _, b := range r.backends {
		switch {
		case !b.health.answers():
		case r.cfg.HealthInterval == 0:
			r.disarm(&b.timer)
		case !b.timer.armed():
			r.arm(&b.timer, r.now.Add(r.cfg.HealthInterval), b)
		}
	}
}

// renew takes in what the configuration says of a backend, and reports whether
// that is now at another address.
func (r *Router) renew(conf Backend) (moved bool) {
	b := r.named(conf.Name)
	if b == nil {
		b = r.addBackend(conf)
		for slot := range b.submit {
			r.dialSubmit(b, slot)
		}
		return false
	}
	moved = b.address != conf.Address
	was := b.standing
	b.weight, b.address, b.standing = max(1, conf.Weight), conf.Address, standingMember
	b.lostAt = time.Time{}
	if was == standingGone {
		b.census = census{}
		for slot := range b.submit {
			r.dialSubmit(b, slot)
		}
		return false
	}
	return moved
}

// named returns the backend with a name, whatever its standing, or nil.
func (r *Router) named(name string) *backend {
	for _, b := range r.backends {
		if b.name == name {
			return b
		}
	}
	return nil
}

// addBackend adds a backend without links.
func (r *Router) addBackend(conf Backend) *backend {
	b := &backend{
		id:       BackendID(len(r.backends)),
		name:     conf.Name,
		address:  conf.Address,
		sound:    conf.Sound,
		weight:   max(1, conf.Weight),
		nameHash: hashName(conf.Name),
		submit:   make([]*link, r.cfg.Lanes),
		lanes:    r.cfg.Lanes,
		health:   health{reason: "not reached yet"},
	}
	if conf.Stores {
		b.submit = make([]*link, 2*b.lanes)
	}
	r.backends = append(r.backends, b)
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		g.links = append(g.links, nil)
	}
	return b
}

// move reaches b at another address. It is the same job server, perhaps started
// anew: jobs under way finish over the links they began on, which are closed
// then, and belong to the life before.
func (r *Router) move(b *backend) {
	b.upLinks = 0
	b.life++
	b.health = health{reason: "its address has changed"}
	r.disarm(&b.timer)
	for slot, old := range b.submit {
		r.dialSubmit(b, slot)
		if old == nil {
			continue
		}
		if old.state != linkUp {
			r.closeSubmitLink(old)
			continue
		}
		old.retiring, old.probed = true, false // tidyLink asks anew
		for j := old.jobs.first; j != nil; j = old.jobs.next(j) {
			r.jobs.alias(j, j.front)
		}
		r.retired = append(r.retired, old)
		r.tidySoon()
	}
	r.retireTables(b)
	r.retireGroupLinks(b)
}
