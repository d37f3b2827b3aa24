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
	c.raw = raw
	c.fd = raw.Fd()
	c.opened.Store(true)
	c.loop.turns = 0
	c.loop.enter()
	v.engine.handler.Open(c)
	c.loop.leave()
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
	if !ok {
		return gnet.None
	}
	l := c.loop
	if l.depth == 0 && errors.Is(err, io.EOF) && c.outlive(raw, err) {
		v.peerEnded(c)
		return gnet.None
	}
	if c.state != open {
		err = nil
	}
	c.state = ended
	c.raw = nil
	l.enter()
	l.gone = append(l.gone, ending{c, err})
	l.leave()
	return gnet.None
}

// peerEnded lets the present turn write to a new half, and then the handler
// say how long it is needed.
func (v *events) peerEnded(c *Conn) {
	if c.state == closing {
		return // watched already
	}
	l := c.loop
	l.turn()
	if c.state == open {
		l.enter()
		v.engine.handler.Ended(c)
		l.leave()
	}
	if c.half != nil {
		l.watch(c)
	}
}
