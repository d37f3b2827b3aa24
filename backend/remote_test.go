package backend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/backendtest"
)

const patience = 10 * time.Second

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	nc, err := Remote{Name: "one", Address: address, Timeout: patience}.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func TestDialAddresses(t *testing.T) {
	path := t.TempDir() + "/s"
	for _, c := range []struct{ network, bind, address string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1:%d"},
		{"tcp6", "[::1]:0", "[::1]:%d"},
		{"tcp4", "127.0.0.1:0", "localhost:%d"},
		{"unix", path, "unix://" + path},
	} {
		l, err := net.Listen(c.network, c.bind)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		address := c.address
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			address = fmt.Sprintf(address, tcp.Port)
		}
		nc := dial(t, address)
		if nc.RemoteAddr().String() != l.Addr().String() {
			t.Errorf("dial %s: connected to %v, expected %v", address, nc.RemoteAddr(), l.Addr())
		}
	}
}

func TestDialOptions(t *testing.T) {
	raw, err := dial(t, backendtest.New(t).Address()).(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		for _, option := range []struct {
			name                string
			level, number, want int
		}{
			{"TCP_NODELAY", syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
			{"SO_KEEPALIVE", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{"TCP_KEEPIDLE", syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 10},
			{"TCP_KEEPINTVL", syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 5},
			{"TCP_KEEPCNT", syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3},
		} {
			got, err := syscall.GetsockoptInt(int(fd), option.level, option.number)
			if err != nil || got != option.want {
				t.Errorf("%s is %d, %v, expected %d", option.name, got, err, option.want)
			}
		}
	})
}

func TestDialRefused(t *testing.T) {
	s := backendtest.New(t)
	s.Close()
	_, err := Remote{Name: "one", Address: s.Address(), Timeout: patience}.Dial(t.Context())
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, expected %v", err, syscall.ECONNREFUSED)
	}
	if want := "dial backend one at " + s.Address() + ": connect: connection refused"; err.Error() != want {
		t.Errorf("got %q, expected %q", err, want)
	}
}

func TestDialSilence(t *testing.T) {
	silence := backendtest.Silence(t)
	_, err := Remote{Name: "one", Address: silence, Timeout: 100 * time.Millisecond}.Dial(t.Context())
	if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("dial: %v, expected a timeout", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	began := time.Now()
	if _, err := (Remote{Name: "one", Address: silence, Timeout: time.Minute}).Dial(ctx); err == nil {
		t.Error("connected to nobody")
	}
	if took := time.Since(began); took > patience {
		t.Errorf("cancelled after %v", took)
	}
}

// A real job server that starts late is found by the Redialer and answers.
func TestRedialGearmand(t *testing.T) {
	s := backendtest.New(t) // finds a free port
	address := s.Address()
	s.Close()
	remote := Remote{Name: "one", Address: address, Timeout: patience}
	results := make(chan outcome, 1)
	r := NewRedialer(remote.Dial, NewBackoff(func() float64 { return 0.5 }), func(link uint64, nc net.Conn, err error) {
		results <- outcome{link: link, nc: nc, err: err}
	})
	defer r.Close()
	r.Dial(0)
	if result := <-results; !errors.Is(result.err, syscall.ECONNREFUSED) {
		t.Fatalf("dial: %v, expected %v", result.err, syscall.ECONNREFUSED)
	}
	startGearmand(t, address)
	deadline := time.Now().Add(patience)
	for link := uint64(1); ; link++ {
		r.Dial(link)
		result := <-results
		if result.err == nil {
			defer result.nc.Close()
			result.nc.SetDeadline(deadline)
			fmt.Fprint(result.nc, "version\n")
			answer, err := bufio.NewReader(result.nc).ReadString('\n')
			if err != nil || !strings.HasPrefix(answer, "OK ") {
				t.Errorf("version: %q, %v", answer, err)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("gearmand does not answer: %v", result.err)
		}
	}
}

// startGearmand runs a gearmand at address until the test ends.
func startGearmand(t *testing.T, address string) {
	t.Helper()
	_, port, _ := net.SplitHostPort(address)
	gearmand := exec.Command("gearmand", "--listen=127.0.0.1", "--port="+port, "--log-file=none")
	if err := gearmand.Start(); err != nil {
		t.Fatalf("gearmand is needed (Debian's package gearman-job-server): %v", err)
	}
	t.Cleanup(func() {
		gearmand.Process.Kill()
		gearmand.Wait()
	})
}
