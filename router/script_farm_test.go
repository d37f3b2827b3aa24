package router

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

func (p *player) farm(t *testing.T, words []string) []string {
	t.Helper()
	cfg := config(words)
	p.r, p.now = New(cfg), time.Unix(1_000_000_000, 0)
	if !slices.Contains(words, "ghosts") {
		p.r.acquaint()
	}
	for _, a := range p.r.Start(p.now, nil) {
		asked := p.r.Step(p.now, &Event{Kind: LinkUp, Link: a.Link}, nil)
		p.receive(t, &Event{Link: a.Link}, LinkPacket, protocol.Response, "", []string{"OPTION_RES", "exceptions"})
		for _, q := range asked {
			if q.Link != a.Link { // the one that is to answer for it
				p.receive(t, &Event{Link: q.Link}, LinkPacket, protocol.Response, "", []string{"ECHO_RES"})
			}
		}
	}
	return nil
}

// acquaint has a job be known that each backend has made: most tests are not
// about the first.
func (r *Router) acquaint() {
	for _, b := range r.backends {
		b.before().first = 1
	}
}

// config reads the words of a farm.
func config(words []string) (cfg Config) {
	cfg = DefaultConfig(nil, 1)
	cfg.HealthInterval = 0
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "spool":
			cfg.Spool = name
			readMember(&cfg, "spool+disk", "", 0)
		case "ghosts":
			defer func() {
				for i := range cfg.Backends {
					cfg.Backends[i].Sound = cfg.Backends[i].Name == cfg.Spool
				}
			}()
		case "retries":
			cfg.JobRetries = n
		case "timeout-runs":
			cfg.TimeoutRuns = n
		case "lanes":
			cfg.Lanes = n
		case "links":
			cfg.GroupLinks = n
		case "health":
			cfg.HealthInterval, _ = time.ParseDuration(value)
			cfg.HealthTimeout = cfg.HealthInterval
		case "hold":
			cfg.HoldTimeout, _ = time.ParseDuration(value)
		case "held":
			cfg.MaxHeld = n
		case "heldbytes":
			cfg.MaxHeldBytes = n
		case "plain":
			cfg.PlainHandles = true
		case "seconds":
			cfg.TimeoutSeconds = true
		case "exceptions":
			cfg.Exceptions = true
		case "functions":
			cfg.MaxFunctions = n
		case "ready":
			cfg.MaxReady = n
		default:
			readMember(&cfg, name, value, n)
		}
	}
	cfg.Version, cfg.PID = "2.0.0", 4730
	return cfg
}

// readMember takes in a backend, a pool or a route.
func readMember(c *Config, name, value string, weight int) {
	if pool, ok := strings.CutPrefix(name, "pool:"); ok {
		c.Pools = append(c.Pools, Pool{pool, strings.Split(value, ",")})
		return
	}
	if function, ok := strings.CutPrefix(name, "route:"); ok {
		c.Routes = append(c.Routes, Route{function, value})
		return
	}
	name, stores := strings.CutSuffix(name, "+disk")
	name, address, _ := strings.Cut(name, "@")
	c.Backends = append(c.Backends, Backend{Name: name, Weight: weight, Address: address, Stores: stores, Sound: true})
}
