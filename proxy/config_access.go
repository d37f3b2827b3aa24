package proxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/geargate/geargate/proxy/access"
)

// accessParser returns what reads a key of a rule.
func accessParser(r *access.Rule, key string) parser {
	switch key {
	case "listeners":
		return another(&r.Listeners, func(to *string) parser { return address(to, true) })
	case "addresses":
		return prefix(&r.Addresses)
	case "certificates":
		return another(&r.Certificates, certificatePattern)
	case "submit":
		return another(&r.Submit, functionPattern)
	case "work":
		return another(&r.Work, functionPattern)
	}
	return oneOf(&r.Admin, "none", "read", "write")
}

// certificatePattern accepts what a name in a certificate can match.
func certificatePattern(to *string) parser {
	return func(text string) error {
		if text == "" || len(text) > maxPattern || strings.ContainsFunc(text, isControl) {
			return fmt.Errorf("expected a name in a certificate with a * for any text, of at most %d bytes", maxPattern)
		}
		*to = text
		return nil
	}
}

// checkAccess demands that rules can be of use: that there are the listeners
// that they name, that certificates are asked for there, and that no rule
// stands behind one that fits everybody.
func (b *builder) checkAccess() {
	for i := range b.config.Access {
		label := itemLabel("access", i)
		b.checkAccessListeners(&b.config.Access[i], label)
		if i == 0 {
			continue
		}
		if before := itemLabel("access", i-1); b.anyOf(before, "listeners", "addresses", "certificates") == "" {
			b.problems.add(b.where[label], label+": expected no rule behind "+before+", which fits everybody", "one")
		}
	}
}

func (b *builder) checkAccessListeners(r *access.Rule, label string) {
	listeners := b.config.Listen
	for _, name := range r.Listeners {
		if name != "" && !slices.ContainsFunc(listeners, func(l Listen) bool { return l.Address == name }) {
			b.problems.add(b.where[label+".listeners"], label+".listeners: expected addresses under listen", quote(name))
		}
	}
	asks := func(l Listen) bool {
		return l.TLS.ClientCA != "" && (len(r.Listeners) == 0 || slices.Contains(r.Listeners, l.Address))
	}
	if len(r.Certificates) > 0 && !slices.ContainsFunc(listeners, asks) {
		b.problems.add(b.where[label+".certificates"], label+".certificates: expected a listener of this rule with tls.client_ca", "none")
	}
}
