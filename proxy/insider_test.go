package proxy

import (
	"context"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// countedContext counts who waits for its end.
type countedContext struct {
	context.Context
	ended   chan struct{}
	waiting int
}

func (c *countedContext) Done() <-chan struct{} { return c.ended }

// AfterFunc is what package context calls where a context has it.
func (c *countedContext) AfterFunc(func()) (stop func() bool) {
	c.waiting++
	return func() bool {
		c.waiting--
		return true
	}
}

// A client in this process that is closed leaves nothing behind at the context
// that it came with: the forwarder of the spool connects again and again.
func TestAnInsiderThatIsClosedLeavesNothing(t *testing.T) {
	p := serve(t, nil, func(*Config) {})
	nc := p.dial(t)
	send(t, nc, protocol.EchoReq, []byte("it serves"))
	expect(t, nc, protocol.EchoRes)
	ctx := &countedContext{Context: context.Background(), ended: make(chan struct{})}
	for range 3 {
		client, err := p.enter(ctx, &session{})
		if err != nil {
			t.Fatal(err)
		}
		if ctx.waiting != 1 {
			t.Fatalf("%d wait for the context, expected one", ctx.waiting)
		}
		client.Close()
	}
	if ctx.waiting != 0 {
		t.Errorf("%d wait for the context, expected none", ctx.waiting)
	}
}
