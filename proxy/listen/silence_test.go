package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKeepAlive(t *testing.T) {
	for limit, want := range map[time.Duration][3]int{
		90 * time.Second: {60, 10, 3},
		5 * time.Second:  {2, 1, 3},
		8 * time.Hour:    {19200, 3200, 3},
	} {
		accepted, _ := pair(t)
		if err := KeepAlive(accepted, limit); err != nil {
			t.Fatal(err)
		}
		raw, err := accepted.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var got [3]int
		on := 0
		raw.Control(func(fd uintptr) {
			on, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			for i, option := range []int{unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT} {
				got[i], _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option)
			}
		})
		if on == 0 || got != want {
			t.Errorf("%v: on %d, idle, interval and count %v, expected %v", limit, on, got, want)
		}
		accepted.Close()
	}
}

// vanish is the child of TestVanishedPeerIsCutOff. It has a network of its
// own: the loopback device goes down in the middle of a connection.
func vanish() {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	loopback(true)
	conns, closed := make(chan *Conn, 1), make(chan error, 1)
	s := &script{errand: map[int][]func(){}}
	s.open = func(c *Conn) { conns <- c }
	s.close = func(_ *Conn, err error) { closed <- err }
	e, err := Start(1, s)
	check(err)
	s.engine = e
	e.CutSilent(func() time.Duration { return 2 * time.Second })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	client, err := net.Dial("tcp", l.Addr().String())
	check(err)
	defer client.Close()
	nc, err := l.Accept()
	check(err)
	check(e.Adopt(0, nc, nil))
	c := <-conns
	write := func() {
		s.mu.Lock()
		s.errand[0] = append(s.errand[0], func() { c.Write([]byte("are you there?")) })
		s.mu.Unlock()
		e.Kick(0)
	}
	write()
	_, err = client.Read(make([]byte, 100))
	check(err)
	loopback(false)
	write()
	select {
	case err = <-closed:
		fmt.Println(errors.Is(err, syscall.ETIMEDOUT), err)
	case <-time.After(patience):
		fmt.Println("still there")
	}
	check(e.Stop())
}

// loopback sets the loopback device of this network up or down.
func loopback(up bool) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		panic(err)
	}
	defer unix.Close(fd)
	request, _ := unix.NewIfreq("lo")
	if up {
		request.SetUint16(unix.IFF_UP)
	} else {
		request.SetUint16(0)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		panic(err)
	}
}

// A peer that no packet reaches any more is cut off in time.
func TestVanishedPeerIsCutOff(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=vanish")
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	said, err := child.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(said), "true ") {
		t.Errorf("the child ended with %v and said %q, expected a timeout", err, said)
	}
}

// A peer that answers and has no room for what it is sent may do so for ever.
func TestPeerWithoutRoomIsNotCutOff(t *testing.T) {
	ended := make(chan error, 1)
	var c *Conn
	s := &script{open: func(opened *Conn) { c = opened }, close: func(_ *Conn, err error) { ended <- err }}
	start(t, 1, s)
	s.engine.CutSilent(func() time.Duration { return 200 * time.Millisecond })
	client := adopted(t, s, 0, nil)
	s.run(t, 0, func() { c.Write(noise(16 << 20)) })
	began := time.Now()
	select {
	case err := <-ended:
		t.Errorf("cut off after %v with %v", time.Since(began), err)
	case <-time.After(2 * time.Second): // ten times what a silent one is given
	}
	client.Close()
}
