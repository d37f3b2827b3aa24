package proxy

import (
	"bufio"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A lateServer is a job server whose answers a test gives when it likes. Only
// options are granted at once; in their turn, signs of life are given, and no
// unique is known.
type lateServer struct {
	address string
	asked   chan question

	mu       sync.Mutex
	listener net.Listener // nil while it is down
	links    []net.Conn
	greeted  int // links whose options have been granted
	life     int // how often it has gone down
}

// A question is a request that has not been answered.
type question struct {
	link *lateLink
	turn *turn
	kind protocol.Type
	life int // of the server when it took the link
}

// A lateLink is a connection to a lateServer and what was asked over it. A job
// server answers in order.
type lateLink struct {
	nc    net.Conn
	mu    sync.Mutex
	turns []*turn
}

// A turn is the place of an answer in that order.
type turn struct {
	answer   []byte // that is given whatever the test does
	answered bool
}

// take adds the turn of what has been asked.
func (l *lateLink) take(p *protocol.Packet) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := &turn{}
	switch p.Type {
	case protocol.EchoReq:
		at.answer = protocol.AppendFrame(nil, protocol.Response, protocol.EchoRes, nil)
	case protocol.GetStatusUnique:
		none := []byte("0")
		at.answer = protocol.AppendFrame(nil, protocol.Response, protocol.StatusResUnique, p.Arg(0), none, none, none, none, none)
	}
	l.turns = append(l.turns, at)
	return at
}

// pass gives the answers whose turn it is.
func (l *lateLink) pass() {
	for len(l.turns) > 0 && (l.turns[0].answered || l.turns[0].answer != nil) {
		if answer := l.turns[0].answer; answer != nil {
			l.nc.Write(answer)
		}
		l.turns = l.turns[1:]
	}
}

func newLateServer(t *testing.T) *lateServer {
	t.Helper()
	s := &lateServer{address: "127.0.0.1:0", asked: make(chan question, 100)}
	s.up(t)
	t.Cleanup(s.down)
	return s
}

// configure makes s the only backend.
func (s *lateServer) configure(c *Config) {
	c.Backends = []Backend{{Name: "a", Address: s.address, Weight: 1}}
}

// up takes links, at the same address as before.
func (s *lateServer) up(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.mu.Lock()
	s.listener = listener
	s.mu.Unlock()
	go func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			down, life := s.listener != listener, s.life
			if !down {
				s.links = append(s.links, nc)
			}
			s.mu.Unlock()
			if down {
				nc.Close()
				return
			}
			go s.read(t, nc, life)
		}
	}()
}

// down ends every link and refuses others.
func (s *lateServer) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	for _, nc := range s.links {
		nc.Close()
	}
	s.links = nil
	s.life++
}

func (s *lateServer) read(t *testing.T, nc net.Conn, life int) {
	link := &lateLink{nc: nc}
	frames := bufio.NewScanner(nc)
	frames.Split(func(data []byte, _ bool) (int, []byte, error) {
		frame, err := protocol.Split(data, MiB)
		return len(frame), frame, err
	})
	for frames.Scan() {
		var p protocol.Packet
		if err := p.Parse(frames.Bytes()); err != nil {
			t.Error(err)
		}
		q := question{link, link.take(&p), p.Type, life}
		if p.Type == protocol.OptionReq {
			q.answer(protocol.OptionRes, string(p.Arg(0)))
			s.mu.Lock()
			s.greeted++
			s.mu.Unlock()
			continue
		}
		if q.turn.answer != nil {
			link.mu.Lock()
			link.pass()
			link.mu.Unlock()
			continue
		}
		s.asked <- q
	}
}

// linked waits until the proxy has n links, so that none comes up later.
func (s *lateServer) linked(t *testing.T, n int) {
	t.Helper()
	eventually(t, "all links are up", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.greeted >= n
	})
}

// next waits for the next question, which must be of the given kind. What was
// asked before the server went down is answered by nobody.
func (s *lateServer) next(t *testing.T, kind protocol.Type) question {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case q := <-s.asked:
			if s.forgot(q) {
				continue
			}
			if q.kind != kind {
				t.Fatalf("asked %v, expected %v", q.kind, kind)
			}
			return q
		case <-deadline:
			t.Fatalf("nothing asked, expected %v", kind)
		}
	}
}

func (s *lateServer) forgot(q question) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.life != s.life
}

// answer sends a response to the question. That it arrives is for the test to
// see.
func (q question) answer(kind protocol.Type, args ...string) {
	var parts [][]byte
	for _, arg := range args {
		parts = append(parts, []byte(arg))
	}
	q.link.mu.Lock()
	defer q.link.mu.Unlock()
	q.link.nc.Write(protocol.AppendFrame(nil, protocol.Response, kind, parts...))
	q.turn.answered = true
	q.link.pass()
}
