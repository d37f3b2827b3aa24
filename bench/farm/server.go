package farm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
)

// A Server is one process that is measured.
type Server struct {
	Name    string // gearmand, haproxy or geargate
	PID     int
	address string

	program []string  // and its arguments
	command *exec.Cmd // nil where somebody else started it
	said    *tail
	ended   chan struct{} // closed when the process is gone
}

// Attach returns a server that somebody else has started.
func Attach(name string, pid int) *Server { return &Server{Name: name, PID: pid} }

// Run starts a program and returns when it listens on address. The caller
// stops it. It is ended with the process that called Run, also when that is
// killed.
func Run(ctx context.Context, name, address, program string, args ...string) (*Server, error) {
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("%s is not installed: %w", name, err)
	}
	s := &Server{Name: name, address: address, said: &tail{}, program: append([]string{program}, args...)}
	return s, s.Restart(ctx)
}

// Restart starts the program of a server that has ended once more, on the
// same address, and returns when it listens there.
func (s *Server) Restart(ctx context.Context) error {
	s.command = exec.Command(s.program[0], s.program[1:]...)
	s.command.Stdout, s.command.Stderr = s.said, s.said
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.Name, err)
	}
	s.PID = s.command.Process.Pid
	command, ended := s.command, make(chan struct{})
	s.ended = ended
	go func() {
		command.Wait()
		close(ended)
	}()
	if err := s.await(ctx); err != nil {
		s.Stop()
		return fmt.Errorf("%s: %w; it said: %s", s.command, err, s.said)
	}
	return nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.address }

// Said returns the end of what the server has written.
func (s *Server) Said() string { return s.said.String() }

// Ended is closed when the process is gone, whoever ended it.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Kill ends the process with SIGKILL and returns when it is gone.
func (s *Server) Kill() {
	s.command.Process.Kill()
	<-s.ended
}

// Quit ends a Go program with SIGQUIT, and returns what it said: at the end of
// it, where each of its goroutines was.
func (s *Server) Quit() string {
	s.command.Process.Signal(syscall.SIGQUIT)
	<-s.ended
	return s.Said()
}

// Freeze stops the process with SIGSTOP: its sockets stay, and nothing is
// read, written or accepted until Thaw.
func (s *Server) Freeze() error { return s.command.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (s *Server) Thaw() error { return s.command.Process.Signal(syscall.SIGCONT) }

// await returns when the server accepts connections.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("it does not listen in time"))
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.ended:
			return fmt.Errorf("ended early: %v", s.command.ProcessState)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-retry.C:
		}
	}
}

// Stop ends the process, gently at first.
func (s *Server) Stop() {
	if s.command == nil {
		return
	}
	s.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		s.command.Process.Kill()
		<-s.ended
	}
}

// FreeAddress returns a loopback address nobody listens on. Its port is below
// those the kernel gives to outgoing connections, so that a server that is
// down for a while finds it free again.
func FreeAddress() (string, error) {
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000)))
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address, nil
		}
	}
	return "", errors.New("no free port found in 100 attempts")
}

// A tail keeps the last of what a server says. Safe for concurrent use.
type tail struct {
	mutex sync.Mutex
	kept  []byte
}

const tailSize = 64 << 10

func (t *tail) Write(data []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.kept = append(t.kept, data...)
	t.kept = t.kept[max(0, len(t.kept)-tailSize):]
	return len(data), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.kept)
}
