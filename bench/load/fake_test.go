package load

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A fakeServer answers submissions itself, correctly unless told otherwise.
type fakeServer struct {
	listener net.Listener
	// answer appends what follows the JOB_CREATED of the n-th submission, n
	// counting from one over all connections.
	answer func(dst []byte, n int, handle, workload []byte) []byte

	mutex sync.Mutex
	count int
}

func startFake(t *testing.T, answer func(dst []byte, n int, handle, workload []byte) []byte) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{listener: listener, answer: answer}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		open.Wait()
	})
	return f
}

func (f *fakeServer) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		frame, err := readFrame(in)
		if err != nil {
			return
		}
		if _, err := conn.Write(f.reply(frame)); err != nil {
			return
		}
	}
}

func readFrame(in *bufio.Reader) ([]byte, error) {
	header, err := in.Peek(protocol.HeaderSize)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, protocol.HeaderSize+int(binary.BigEndian.Uint32(header[8:])))
	_, err = io.ReadFull(in, frame)
	return frame, err
}

func (f *fakeServer) reply(frame []byte) []byte {
	var p protocol.Packet
	if err := p.Parse(frame); err != nil {
		return nil
	}
	switch p.Type {
	case protocol.EchoReq:
		return protocol.AppendFrame(nil, protocol.Response, protocol.EchoRes, p.Body())
	case protocol.GrabJob:
		return protocol.AppendFrame(nil, protocol.Response, protocol.NoJob)
	}
	if _, _, ok := p.Type.Submission(); !ok {
		return nil
	}
	f.mutex.Lock()
	f.count++
	n := f.count
	f.mutex.Unlock()
	handle := fmt.Appendf(nil, "H:fake:%d", n)
	dst := protocol.AppendFrame(nil, protocol.Response, protocol.JobCreated, handle)
	return f.answer(dst, n, handle, p.Arg(2))
}

func appendComplete(dst, handle, workload []byte) []byte {
	return protocol.AppendFrame(dst, protocol.Response, protocol.WorkComplete, handle, AppendResult(nil, workload))
}

// runOn runs load against f without workers.
func runOn(t *testing.T, f *fakeServer, change func(*Load)) *Result {
	t.Helper()
	return runAt(t, f.listener.Addr().String(), change)
}

// runAt puts a small load on a job server.
func runAt(t *testing.T, address string, change func(*Load)) *Result {
	t.Helper()
	load := Default()
	load.Clients, load.Workers, load.Warmup, load.Duration = 4, 1, 0, 300*time.Millisecond
	change(&load)
	result, err := Run(t.Context(), address, load, silent)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

var silent = Watch{At: func(Moment) {}, Progress: func(Progress) {}}
