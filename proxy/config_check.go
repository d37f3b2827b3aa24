package proxy

import (
	"fmt"
	"strconv"
	"strings"
)

// complete fills in what follows from other keys, and checks what only the
// whole can show.
func (b *builder) complete() {
	c := &b.config
	if c.Pool.Servers < 0 {
		c.Pool.Servers = 0
		if len(c.Backends) == 0 {
			c.Pool.Servers = 1
		}
	}
	if c.Limits.MaxPending == 0 {
		c.Limits.MaxPending = defaultMaxPending(c.Limits.Frame)
	}
	if c.Limits.Memory == 0 {
		c.Limits.Memory = defaultMemory(c.Limits.MaxPending)
	}
	if b.where["listen"] == "" {
		c.Listen = DefaultConfig().Listen
	} else {
		b.checkListen()
	}
	b.checkBackends()
	b.checkTLS()
	b.checkPool()
	b.checkPools()
	b.checkRoutes()
	b.checkAdmin()
	b.checkAccess()
	if c.Limits.MaxPending < c.Limits.Frame {
		b.problems.add(b.placeOf("limits.max_pending", "limits.frame"),
			"limits.max_pending: expected at least limits.frame, "+FormatSize(c.Limits.Frame),
			FormatSize(c.Limits.MaxPending))
	}
	if c.Limits.Memory < c.Limits.MaxPending {
		b.problems.add(b.placeOf("limits.memory", "limits.max_pending", "limits.frame"),
			"limits.memory: expected at least limits.max_pending, "+FormatSize(c.Limits.MaxPending),
			FormatSize(c.Limits.Memory))
	}
}

func (b *builder) checkListen() {
	if len(b.config.Listen) == 0 {
		b.problems.add(b.placeOf("listen"), "listen: expected at least one address", "none")
	}
	seen := make(map[string]string)
	for i, listen := range b.config.Listen {
		b.checkItem("listen", i, "address", listen.Address, seen)
		b.checkShared(i)
	}
}

// checkShared checks that nothing is in one process alone where two may serve
// one address: who comes to the other would not find it.
func (b *builder) checkShared(i int) {
	c := &b.config
	if !c.Listen[i].ReusePort {
		return
	}
	label := itemLabel("listen", i) + ".reuse_port"
	if strings.HasPrefix(c.Listen[i].Address, "unix://") {
		b.problems.add(b.where[label], label+": expected a TCP address to share", quote(c.Listen[i].Address))
	}
	if c.Pool.Servers > 0 {
		b.problems.add(b.where[label], label+": expected pool.servers to be 0, as one process alone has the jobs of its built-in pool", strconv.Itoa(c.Pool.Servers))
	}
	if c.Spool.Path != "" {
		b.problems.add(b.where[label], label+": expected no spool.path, as one process alone has its spool", quote(c.Spool.Path))
	}
}

func (b *builder) checkBackends() {
	names, addresses := make(map[string]string), make(map[string]string)
	for i, backend := range b.config.Backends {
		b.checkItem("backends", i, "name", backend.Name, names)
		b.checkItem("backends", i, "address", backend.Address, addresses)
	}
}

// checkItem demands that a key of an item is there, and that no item before
// it has the same value. Seen holds those values and the items' labels.
func (b *builder) checkItem(section string, item int, key, value string, seen map[string]string) {
	label := itemLabel(section, item)
	switch {
	case b.where[label+"."+key] == "":
		b.problems.add(b.where[label], label+": expected the key "+key, "none")
	case value == "": // a problem has been noted
	case seen[value] != "":
		b.problems.add(b.where[label+"."+key], label+"."+key+": expected one of its own",
			fmt.Sprintf("%q as in %s", value, seen[value]))
	default:
		seen[value] = label
	}
}

func (b *builder) checkPool() {
	c := &b.config
	if c.Pool.Servers == 0 && len(c.Backends) == 0 {
		b.problems.add(b.placeOf("pool.servers", "backends"), "expected backends, or pool.servers of 1 or more", "neither")
	}
	if c.Spool.Path != "" && len(c.Backends) == 0 {
		b.problems.add(b.placeOf("spool.path"), "spool.path: expected backends, for whose jobs it is", "none")
	}
	pool := make(map[string]bool)
	for n := 1; n <= c.Pool.Servers; n++ {
		pool[poolName(n)] = true
	}
	pool[SpoolName] = true
	for i, backend := range c.Backends {
		if pool[backend.Name] {
			label := itemLabel("backends", i) + ".name"
			b.problems.add(b.where[label], label+": expected a name that neither the built-in pool nor the spool takes", quote(backend.Name))
		}
	}
}

// checkAdmin checks the token here and not where it is read, so that it is not
// shown.
func (b *builder) checkAdmin() {
	a := &b.config.Admin
	if a.Token != "" {
		if err := checkToken(string(a.Token)); err != nil {
			b.problems.add(b.placeOf("admin.token"), "admin.token: "+err.Error(), "another text")
		}
		if a.TokenFile != "" {
			b.problems.add(b.placeOf("admin.token_file"), "admin.token_file: expected none beside admin.token", quote(a.TokenFile))
		}
	}
}

// placeOf returns where the first of the labels was given that was.
func (b *builder) placeOf(labels ...string) string {
	for _, label := range labels {
		if where := b.where[label]; where != "" {
			return where
		}
	}
	return "configuration"
}
