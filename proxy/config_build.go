package proxy

import (
	"strings"
	"time"

	"github.com/geargate/geargate/proxy/access"
)

// A builder puts entries into a Config.
type builder struct {
	config   Config
	problems Problems
	scalars  map[string]parser
	where    map[string]string // label to the place that set it last
}

// Until complete fills them in, nil stands for "not given" in Listen, zero in
// MaxPending and Memory, and -1 in Pool.Servers.
func newBuilder() *builder {
	b := &builder{config: DefaultConfig(), where: make(map[string]string)}
	b.config.Listen = nil
	b.config.Pool.Servers = -1
	b.config.Limits.MaxPending, b.config.Limits.Memory = 0, 0
	pool, admin, limits, timeouts, log := &b.config.Pool, &b.config.Admin, &b.config.Limits, &b.config.Timeouts, &b.config.Log
	b.scalars = map[string]parser{
		"pool.servers":                   number(&pool.Servers, 0, 64),
		"pool.store":                     anyText(&pool.Store),
		"pool.store_memory":              size(&pool.StoreMemory, MiB, 1024*GiB),
		"spool.path":                     anyText(&b.config.Spool.Path),
		"spool.rate":                     number(&b.config.Spool.Rate, 1, 1_000_000),
		"admin.socket":                   socket(&admin.Socket),
		"admin.listen":                   optional(&admin.Listen, address(&admin.Listen, true)),
		"admin.token":                    secret(&admin.Token),
		"admin.token_file":               optional(&admin.TokenFile, path(&admin.TokenFile)),
		"clients.exceptions":             truth(&b.config.Clients.Exceptions),
		"limits.frame":                   size(&limits.Frame, 64*KiB, 4095*MiB),
		"limits.line":                    size(&limits.Line, 64, MiB),
		"limits.function_name":           size(&limits.FunctionName, 1, maxFunctionName),
		"limits.functions_per_worker":    number(&limits.FunctionsPerWorker, 1, 1_000_000),
		"limits.ready_jobs":              number(&limits.ReadyJobs, 1, 1_000_000),
		"limits.max_pending":             size(&limits.MaxPending, 64*KiB, 64*GiB),
		"limits.connections":             number(&limits.Connections, 0, 10_000_000),
		"limits.group_links":             number(&limits.GroupLinks, 1, 64),
		"limits.job_retries":             number(&limits.JobRetries, 0, 1_000_000),
		"limits.timeout_runs":            number(&limits.TimeoutRuns, 0, 1_000_000),
		"limits.held_jobs":               number(&limits.HeldJobs, 0, 100_000_000),
		"limits.held_bytes":              size(&limits.HeldBytes, 0, 64*GiB),
		"limits.in_flight":               size(&limits.InFlight, 64*KiB, 64*GiB),
		"limits.memory":                  size(&limits.Memory, MiB, 4096*GiB),
		"limits.connections_per_address": number(&limits.ConnectionsPerAddress, 0, 10_000_000),
		"timeouts.dial":                  duration(&timeouts.Dial, time.Millisecond, time.Hour),
		"timeouts.drain":                 duration(&timeouts.Drain, 0, 24*time.Hour),
		"timeouts.admin":                 duration(&timeouts.Admin, time.Millisecond, time.Hour),
		"timeouts.grab":                  duration(&timeouts.Grab, time.Millisecond, time.Hour),
		"timeouts.wake":                  duration(&timeouts.Wake, time.Millisecond, time.Hour),
		"timeouts.hold":                  duration(&timeouts.Hold, 0, time.Hour),
		"health.interval":                duration(&b.config.Health.Interval, 0, time.Hour),
		"health.timeout":                 duration(&b.config.Health.Timeout, time.Millisecond, time.Hour),
		"timeouts.handshake":             duration(&timeouts.Handshake, time.Millisecond, time.Hour),
		"timeouts.shutdown_delay":        duration(&timeouts.ShutdownDelay, 0, time.Hour),
		"timeouts.keepalive":             duration(&timeouts.Keepalive, 5*time.Second, 8*time.Hour),
		"timeouts.can_do_unit":           oneOf(&timeouts.CanDoUnit, "ms", "s"),
		"log.level":                      level(&log.Level),
		"log.format":                     oneOf(&log.Format, "auto", "text", "json"),
	}
	return b
}

