package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// fill writes copies of frame until nc takes no more for a while, or total
// bytes are written, and returns what is left of the last one.
func fill(t *testing.T, nc *net.TCPConn, frame []byte, total int) (written int, rest []byte) {
	t.Helper()
	defer nc.SetWriteDeadline(time.Now().Add(time.Minute))
	for written < total {
		nc.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := nc.Write(frame)
		written += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return written, frame[n:]
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", written, err)
		}
	}
	return written, nil
}

// A backend that takes nothing makes those wait who submit to it, and nobody
// else. All they have sent arrives when it goes on.
func TestSlowBackendParksItsSenders(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	read := make(chan struct{})
	arrived := make(chan struct{}, 1000)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go slowBackend(nc, read, arrived)
		}
	}()
	p := serve(t, nil, func(c *Config) {
		c.Backends = []Backend{{Name: "slow", Address: ln.Addr().String(), Weight: 1}}
		c.Limits.InFlight = MiB
	})
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJobBg, []byte("f"), nil, make([]byte, 300*KiB))
	nc, other := p.dial(t), p.dial(t)
	const most = 200 * MiB
	eventually(t, "the backend is there", func() bool { return len(p.log.with("backend_up")) > 0 })
	written, rest := fill(t, nc, frame, most)
	if written >= most {
		t.Fatal("200 MiB were taken for a backend that reads nothing")
	}
	if p.Counters().Parked.Load() == 0 || len(p.log.with("msg=sender_parked")) == 0 {
		t.Error("nobody was parked")
	}
	ask(t, other, "not parked")
	close(read)
	go nc.Write(rest)
	want := (written + len(rest)) / len(frame)
	got := 0
	for deadline := time.After(20 * time.Second); got < want; {
		select {
		case <-arrived:
			got++
		case <-deadline:
			t.Fatalf("%d of %d submissions arrived", got, want)
		}
	}
	if got != want || p.Counters().Resumed.Load() == 0 {
		t.Errorf("%d of %d submissions arrived; resumed %d times", got, want, p.Counters().Resumed.Load())
	}
}

// slowBackend is a job server that is well until it gets its first job. Then
// it reads nothing before it may, and tells of each job that arrives.
func slowBackend(nc net.Conn, read <-chan struct{}, arrived chan<- struct{}) {
	defer nc.Close()
	for packet := readPacket(nc); packet != nil; packet = readPacket(nc) {
		var answer []byte
		switch packet.Type {
		case protocol.OptionReq:
			answer = protocol.AppendFrame(nil, protocol.Response, protocol.OptionRes, packet.Arg(0))
		case protocol.EchoReq:
			answer = protocol.AppendFrame(nil, protocol.Response, protocol.EchoRes, packet.Arg(0))
		case protocol.SubmitJobBg:
			<-read
			arrived <- struct{}{}
		}
		if _, err := nc.Write(answer); err != nil {
			return
		}
	}
}

// A client that does not read its replies is not read from, and loses none.
func TestUnreadRepliesParkTheirReader(t *testing.T) {
	p := serve(t, newFakeRouter(), func(c *Config) { c.Limits.InFlight = MiB })
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, bytes.Repeat([]byte("x"), 100))
	flood := bytes.Repeat(frame, 1000)
	nc := p.dial(t)
	const most = 200 * MiB
	written, rest := fill(t, nc, flood, most)
	if written >= most {
		t.Fatal("200 MiB were taken from a client that reads nothing")
	}
	go nc.Write(rest)
	if got, err := io.CopyN(io.Discard, nc, int64(written+len(rest))); err != nil {
		t.Errorf("%d of %d bytes came back: %v", got, written+len(rest), err)
	}
	ask(t, nc, "at last")
	if n := p.Counters().SlowReaders.Load(); n != 0 {
		t.Errorf("%d slow readers were cut off", n)
	}
}

// A client whose foreground jobs nobody does waits; one who does them is not
// kept waiting, and then all are done.
func TestUnfinishedJobsParkTheirClient(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Limits.InFlight = MiB
	})
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, []byte("f"), nil, make([]byte, 10*KiB))
	client := p.dial(t)
	const most = 100 * MiB
	written, rest := fill(t, client, frame, most)
	if written >= most {
		t.Fatal("100 MiB of jobs were taken that nobody does")
	}
	if p.Counters().Parked.Load() == 0 {
		t.Error("nobody was parked")
	}
	go client.Write(rest)
	jobs := (written + len(rest)) / len(frame)
	worker := p.dial(t)
	send(t, worker, protocol.CanDo, []byte("f"))
	go func() {
		for done := 0; done < jobs; {
			worker.Write(protocol.AppendFrame(nil, protocol.Request, protocol.GrabJob))
			packet := readPacket(worker)
			if packet == nil {
				return // the client tells how far it came
			}
			if packet.Type == protocol.NoJob {
				continue // it is quicker than the client is resumed
			}
			done++
			worker.Write(protocol.AppendFrame(nil, protocol.Request, protocol.WorkComplete, packet.Arg(0), nil))
		}
	}()
	for done := 0; done < jobs; {
		packet := readPacket(client)
		if packet == nil {
			t.Fatalf("%d of %d jobs are done", done, jobs)
		}
		if packet.Type == protocol.WorkComplete {
			done++
		}
	}
}

