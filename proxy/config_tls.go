package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A ListenTLS is the TLS of a listener. Names are those of files in PEM.
type ListenTLS struct {
	Cert       string // empty: no TLS
	Key        string
	ClientCA   string // who has issued the certificates of clients and workers; empty: none is asked for
	ClientAuth string // "required", which empty stands for, or "optional"
	MinVersion string // "1.3", which empty stands for, or "1.2"
}

// On reports whether TLS is spoken.
func (t *ListenTLS) On() bool { return t.Cert != "" }

// A BackendTLS is the TLS of links to a backend. Names are those of files in PEM.
type BackendTLS struct {
	CA         string // who has issued the backend's certificate: a file, systemCA, or empty
	Cert       string // ours, if it asks for one
	Key        string
	ServerName string // in the backend's certificate; empty: the host of its address
	MinVersion string // as in ListenTLS
	Insecure   bool   // any certificate will do
}

// On reports whether TLS is spoken.
func (t *BackendTLS) On() bool { return t.CA != "" || t.Insecure }

// systemCA stands for the authorities that the system trusts.
const systemCA = "system"

// A ProxyProtocol is whose PROXY headers are believed; nobody's where Trusted
// is empty.
type ProxyProtocol struct {
	Trusted []netip.Prefix
}

// String writes a listener in one line.
func (l Listen) String() string {
	text := l.Address
	if l.TLS.On() {
		text += fmt.Sprintf(" tls:%+v", l.TLS)
	}
	if len(l.ProxyProtocol.Trusted) > 0 {
		text += fmt.Sprintf(" proxy_protocol:%v", l.ProxyProtocol.Trusted)
	}
	return text
}

// parser returns what reads a key below tls.
func (t *ListenTLS) parser(key string) parser {
	switch key {
	case "cert":
		return path(&t.Cert)
	case "key":
		return path(&t.Key)
	case "client_ca":
		return path(&t.ClientCA)
	case "client_auth":
		return oneOf(&t.ClientAuth, "required", "optional")
	}
	return oneOf(&t.MinVersion, "1.2", "1.3")
}

func (t *BackendTLS) parser(key string) parser {
	switch key {
	case "ca":
		return path(&t.CA)
	case "cert":
		return path(&t.Cert)
	case "key":
		return path(&t.Key)
	case "server_name":
		return hostName(&t.ServerName)
	case "insecure":
		return truth(&t.Insecure)
	}
	return oneOf(&t.MinVersion, "1.2", "1.3")
}

// path accepts a file's name.
func path(to *string) parser {
	return func(text string) error {
		if text == "" || strings.ContainsRune(text, 0) {
			return errors.New("expected the path of a file")
		}
		*to = text
		return nil
	}
}

func hostName(to *string) parser {
	return func(text string) error {
		if text == "" || !hostForm.MatchString(text) {
			return errors.New("expected a host's name")
		}
		*to = text
		return nil
	}
}

// prefix accepts one range of addresses, or one address, and adds it.
func prefix(to *[]netip.Prefix) parser {
	return func(text string) error {
		if p, err := netip.ParsePrefix(text); err == nil {
			*to = append(*to, p.Masked())
			return nil
		}
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return errors.New("expected an address or a range of them, such as 10.0.0.0/8")
		}
		*to = append(*to, netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
}

// checkTLS demands of each listener and backend what its other keys need.
func (b *builder) checkTLS() {
	for i := range b.config.Listen {
		of, label := &b.config.Listen[i], itemLabel("listen", i)
		b.checkKeys(label+".tls", "cert", "key", "client_ca", "client_auth", "min_version")
		if where := b.where[label+".tls.client_auth"]; where != "" && b.where[label+".tls.client_ca"] == "" {
			b.problems.add(where, label+".tls: expected the key client_ca beside client_auth", "none")
		}
		if where := b.where[label+".proxy_protocol.trusted"]; where != "" && strings.HasPrefix(of.Address, "unix://") {
			b.problems.add(where, label+".proxy_protocol: expected a TCP address to listen at", quote(of.Address))
		}
	}
	for i := range b.config.Backends {
		of, label := &b.config.Backends[i].TLS, itemLabel("backends", i)+".tls"
		where := b.anyOf(label, "cert", "key", "server_name", "min_version", "insecure")
		if where != "" && b.where[label+".ca"] == "" && !of.Insecure {
			b.problems.add(where, label+": expected the key ca, a file or "+systemCA, "none")
		}
		b.checkKeys(label, "cert", "key")
	}
}

// checkKeys demands the first two keys, a certificate and its key, where any is
// given.
func (b *builder) checkKeys(label string, keys ...string) {
	where := b.anyOf(label, keys...)
	for _, key := range keys[:2] {
		if where != "" && b.where[label+"."+key] == "" {
			b.problems.add(where, label+": expected the key "+key, "none")
		}
	}
}

// anyOf returns where the first of the keys below label was given that was.
func (b *builder) anyOf(label string, keys ...string) string {
	i := slices.IndexFunc(keys, func(key string) bool { return b.where[label+"."+key] != "" })
	if i < 0 {
		return ""
	}
	return b.where[label+"."+keys[i]]
}

// Secure reports whether TLS is spoken anywhere.
func (c *Config) Secure() bool {
	return slices.ContainsFunc(c.Listen, func(l Listen) bool { return l.TLS.On() }) ||
		slices.ContainsFunc(c.Backends, func(b Backend) bool { return b.TLS.On() })
}