// layerEntries turns settings into entries, as the file would have given them.
func layerEntries(layer []Setting) []entry {
	var out []entry
	items := make(map[string]int)
	for _, s := range layer {
		if !sections[s.Key].list {
			section, key, _ := strings.Cut(s.Key, ".")
			out = append(out, entry{where: s.From, section: section, key: key, text: s.Value})
			continue
		}
		item := items[s.Key]
		items[s.Key]++
		if item == 0 {
			out = append(out, entry{where: s.From, section: s.Key, item: noItem})
		}
		out = append(out, entry{where: s.From, section: s.Key, item: item})
		at := entry{where: s.From, section: s.Key, item: item}
		out = append(out, itemEntries(at, s.Value)...)
	}
	return out
}

// itemEntries takes one item of a list apart.
func itemEntries(at entry, value string) []entry {
	with := func(key, text string) entry { at.key, at.text = key, text; return at }
	if at.section == "listen" {
		return []entry{with("address", value)}
	}
	name, rest, ok := strings.Cut(value, "=")
	address, weight, weighted := strings.Cut(rest, ",weight=")
	if !ok {
		at.faulty = true
		problem := problemText("expected NAME=ADDRESS[,weight=N]", quote(value))
		return []entry{{where: at.where, problem: problem}, with("name", ""), with("address", "")}
	}
	out := []entry{with("name", name), with("address", address)}
	if weighted {
		out = append(out, with("weight", weight))
	}
	return out
}

// apply puts entries into the configuration, in their order.
func (b *builder) apply(entries []entry) {
	for i := range entries {
		e := &entries[i]
		switch {
		case e.problem != "":
			b.problems = append(b.problems, Problem{e.where, e.problem})
		case e.item == noItem:
			b.begin(e)
		case e.key == "":
			b.grow(e)
		default:
			b.set(e)
		}
	}
}

// set puts one scalar into its place. What is faulty counts as given, so that
// nobody complains that it is missing.
func (b *builder) set(e *entry) {
	b.where[e.label()] = e.where
	if e.faulty {
		return
	}
	if err := b.parser(e)(e.text); err != nil {
		b.problems.add(e.where, e.label()+": "+err.Error(), quote(e.text))
	}
}

// begin empties a list that a new layer replaces.
func (b *builder) begin(e *entry) {
	b.where[e.section] = e.where
	c := &b.config
	switch e.section {
	case "listen":
		c.Listen = nil
	case "backends":
		c.Backends = nil
	case "pools":
		c.Pools = nil
	case "routes":
		c.Routes = nil
	case "access":
		c.Access = nil
	}
}

// grow appends the item that e begins.
func (b *builder) grow(e *entry) {
	b.where[itemLabel(e.section, e.item)] = e.where
	for _, key := range sections[e.section].keys {
		delete(b.where, itemLabel(e.section, e.item)+"."+key)
	}
	c := &b.config
	switch e.section {
	case "listen":
		c.Listen = append(c.Listen, Listen{})
	case "backends":
		c.Backends = append(c.Backends, Backend{Weight: 1})
	case "pools":
		c.Pools = append(c.Pools, BackendPool{})
	case "routes":
		c.Routes = append(c.Routes, Route{})
	case "access":
		c.Access = append(c.Access, access.Rule{})
	}
}

// parser returns what reads e into the configuration.
func (b *builder) parser(e *entry) parser {
	switch e.section {
	case "listen":
		listen := &b.config.Listen[e.item]
		switch key, inTLS := strings.CutPrefix(e.key, "tls."); {
		case inTLS:
			return listen.TLS.parser(key)
		case e.key == "reuse_port":
			return truth(&listen.ReusePort)
		case e.key == "proxy_protocol.trusted":
			return prefix(&listen.ProxyProtocol.Trusted)
		}
		return address(&listen.Address, true)
	case "backends":
		backend := &b.config.Backends[e.item]
		if key, inTLS := strings.CutPrefix(e.key, "tls."); inTLS {
			return backend.TLS.parser(key)
		}
		switch e.key {
		case "name":
			return name(&backend.Name)
		case "address":
			return address(&backend.Address, false)
		}
		return number(&backend.Weight, 1, 1000)
	case "pools":
		pool := &b.config.Pools[e.item]
		if e.key == "name" {
			return name(&pool.Name)
		}
		return another(&pool.Backends, name)
	case "routes":
		route := &b.config.Routes[e.item]
		if e.key == "pool" {
			return name(&route.Pool)
		}
		return functionPattern(&route.Function)
	case "access":
		return accessParser(&b.config.Access[e.item], e.key)
	}
	return b.scalars[e.section+"."+e.key]
}
