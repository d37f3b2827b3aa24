package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"
)

// startServing serves with the given options and returns when connections
// are accepted.
func startServing(t *testing.T, options Options) *Proxy {
	t.Helper()
	config := DefaultConfig()
	config.Listen = []Listen{{Address: "127.0.0.1:0"}}
	accepting := make(chan struct{})
	options.Accepting = func() { close(accepting) }
	p, err := New(config, options, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	<-accepting
	return p
}

func pulseWithin(p *Proxy, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return p.Pulse(ctx)
}

func TestPulse(t *testing.T) {
	p := startServing(t, Options{Lanes: 3})
	for range 100 {
		if err := pulseWithin(p, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

// Every loop has to answer: here none does by itself, and one after the other
// is made to.
func TestPulseOfStuckLoops(t *testing.T) {
	p := startServing(t, Options{Lanes: 2})
	if err := p.core.engine.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := pulseWithin(p, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v from loops that have ended, expected the deadline", err)
	}
	for i := range p.core.lanes {
		p.beats(i) // nobody waits for these any more
	}
	felt := make(chan error, 1)
	go func() { felt <- pulseWithin(p, 10*time.Second) }()
	for i := range p.core.lanes {
		select {
		case err := <-felt:
			t.Fatalf("got %v before loop %d had answered", err, i)
		case <-time.After(50 * time.Millisecond):
		}
		eventually(t, "pulse", func() bool { return p.beats(i) })
	}
	if err := <-felt; err != nil {
		t.Error(err)
	}
}

// beats lets a lane answer, and reports whether it was asked.
func (p *Proxy) beats(lane int) bool {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	asked := len(p.core.lanes[lane].pulses) > 0
	p.core.lanes[lane].beat()
	return asked
}

func TestPulseOfStuckCore(t *testing.T) {
	p := startServing(t, Options{Lanes: 1})
	p.core.mu.Lock()
	felt := make(chan error, 1)
	go func() { felt <- pulseWithin(p, 10*time.Second) }()
	select {
	case err := <-felt:
		t.Errorf("got %v from a core that is held", err)
	case <-time.After(50 * time.Millisecond):
	}
	p.core.mu.Unlock()
	if err := <-felt; err != nil {
		t.Error(err)
	}
}

// Inherited sockets are served, and the addresses of the configuration are not.
func TestServeInherited(t *testing.T) {
	bound, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	file, err := bound.File()
	if err != nil {
		t.Fatal(err)
	}
	p := startServing(t, Options{Inherited: []*os.File{file}})
	if all := p.Addrs(); len(all) != 1 || all[0].String() != bound.Addr().String() {
		t.Fatalf("listening at %v, expected %v only", all, bound.Addr())
	}
	nc, err := net.Dial("tcp", bound.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	if _, err := nc.Write([]byte("version\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}
