package listen

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Each connection is on the loop it was given to, with its owner and its
// addresses.
func TestAdopt(t *testing.T) {
	opened := make(chan *Conn, 1)
	s := &script{open: func(c *Conn) { opened <- c }}
	start(t, 3, s)
	for i := range 3 {
		accepted, client := pair(t)
		if err := s.engine.Adopt(i, accepted, i); err != nil {
			t.Fatal(err)
		}
		c := wait(t, opened)
		if c.Loop() != i || c.Owner != i {
			t.Errorf("loop %d, owner %v, expected %d", c.Loop(), c.Owner, i)
		}
		if c.RemoteAddr().String() != client.LocalAddr().String() || c.LocalAddr().String() != client.RemoteAddr().String() {
			t.Errorf("addresses %v, %v", c.RemoteAddr(), c.LocalAddr())
		}
	}
	one, _ := net.Pipe()
	if err := s.engine.Adopt(0, one, nil); err == nil {
		t.Error("a pipe was adopted")
	}
	if _, err := one.Write(nil); err == nil {
		t.Error("a connection that was refused is still open")
	}
}

func TestAdoptUnix(t *testing.T) {
	opened := make(chan *Conn, 1)
	s := &script{
		open: func(c *Conn) { opened <- c },
		data: func(c *Conn, p []byte) { c.Write(p) },
	}
	start(t, 1, s)
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(patience))
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.engine.Adopt(0, nc, nil); err != nil {
		t.Fatal(err)
	}
	if c := wait(t, opened); c.LocalAddr().String() != path {
		t.Errorf("local address %v, expected %s", c.LocalAddr(), path)
	}
	client.Write([]byte("hello"))
	got := make([]byte, 9)
	if n, err := client.Read(got); err != nil || string(got[:n]) != "hello" {
		t.Errorf("read %q, %v", got[:n], err)
	}
}

// However many kicks come while a turn is owed, one turn follows; a kick
// during a turn is never lost.
func TestKicksAreMerged(t *testing.T) {
	began, release := make(chan int, 10), make(chan struct{})
	turns := 0
	s := &script{turn: func(loop int) {
		turns++
		began <- turns
		<-release
	}}
	start(t, 1, s)
	s.engine.Kick(0)
	wait(t, began)
	var kickers sync.WaitGroup
	for range 8 {
		kickers.Go(func() {
			for range 1000 {
				s.engine.Kick(0)
			}
		})
	}
	kickers.Wait()
	if n := testing.AllocsPerRun(100, func() { s.engine.Kick(0) }); n != 0 {
		t.Errorf("%v allocations for a kick when a turn is owed already", n)
	}
	close(release)
	if n := wait(t, began); n != 2 {
		t.Errorf("turn %d, expected 2", n)
	}
	total := 0
	s.run(t, 0, func() { total = turns })
	if total != 2 {
		t.Errorf("%d turns, expected 2 before the last", total)
	}
}

// A turn that asks for another, for ever, leaves room for input.
func TestKickingTurnDoesNotStarveInput(t *testing.T) {
	var turns atomic.Int64
	s := &script{}
	s.data = func(c *Conn, p []byte) { c.Write(p) }
	s.turn = func(loop int) {
		turns.Add(1)
		s.engine.Kick(loop)
	}
	start(t, 1, s)
	client := adopted(t, s, 0, nil)
	s.engine.Kick(0)
	got := make([]byte, 4)
	for range 10 {
		client.Write([]byte("ping"))
		if _, err := client.Read(got); err != nil {
			t.Fatal(err)
		}
	}
	before := turns.Load()
	eventually(t, "turns go on", func() bool { return turns.Load() > before+100 })
}

// Descriptors of connections that come and go are given back, whoever closes.
func TestNoDescriptorIsLeft(t *testing.T) {
	s := &script{data: func(c *Conn, p []byte) {
		switch p[0] {
		case 'c':
			c.Close()
		case 'n':
			c.CloseNow()
		}
	}}
	start(t, 2, s)
	before := descriptors(t)
	for round := range 10 {
		var clients []*net.TCPConn
		for i := range 200 {
			client := adopted(t, s, i%2, nil)
			clients = append(clients, client)
			client.Write([]byte{"cnx"[i%3]})
		}
		for i, client := range clients {
			if i%4 == round%4 {
				client.SetLinger(0)
			}
			client.Close()
		}
	}
	eventually(t, "descriptors as before", func() bool { return descriptors(t) <= before })
}

// Stop does not wait for a peer that reads nothing, and what comes after it
// is refused.
func TestStopWithDataQueued(t *testing.T) {
	before := descriptors(t)
	var closed atomic.Int32
	s := &script{close: func(*Conn, error) { closed.Add(1) }}
	s.open = func(c *Conn) {
		c.Write(make([]byte, 16<<20))
		if c.Owner == 1 {
			c.Close()
		}
	}
	start(t, 2, s)
	for i := range 4 {
		adopted(t, s, i%2, i)
	}
	began := time.Now()
	if err := s.engine.Stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("stopped after %v", took)
	}
	if n := closed.Load(); n != 4 {
		t.Errorf("%d connections closed, expected 4", n)
	}
	s.engine.Kick(0)
	accepted, client := pair(t)
	if err := s.engine.Adopt(0, accepted, nil); !errors.Is(err, ErrStopped) {
		t.Errorf("adopt after stop: %v", err)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("a connection that came too late is open")
	}
	client.Close()
	eventually(t, "no descriptor but the four clients'", func() bool { return descriptors(t) <= before+4 })
}

// Stop beside everything else: whatever is on its way ends.
func TestStopUnderLoad(t *testing.T) {
	s := &script{data: func(c *Conn, p []byte) { c.Write(p) }}
	start(t, 2, s)
	stopped := make(chan struct{})
	var load sync.WaitGroup
	for i := range 4 {
		load.Go(func() {
			for {
				select {
				case <-stopped:
					return
				default:
				}
				s.engine.Kick(i % 2)
				accepted, client := pair(t)
				if s.engine.Adopt(i%2, accepted, nil) != nil {
					<-stopped
				}
				client.Close()
			}
		})
	}
	adopted(t, s, 0, nil)
	done := make(chan struct{})
	go func() {
		s.engine.Stop()
		close(done)
	}()
	wait(t, done)
	close(stopped)
	load.Wait()
}

// Starting leaves no file, and a directory's name that gnet would misread is
// refused before gnet removes what it reads there.
func TestStartAndTemporaryDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	start(t, 1, &script{})
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	odd := dir + "/precious?"
	for _, path := range []string{odd, dir + "/precious"} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", odd)
	if _, err := Start(1, &script{}); err == nil || !strings.Contains(err.Error(), "temporary directory") {
		t.Errorf("start: %v", err)
	}
	if _, err := os.Stat(dir + "/precious"); err != nil {
		t.Error(err)
	}
	t.Setenv("TMPDIR", dir)
	if _, err := Start(300, &script{}); err == nil {
		t.Error("more loops than gnet can run were started")
	}
}
