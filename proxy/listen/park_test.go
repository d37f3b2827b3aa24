package listen

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A parkable engine says how much came on its only connection.
type parkable struct {
	*script
	conn   *Conn
	came   atomic.Int64
	closed chan error
}

func parking(t *testing.T) (*parkable, *net.TCPConn) {
	p := &parkable{closed: make(chan error, 9)}
	p.script = &script{
		open:  func(c *Conn) { p.conn = c },
		data:  func(_ *Conn, data []byte) { p.came.Add(int64(len(data))) },
		close: func(_ *Conn, err error) { p.closed <- err },
	}
	start(t, 1, p.script)
	return p, adopted(t, p.script, 0, nil)
}

func (p *parkable) park(t *testing.T) {
	t.Helper()
	p.run(t, 0, func() {
		for range 2 {
			if !p.conn.Park() {
				t.Error("it is not parked")
			}
		}
	})
}

// What a parked connection is sent waits with its peer, and comes whole and
// in order afterwards, however often it is parked in the middle.
func TestParkedSenderWaits(t *testing.T) {
	p, client := parking(t)
	sent := noise(32 << 20)
	var got bytes.Buffer
	p.data = func(c *Conn, data []byte) {
		got.Write(data)
		p.came.Add(int64(len(data)))
		if got.Len()%5 == 0 && (!c.Park() || c.Read(make([]byte, 10)) != 0) {
			t.Error("not parked in the middle of Data")
		}
	}
	p.park(t)
	client.SetDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := client.Write(sent)
	if err == nil || p.came.Load() != 0 {
		t.Fatalf("%d bytes were taken from the sender and %d arrived, expected it to wait", n, p.came.Load())
	}
	client.SetDeadline(time.Now().Add(4 * patience))
	rest := make(chan error, 1)
	go func() {
		_, err := client.Write(sent[n:])
		rest <- err
	}()
	eventually(t, "everything has arrived", func() bool {
		p.run(t, 0, func() { p.conn.Resume() })
		return p.came.Load() == int64(len(sent))
	})
	if err := <-rest; err != nil || !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("%v; equal %v", err, bytes.Equal(got.Bytes(), sent))
	}
}

// A parked connection is written to like any other, also what the kernel does
// not take at once, and Close ends it after that.
func TestParkedIsWrittenTo(t *testing.T) {
	p, client := parking(t)
	sent := noise(16 << 20)
	var written atomic.Int64
	p.written = func(c *Conn) { written.Add(1) }
	p.run(t, 0, func() { p.conn.Write(sent[:8<<20]) })
	client.Write([]byte("unread"))
	p.park(t)
	p.run(t, 0, func() {
		p.conn.Write(sent[8<<20:])
		if p.conn.Queued() == 0 {
			t.Error("nothing queued: the buffers are too large for this test")
		}
	})
	if _, err := io.ReadFull(client, make([]byte, len(sent)/2)); err != nil {
		t.Fatal(err)
	}
	p.run(t, 0, func() {
		if p.conn.reading != parked || written.Load() == 0 {
			t.Errorf("reading is %v, and %d times something was written", p.conn.reading, written.Load())
		}
		p.conn.Close()
	})
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, sent[len(sent)/2:]) {
		t.Errorf("%d of %d bytes arrived: %v", len(got), len(sent)/2, err)
	}
	client.Close()
	if err := wait(t, p.closed); err != nil {
		t.Errorf("closed by us with %v", err)
	}
}

// The peer of a parked connection that ends, or breaks, is noticed, and what
// it sent before its end arrives.
func TestPeerOfParkedEnds(t *testing.T) {
	p, client := parking(t)
	p.park(t)
	client.Write([]byte("last words"))
	client.CloseWrite()
	if err := wait(t, p.closed); !errors.Is(err, io.EOF) {
		t.Errorf("closed with %v, expected the peer's EOF", err)
	}
	if p.came.Load() != int64(len("last words")) {
		t.Errorf("%d bytes arrived", p.came.Load())
	}

	client = adopted(t, p.script, 0, nil)
	p.park(t)
	client.SetLinger(0)
	client.Close()
	if err := wait(t, p.closed); err == nil {
		t.Error("closed without an error")
	}
}

// Whatever ends a connection while it is parked or on its way back, its
// descriptors are freed and Close is reported once.
func TestParkedIsGivenUp(t *testing.T) {
	p, _ := parking(t)
	eventually(t, "it is there", func() (there bool) {
		p.run(t, 0, func() { there = p.conn != nil })
		return there
	})
	before := descriptors(t)
	for round := range 200 {
		client := adopted(t, p.script, 0, nil)
		p.park(t)
		p.run(t, 0, func() {
			if round%2 == 0 {
				p.conn.Resume()
			}
			if round%4 < 2 {
				p.conn.CloseNow()
			}
		})
		client.Close()
		wait(t, p.closed)
	}
	eventually(t, "every descriptor is free", func() bool { return descriptors(t) == before })
	adopted(t, p.script, 0, nil)
	p.park(t)
	p.run(t, 0, func() { p.conn.Resume() })
	if err := p.engine.Stop(); err != nil {
		t.Error(err)
	}
}

// Writing many small pieces to a peer that does not read, and draining them,
// takes time in proportion: each byte is moved a few times at most.
func TestSmallPiecesAreJoined(t *testing.T) {
	var queue output
	piece := noise(80)
	for range 400_000 {
		queue.copy(piece)
	}
	if queue.size != 80*400_000 || len(queue.chunks) > 2*queue.size/maxChunk {
		t.Fatalf("%d bytes in %d chunks", queue.size, len(queue.chunks))
	}
	large := noise(2 * minKept)
	var sent [][]byte
	note := func(p []byte) { sent = append(sent, p) }
	queue.keep(large, note)
	queue.keep(piece, note)
	if last := queue.chunks[len(queue.chunks)-2]; &last[0] != &large[0] {
		t.Error("a large piece was copied")
	}
	if small := queue.chunks[len(queue.chunks)-1]; cap(small) > minChunk {
		t.Errorf("%d bytes are taken for %d behind a large piece", cap(small), len(small))
	}
	for n := 1; queue.size > 0; n = min(3*n, queue.size) {
		before := queue.size
		queue.advance(n, note)
		if queue.size != before-n {
			t.Fatalf("%d bytes are left of %d after %d", queue.size, before, n)
		}
	}
	if len(sent) != 2 || &sent[0][0] != &piece[0] || &sent[1][len(sent[1])-1] != &large[len(large)-1] {
		t.Errorf("%d pieces are said to be sent, expected the copied one and then the large one", len(sent))
	}
	if queue.chunks != nil {
		t.Error("an empty queue holds memory")
	}
}
