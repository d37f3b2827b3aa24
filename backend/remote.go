package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// linkKeepAlive finds a job server whose host vanished within 25 s, on a link
// with nothing to say.
var linkKeepAlive = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}

// A Remote is a job server that is reached over the network.
type Remote struct {
	Name    string        // in errors
	Address string        // "host:port", "[::1]:port" or "unix:///path"
	Timeout time.Duration // of a dial, looking up the host's name and TLS included
	TLS     *tls.Config   // nil: none
}

// Dial connects. A host with several addresses is tried at each, within the
// one timeout. An error names the backend and its address.
func (r Remote) Dial(ctx context.Context) (net.Conn, error) {
	network, address := "tcp", r.Address
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		network, address = "unix", path
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: linkKeepAlive}
	nc, err := dialer.DialContext(ctx, network, address)
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err // it would name the address once more
	}
	if err == nil && r.TLS != nil {
		nc, err = shakeHands(ctx, tls.Client(nc, r.TLS))
	}
	if err != nil {
		return nil, fmt.Errorf("dial backend %s at %s: %w", r.Name, r.Address, err)
	}
	return nc, nil
}

// shakeHands returns secure when TLS is agreed on.
func shakeHands(ctx context.Context, secure *tls.Conn) (net.Conn, error) {
	if err := secure.HandshakeContext(ctx); err != nil {
		secure.NetConn().Close()
		return nil, err
	}
	return secure, nil
}
