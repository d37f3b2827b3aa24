package proxy

import (
	"fmt"
	"net"
	"slices"

	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/proxy/listen"
)

// Listen binds every address of the configuration, or takes over the sockets
// that were inherited in place of them, and those of the admin endpoint.
func (p *Proxy) Listen() error {
	err := p.bind()
	if err == nil {
		err = p.listenAdmin()
	}
	if err != nil {
		p.closeListeners()
	}
	return err
}

func (p *Proxy) bind() error {
	if len(p.options.Inherited) > 0 {
		return p.inherit()
	}
	for _, l := range p.config.Load().Listen {
		bind := listen.Listen
		if l.ReusePort {
			bind = listen.ListenShared
		}
		ln, err := bind(l.Address)
		if err != nil {
			return fmt.Errorf("listen at %s: %w", l.Address, err)
		}
		p.doors = append(p.doors, p.door(ln, l))
	}
	return nil
}

// inherit listens at the sockets that were inherited, each as the configuration
// says of the address whose place it takes. None is served without the TLS that
// was meant for it.
func (p *Proxy) inherit() error {
	config, files := p.config.Load(), p.options.Inherited
	asks := slices.ContainsFunc(config.Listen, func(l Listen) bool { return l.TLS.On() || len(l.ProxyProtocol.Trusted) > 0 }) ||
		slices.ContainsFunc(config.Access, func(r access.Rule) bool { return len(r.Listeners) > 0 })
	if asks && len(files) != len(config.Listen) {
		return fmt.Errorf("inherit sockets: expected %d, one for each of listen, as tls or proxy_protocol is set there or access names it, got %d", len(config.Listen), len(files))
	}
	for i, file := range files {
		ln, err := listen.Inherit(file)
		if err != nil {
			return err
		}
		var of Listen
		if len(files) == len(config.Listen) {
			of = config.Listen[i]
		}
		p.doors = append(p.doors, p.door(ln, of))
	}
	return nil
}

// Addrs returns the addresses that Listen bound.
func (p *Proxy) Addrs() []net.Addr {
	var all []net.Addr
	for _, ln := range p.doors {
		all = append(all, ln.Addr())
	}
	return all
}

func (p *Proxy) closeListeners() {
	for _, ln := range p.doors {
		_ = ln.Close() // it is gone either way
	}
}
