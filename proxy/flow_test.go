package proxy

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// linked starts a proxy that relays, and returns a client and the far end of
// its link.
func linked(t *testing.T) (*fakeRouter, net.Conn, *net.TCPConn) {
	t.Helper()
	fake := newFakeRouter()
	fake.start = append(fake.start, dial(1, 0))
	fake.answer = relay
	p, server := farm(t, fake)
	link := accept(t, server)
	eventually(t, "LinkUp", func() bool { return len(fake.linkEvents()) == 1 })
	return fake, p.dial(t), link
}

func (f *fakeRouter) flowed() (n int) {
	f.look(func() { n = f.flows })
	return n
}

// A backend that takes a large packet slowly is not silent.
func TestFlowOfWhatIsSent(t *testing.T) {
	fake, nc, link := linked(t)
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, 64*MiB))
	if _, err := nc.Write(frame); err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 64*KiB)
	read := 0
	eventually(t, "two flows", func() bool {
		n, err := io.ReadFull(link, part)
		if read += n; err != nil {
			t.Fatalf("after %d bytes: %v", read, err)
		}
		return fake.flowed() >= 2
	})
	if read >= len(frame) {
		t.Errorf("flows are told after %d bytes of %d", read, len(frame))
	}
}

// Nor is one that sends a large packet slowly.
func TestFlowOfWhatIsReceived(t *testing.T) {
	fake, _, link := linked(t)
	frame := protocol.AppendFrame(nil, protocol.Response, protocol.EchoRes, make([]byte, MiB))
	for len(frame) > 0 && fake.flowed() < 2 {
		n := min(KiB, len(frame))
		if _, err := link.Write(frame[:n]); err != nil {
			t.Fatal(err)
		}
		frame = frame[n:]
		time.Sleep(time.Millisecond) // the pace of the backend
	}
	if len(frame) == 0 {
		t.Errorf("%d flows before the packet was complete, expected two", fake.flowed())
	}
}

// One that takes nothing is.
func TestNoFlowWhereNothingMoves(t *testing.T) {
	fake, nc, _ := linked(t)
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, 64*MiB))
	if _, err := nc.Write(frame); err != nil {
		t.Fatal(err)
	}
	last, since := -1, time.Now()
	eventually(t, "no flow for a second", func() bool {
		if n := fake.flowed(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > time.Second
	})
}
