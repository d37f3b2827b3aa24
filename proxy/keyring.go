package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A keyring is a TLS configuration from files. They are looked at before each
// handshake and read again when they are others: what cannot be used leaves the
// former in force. It is safe for concurrent use.
type keyring struct {
	files []string                    // static
	read  func() (*tls.Config, error) // static
	told  func(err error)             // static: is called after each reading again

	mu     sync.Mutex
	seen   []stamp     // guarded by mu: of the files, when last read
	config *tls.Config // guarded by mu: nil until they could be used
}

// A stamp tells a file from what was in its place before.
type stamp struct {
	info os.FileInfo // nil where there is none
	time time.Time
	size int64
}

func newKeyring(files []string, told func(error), read func() (*tls.Config, error)) *keyring {
	files = slices.DeleteFunc(files, func(f string) bool { return f == "" || f == systemCA })
	return &keyring{files: files, read: read, told: told}
}

// current returns the configuration of now. An error means that there was never
// one that could be used.
func (k *keyring) current() (*tls.Config, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := make([]stamp, len(k.files))
	for i, file := range k.files {
		if info, err := os.Stat(file); err == nil {
			now[i] = stamp{info, info.ModTime(), info.Size()}
		}
	}
	if k.config != nil && slices.EqualFunc(k.seen, now, stamp.same) {
		return k.config, nil
	}
	config, err := k.read()
	if k.config == nil {
		k.config, k.seen = config, now
		return config, err
	}
	k.seen = now
	if err == nil {
		k.config = config
	}
	k.told(err)
	return k.config, nil
}

func (s stamp) same(as stamp) bool {
	if s.info == nil || as.info == nil {
		return s.info == nil && as.info == nil
	}
	return os.SameFile(s.info, as.info) && s.time.Equal(as.time) && s.size == as.size
}

// keyring returns what a listener needs.
func (l *ListenTLS) keyring(told func(error)) *keyring {
	return newKeyring([]string{l.Cert, l.Key, l.ClientCA}, told, func() (*tls.Config, error) {
		config, err := newTLS(l.Cert, l.Key, l.MinVersion)
		if err != nil || l.ClientCA == "" {
			return config, err
		}
		switch l.ClientAuth {
		case "", "required":
			config.ClientAuth = tls.RequireAndVerifyClientCert
		case "optional":
			config.ClientAuth = tls.VerifyClientCertIfGiven
		}
		config.ClientCAs, err = readPool(l.ClientCA)
		return config, err
	})
}

// keyring returns what links to b need.
func (b *Backend) keyring(told func(error)) *keyring {
	of := b.TLS
	return newKeyring([]string{of.CA, of.Cert, of.Key}, told, func() (*tls.Config, error) {
		config, err := newTLS(of.Cert, of.Key, of.MinVersion)
		if err != nil {
			return nil, err
		}
		config.InsecureSkipVerify = of.Insecure
		if config.ServerName = of.ServerName; config.ServerName == "" {
			host, _, _ := net.SplitHostPort(b.Address)
			config.ServerName = host
		}
		if of.CA != "" && of.CA != systemCA {
			config.RootCAs, err = readPool(of.CA)
		}
		return config, err
	})
}

// newTLS returns a configuration with a certificate, if one is given.
func newTLS(certFile, keyFile, version string) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS13,
		// A packet is of use as a whole, so that small records gain nothing.
		DynamicRecordSizingDisabled: true,
	}
	if version == "1.2" {
		config.MinVersion = tls.VersionTLS12
	}
	if certFile == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", certFile, keyFile, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// readPool reads the certificates of authorities.
func readPool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: expected certificates in PEM, got none", file)
	}
	return pool, nil
}

// CheckFiles reads the files that TLS needs and tells of every one that cannot
// be used.
func (c *Config) CheckFiles() error {
	var all []error
	check := func(where string, k *keyring) {
		if _, err := k.current(); err != nil {
			all = append(all, fmt.Errorf("%s.tls: %w", where, err))
		}
	}
	for i := range c.Listen {
		if of := &c.Listen[i].TLS; of.On() {
			check(itemLabel("listen", i), of.keyring(nil))
		}
	}
	for i := range c.Backends {
		if b := &c.Backends[i]; b.TLS.On() {
			check(itemLabel("backends", i), b.keyring(nil))
		}
	}
	return errors.Join(all...)
}

// reread returns what tells of files that were read again.
func (p *Proxy) reread(what string) func(error) {
	return func(err error) {
		if err != nil {
			p.journal.add(line{event: "certificate_failed", reason: what + ": " + strings.ReplaceAll(err.Error(), "\n", "; ")})
			return
		}
		p.journal.add(line{event: "certificate_loaded", reason: what})
	}
}
