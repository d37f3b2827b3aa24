package proxy

import (
	"context"
	"testing"
)

// countedContext counts who waits for its end.
type countedContext struct {
	context.Context
	waiting int
}

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
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx := &countedContext{Context: parent}
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
