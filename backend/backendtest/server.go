// Package backendtest is a scripted job server: a test says what it expects to
// be sent and what is answered, step by step. What does not come in time, or
// differs, fails the test.
package backendtest

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that must happen.
const patience = 10 * time.Second

// A Server is a job server on a loopback port.
type Server struct {
	t        testing.TB
	listener *net.TCPListener
}

// New starts a Server, which ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &Server{t: t, listener: listener}
}

// Address returns "127.0.0.1:port".
func (s *Server) Address() string { return s.listener.Addr().String() }

// Accept waits for the next link.
func (s *Server) Accept() *Link {
	s.t.Helper()
	s.listener.SetDeadline(time.Now().Add(patience))
	nc, err := s.listener.AcceptTCP()
	if err != nil {
		s.t.Fatalf("expected a link at %s: %v", s.Address(), err)
	}
	s.t.Cleanup(func() { nc.Close() })
	return &Link{t: s.t, nc: nc}
}

// Close refuses links from now on. Those accepted live on.
func (s *Server) Close() { s.listener.Close() }

// Silence returns the address of a host that answers nothing, not even a
// dial: a port whose queue of connections is full.
func Silence(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}
	for {
		nc, err := net.DialTimeout("tcp", address.String(), 200*time.Millisecond)
		if err != nil {
			return address.String()
		}
		t.Cleanup(func() { nc.Close() })
	}
}
