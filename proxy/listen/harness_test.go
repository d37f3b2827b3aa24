package listen

import (
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
	case "vanish":
		vanish()
		return
	default:
		serveWithFewDescriptors()
		return
	}
	os.Exit(m.Run())
}

// script is a Handler made of functions, each optional. Functions given to
// run are called in the loop's next turn.
type script struct {
	open    func(c *Conn)
	data    func(c *Conn, p []byte)
	written func(c *Conn)
	sent    func(p []byte)
	ended   func(c *Conn) // Close where it is missing
	close   func(c *Conn, err error)
	turn    func(loop int)

	engine *Engine
	mu     sync.Mutex
	errand map[int][]func()
}

func (s *script) Open(c *Conn) {
	if s.open != nil {
		s.open(c)
	}
}

func (s *script) Data(c *Conn, p []byte) {
	if s.data != nil {
		s.data(c, p)
	}
}

func (s *script) Written(c *Conn) {
	if s.written != nil {
		s.written(c)
	}
}

func (s *script) Sent(p []byte) {
	if s.sent != nil {
		s.sent(p)
	}
}

func (s *script) Ended(c *Conn) {
	if s.ended == nil {
		c.Close()
		return
	}
	s.ended(c)
}

func (s *script) Close(c *Conn, err error) {
	if s.close != nil {
		s.close(c, err)
	}
}

func (s *script) Turn(loop int) {
	s.mu.Lock()
	errands := s.errand[loop]
	s.errand[loop] = nil
	s.mu.Unlock()
	for _, f := range errands {
		f()
	}
	if s.turn != nil {
		s.turn(loop)
	}
}

// run calls f on a loop and waits for it.
func (s *script) run(t *testing.T, loop int, f func()) {
	t.Helper()
	done := make(chan struct{})
	s.mu.Lock()
	s.errand[loop] = append(s.errand[loop], func() { f(); close(done) })
	s.mu.Unlock()
	s.engine.Kick(loop)
	wait(t, done)
}

func start(t *testing.T, loops int, s *script) {
	t.Helper()
	s.errand = map[int][]func(){}
	e, err := Start(loops, s)
	if err != nil {
		t.Fatal(err)
	}
	s.engine = e
	for loop := range loops {
		s.run(t, loop, func() {}) // gnet has closed the connection it was met by
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// pair returns the two ends of a TCP connection over loopback.
func pair(t testing.TB) (accepted, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close() })
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	dialled.SetDeadline(time.Now().Add(patience))
	return nc.(*net.TCPConn), dialled.(*net.TCPConn)
}

// adopted returns a client whose other end the engine owns.
func adopted(t *testing.T, s *script, loop int, owner any) *net.TCPConn {
	t.Helper()
	accepted, client := pair(t)
	if err := s.engine.Adopt(loop, accepted, owner); err != nil {
		t.Fatal(err)
	}
	return client
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing within %v", patience)
		panic("unreachable")
	}
}

// eventually polls until ok, for what only the system can tell.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
