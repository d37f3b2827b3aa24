package farm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
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

	command *exec.Cmd // nil where somebody else started it
	said    *tail
	ended   chan struct{} // closed when the process is gone
}

// Attach returns a server that somebody else has started.
func Attach(name string, pid int) *Server { return &Server{Name: name, PID: pid} }

// start runs program and returns when it listens on address.
func start(ctx context.Context, name, address, program string, args ...string) (*Server, error) {
	s := &Server{Name: name, address: address, said: &tail{}, ended: make(chan struct{})}
	s.command = exec.Command(program, args...)
	s.command.Stdout, s.command.Stderr = s.said, s.said
	// The servers end with the bench, also when the bench is killed.
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	s.PID = s.command.Process.Pid
	go func() {
		s.command.Wait()
		close(s.ended)
	}()
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w; it said: %s", s.command, err, s.said)
	}
	return s, nil
}

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

// stop ends the process, gently at first.
func (s *Server) stop() {
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

// freeAddress returns a loopback address nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// A tail keeps the last of what a server says. Safe for concurrent use.
type tail struct {
	mutex sync.Mutex
	kept  []byte
}

const tailSize = 2048

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
