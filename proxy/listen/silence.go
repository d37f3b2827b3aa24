package listen

import (
	"context"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// A peer whose host or network vanished says nothing any more. Where nothing
// is sent to it, the kernel asks now and then: KeepAlive. Where something is,
// the kernel only repeats that, for a quarter of an hour: CutSilent. The
// kernel's own limit for that, TCP_USER_TIMEOUT, does not tell a peer that has
// vanished from one that answers and has no room.

// probes is how many questions a silent peer may leave unanswered.
const probes = 3

// KeepAlive has the kernel end nc, if it is a TCP connection, when its peer
// has given no sign of life for about limit, which is 5 s at least
// and 13 h at most (the kernel takes no more).
func KeepAlive(nc net.Conn, limit time.Duration) error {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	interval := max(time.Second, limit/9).Truncate(time.Second)
	return tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable:   true,
		Idle:     (limit - probes*interval).Truncate(time.Second),
		Interval: interval,
		Count:    probes,
	})
}

const (
	// sweepSize is how many connections are looked at in one go.
	sweepSize = 256
	// sweepPause is the time between two of those, for others.
	sweepPause = 5 * time.Millisecond
	// sweepShare is how often in the time allowed each connection is looked
	// at.
	sweepShare = 8
)

// CutSilent ends connections whose peers have acknowledged nothing for the
// given time, or at most a quarter more, although something was sent to them
// again and again. Close is told unix.ETIMEDOUT. It may be called once; limit
// is asked before each look.
func (e *Engine) CutSilent(limit func() time.Duration) {
	e.silence = limit
	for _, l := range e.loops {
		l.sweepAfter(limit() / sweepShare)
	}
}

func (l *loop) sweepAfter(pause time.Duration) {
	time.AfterFunc(pause, func() { l.post(l.sweepTask) })
}

// sweep looks at some connections. It goes through them from the last to the
// first: one that is removed is replaced by one that was looked at.
func (l *loop) sweep(context.Context) error {
	limit, now := l.engine.silence(), time.Now()
	if l.unswept == 0 {
		l.unswept = len(l.conns)
	}
	l.unswept = min(l.unswept, len(l.conns))
	l.enter()
	for range min(l.unswept, sweepSize) {
		l.unswept--
		if c := l.conns[l.unswept]; c.isSilent(now, limit) {
			_ = c.fail(unix.ETIMEDOUT)
		}
	}
	l.leave()
	pause := sweepPause
	if l.unswept == 0 {
		pause = limit / sweepShare
	}
	l.sweepAfter(pause)
	return nil
}

// isSilent reports whether the peer of c has not answered what was repeated to
// it for as long as limit. One that answers and has no room is not silent.
func (c *Conn) isSilent(now time.Time, limit time.Duration) bool {
	if _, ok := c.remote.(*net.TCPAddr); !ok {
		return false
	}
	info, err := c.tcpInfo()
	if err != nil || info.Retransmits == 0 && info.Probes < 2 {
		c.silent = time.Time{}
		return false
	}
	heard := now.Add(-time.Duration(info.Last_ack_recv) * time.Millisecond)
	if c.silent.IsZero() || heard.After(c.silent) {
		c.silent = now
	}
	return now.Sub(c.silent) >= limit
}

// tcpInfo asks the kernel about the connection to the peer.
func (c *Conn) tcpInfo() (info *unix.TCPInfo, err error) {
	if c.tunnel == nil {
		return unix.GetsockoptTCPInfo(c.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	}
	return c.tunnel.tcpInfo()
}
