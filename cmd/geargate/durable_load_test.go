package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A server is a durable geargate that is killed and started again.
type server struct {
	t       *testing.T
	address string
	args    []string
	command *exec.Cmd
	stderr  *logText
}

// A logText is what a process that runs has logged so far.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newServer returns a server on a unix socket; flags come behind its own.
func newServer(t *testing.T, flags ...string) *server {
	s := &server{t: t, address: filepath.Join(t.TempDir(), "s")}
	s.args = append([]string{"--listen", "unix://" + s.address, "--admin", ""}, flags...)
	t.Cleanup(s.kill)
	return s
}

// start returns when the server answers.
func (s *server) start() {
	s.t.Helper()
	s.stderr = &logText{}
	s.command = exec.Command(binary, s.args...)
	s.command.Stderr = s.stderr
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); !s.answers(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("no answer within three minutes, and in the log %s", s.stderr)
		}
	}
}

func (s *server) answers() bool {
	p, err := dialPeer(s.address)
	if err != nil {
		return false
	}
	defer p.Close()
	p.SetDeadline(time.Now().Add(3 * time.Minute)) // it listens before it has read its store
	_, err = p.ask(protocol.EchoReq, "x")
	return err == nil
}

// kill ends the server at once, wherever it is.
func (s *server) kill() {
	if s.command != nil {
		s.command.Process.Kill()
		s.command.Wait()
		s.command = nil
	}
}

// mostMemory returns the most memory that the server has had, in bytes.
func (s *server) mostMemory() int {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(after, &kib); err != nil {
		s.t.Fatal(err)
	}
	return kib << 10
}

// A peer is a client or worker. Packets that it is sent are valid until the
// next.
type peer struct {
	net.Conn
	in     *bufio.Scanner
	packet protocol.Packet
}

func dialPeer(address string) (*peer, error) {
	conn, err := net.Dial("unix", address)
	if err != nil {
		return nil, err
	}
	return newPeer(conn), nil
}

// newPeer speaks over a connection, for a minute.
func newPeer(conn net.Conn) *peer {
	conn.SetDeadline(time.Now().Add(time.Minute))
	p := &peer{Conn: conn, in: bufio.NewScanner(conn)}
	p.in.Buffer(nil, 1<<20)
	p.in.Split(func(data []byte, _ bool) (int, []byte, error) {
		frame, err := protocol.Split(data, math.MaxInt32)
		return len(frame), frame, err
	})
	return p
}

func (p *peer) say(kind protocol.Type, args ...string) error {
	parts := make([][]byte, len(args))
	for i := range args {
		parts[i] = []byte(args[i])
	}
	_, err := p.Write(protocol.AppendFrame(nil, protocol.Request, kind, parts...))
	return err
}

func (p *peer) hear() (*protocol.Packet, error) {
	if !p.in.Scan() {
		if err := p.in.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return &p.packet, p.packet.Parse(p.in.Bytes())
}

func (p *peer) ask(kind protocol.Type, args ...string) (*protocol.Packet, error) {
	if err := p.say(kind, args...); err != nil {
		return nil, err
	}
	return p.hear()
}
