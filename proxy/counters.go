package proxy

import (
	"sync/atomic"

	"github.com/geargate/geargate/proxy/access"
)

// Counters count what came and went, and what was done about peers that want
// too much, since the start. Any goroutine may read them.
type Counters struct {
	Accepted            atomic.Uint64                // connections
	BytesRead           atomic.Uint64                // from clients, workers and remote backends
	BytesWritten        atomic.Uint64                // to them
	Parked              atomic.Uint64                // sessions not read from for a while: limits.in_flight
	Resumed             atomic.Uint64                // and read from again
	ParkFailures        atomic.Uint64                // not parked, for want of a descriptor
	SlowReaders         atomic.Uint64                // sessions cut off: limits.max_pending
	CutForMemory        atomic.Uint64                // sessions and links cut off: limits.memory
	Unacknowledged      atomic.Uint64                // connections cut off: timeouts.keepalive
	TooManyConnections  atomic.Uint64                // refused: limits.connections
	TooManyOfAddress    atomic.Uint64                // refused: limits.connections_per_address
	HandshakeFailures   atomic.Uint64                // connections without a TLS handshake in time, or with a wrong one
	ProxyHeaderFailures atomic.Uint64                // connections without the PROXY header expected of them, or with a wrong one or one not expected
	AccessRefused       [access.Rights]atomic.Uint64 // packets and admin lines, by the right that lacked
	AcceptFailures      atomic.Uint64                // reports of a listener out of descriptors or memory
}

// Counters returns the proxy's own, which go on counting.
func (p *Proxy) Counters() *Counters { return &p.core.counters }