// readPacket returns the next packet, or nil at the end.
func readPacket(nc net.Conn) *protocol.Packet {
	head := make([]byte, protocol.HeaderSize)
	if _, err := io.ReadFull(nc, head); err != nil {
		return nil
	}
	size, _, err := protocol.ParseHeader(head, GiB)
	if err != nil {
		return nil
	}
	frame := append(head, make([]byte, size.Size)...)
	var p protocol.Packet
	if _, err := io.ReadFull(nc, frame[protocol.HeaderSize:]); err != nil || p.Parse(frame) != nil {
		return nil
	}
	return &p
}

// When memory is short, the peer that has most of it goes, and only that: a
// reader that does not read, or a sender that does not end its frame.
func TestMemoryIsTakenFromTheLargest(t *testing.T) {
	p := serve(t, newFakeRouter(), func(c *Config) { c.Limits.Memory = 32 * MiB })
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, MiB))
	var small []*net.TCPConn
	for range 3 {
		nc := p.dial(t)
		nc.SetReadBuffer(64 * KiB)
		if _, err := nc.Write(bytes.Repeat(frame, 9)); err != nil {
			t.Fatal(err)
		}
		small = append(small, nc)
	}
	p.core.mu.Lock()
	if all := p.core.inMemory(); all < 3*MiB || all > 32*MiB {
		t.Errorf("%d bytes are counted for what three clients have not read", all)
	}
	p.core.mu.Unlock()
	promise := protocol.AppendHeader(nil, protocol.Request, protocol.EchoReq, 64*MiB)
	large := p.dial(t)
	large.Write(append(promise, make([]byte, 40*MiB)...))
	ends(t, large)
	large = p.dial(t)
	large.SetReadBuffer(64 * KiB)
	for range 40 {
		if _, err := large.Write(frame); err != nil {
			break
		}
	}
	eventually(t, "two were cut off", func() bool { return p.Counters().CutForMemory.Load() == 2 })
	for _, nc := range small {
		if _, err := io.CopyN(io.Discard, nc, int64(9*len(frame))); err != nil {
			t.Errorf("another reader: %v", err)
		}
		ask(t, nc, "still there")
	}
	if lines := p.log.with("msg=memory_exhausted"); len(lines) != 2 || !strings.Contains(lines[0], "33554432 allowed") {
		t.Errorf("logged %q", lines)
	}
	for _, nc := range small {
		nc.Close()
	}
	eventually(t, "nothing is counted", func() bool {
		p.core.mu.Lock()
		defer p.core.mu.Unlock()
		return p.core.inMemory() == 0
	})
}

// One address cannot take the connections of all.
func TestConnectionsPerAddress(t *testing.T) {
	p := serve(t, newFakeRouter(), func(c *Config) { c.Limits.ConnectionsPerAddress = 2 })
	ask(t, p.dial(t), "one")
	second := p.dial(t)
	ask(t, second, "two")
	ends(t, p.dial(t))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: patience}
	nc, err := dialer.Dial("tcp", p.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ask(t, nc, "of another address")
	if n := p.Counters().TooManyOfAddress.Load(); n != 1 || len(p.log.with("msg=too_many_of_address")) != 1 {
		t.Errorf("%d were refused, expected 1", n)
	}
	second.Close()
	eventually(t, "room for another", func() bool {
		nc := p.dial(t)
		fmt.Fprintln(nc, "hello")
		n, _ := nc.Read(make([]byte, 10))
		nc.Close()
		return n > 0
	})
}

// A limit that does not fit into the descriptors of the process is told.
func TestDescriptorsAreChecked(t *testing.T) {
	p := serve(t, newFakeRouter(), func(c *Config) { c.Limits.Connections = 2_000_000_000 })
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=descriptors_short")) == 1 })
	p = serve(t, newFakeRouter(), func(c *Config) { c.Limits.Connections = 10 })
	ask(t, p.dial(t), "it accepts")
	if lines := p.log.with("msg=descriptors_short"); len(lines) > 0 {
		t.Errorf("logged %q for 10 connections", lines)
	}
}

// Who is looked for when memory is short is among those who have much of it.
func TestOffenders(t *testing.T) {
	c := &core{heavy: map[*peer]bool{}, router: newFakeRouter(), sessions: map[router.SessionID]*session{}}
	sizes := []int{3 * minOffender, router.Heavy - 1, minOffender, minOffender - 1, 2 * minOffender, 5 * minOffender}
	for _, size := range sizes {
		conn := c.stream()
		s := conn.Owner.(*session)
		s.conn = conn
		c.waits(&s.peer, size)
	}
	c.waits(&c.sessions[6].peer, 0) // has been written
	if len(c.heavy) != 4 {
		t.Errorf("%d peers are looked at, expected the 4 that have half of what is much", len(c.heavy))
	}
	var got []int
	for _, o := range c.offenders() {
		got = append(got, o.size)
	}
	if want := []int{3 * minOffender, 2 * minOffender, minOffender}; !slices.Equal(got, want) {
		t.Errorf("offenders of %v, expected %v", got, want)
	}
}
