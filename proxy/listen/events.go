package listen

import (
	"errors"
	"io"

	"github.com/panjf2000/gnet/v2"
)

// events is the side of the engine that gnet calls, on the goroutine of the
// connection's loop. Connections without a Conn are those of boot.
type events struct {
	gnet.BuiltinEventEngine
	engine *Engine
	booted chan gnet.Engine
	opened chan gnet.EventLoop
}

func (v *events) OnBoot(e gnet.Engine) gnet.Action {
	v.booted <- e
	return gnet.None
}

func (v *events) OnOpen(raw gnet.Conn) ([]byte, gnet.Action) {
	c, ok := raw.Context().(*Conn)
	if !ok {
		v.opened <- raw.EventLoop()
		return nil, gnet.Close
	}
	c.arrivals.Add(1)
	switch c.state {
	case unopened:
		c.raw, c.fd, c.state = raw, raw.Fd(), open
		c.loop.add(c)
		if c.tunnel != nil {
			c.tunnel.start(v.engine.stopping, &v.engine.tunnels)
		}
		c.loop.turns = 0
		c.loop.enter()
		v.engine.handler.Open(c)
		c.loop.leave()
	case ended: // while it was on its way back
		return nil, gnet.Close
	default:
		c.reattach(raw)
	}
	return nil, gnet.None
}

// OnTraffic takes all there is: what is left with gnet is copied again and
// again until somebody does.
func (v *events) OnTraffic(raw gnet.Conn) gnet.Action {
	p, _ := raw.Next(-1)
	c, ok := raw.Context().(*Conn)
	if !ok || c.state != open || len(p) == 0 {
		return gnet.None
	}
	c.loop.turns = 0
	c.loop.enter()
	v.engine.handler.Data(c, p)
	c.loop.leave()
	return gnet.None
}

// OnClose may be called by gnet from inside a Write or a CloseNow, which is
// inside a callback: leave reports it then.
func (v *events) OnClose(raw gnet.Conn, err error) gnet.Action {
	c, ok := raw.Context().(*Conn)
	if !ok || c.raw != raw {
		return gnet.None // one of boot, or parked
	}
	l := c.loop
	if l.depth == 0 && errors.Is(err, io.EOF) && c.outlive(err) {
		v.peerEnded(c)
		return gnet.None
	}
	if c.state == open && c.why == nil {
		c.why = err
	}
	l.enter()
	c.end()
	l.leave()
	return gnet.None
}

// peerEnded lets the present turn write to a new half, and then the handler
// say how long it is needed.
func (v *events) peerEnded(c *Conn) {
	if c.state == closing {
		return // looked at already
	}
	l := c.loop
	l.turn()
	if c.state == open {
		l.enter()
		v.engine.handler.Ended(c)
		l.leave()
	}
}
