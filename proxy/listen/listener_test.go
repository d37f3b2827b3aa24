package listen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve listens and returns a channel of what is accepted.
func serve(t *testing.T, address string) (*Listener, <-chan net.Conn) {
	t.Helper()
	l, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	accepted, ended := make(chan net.Conn, 10), make(chan error, 1)
	go func() {
		ended <- l.Serve(func(nc net.Conn) { accepted <- nc }, func(err error) { t.Error(err) })
	}()
	t.Cleanup(func() {
		l.Close()
		if err := wait(t, ended); err != nil {
			t.Errorf("serve ended with %v", err)
		}
	})
	return l, accepted
}

func TestListenAddresses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0", "localhost:0", "unix://" + t.TempDir() + "/s"} {
		l, accepted := serve(t, address)
		client, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		wait(t, accepted).Close()
		client.Close()
	}
	for _, address := range []string{"4730", "127.0.0.1", "127.0.0.1:x", "unix://", "unix:///no/such/directory/s"} {
		if l, err := Listen(address); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("listen at %q: %v", address, err)
			if l != nil {
				l.Close()
			}
		}
	}
}

// The wildcards of both families can share a port.
func TestListenFamilies(t *testing.T) {
	four, _ := serve(t, "0.0.0.0:0")
	port := four.Addr().(*net.TCPAddr).Port
	six, err := Listen(fmt.Sprintf("[::]:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	six.Close()
	if _, err := Listen(fmt.Sprintf("0.0.0.0:%d", port)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the same address again: %v", err)
	}
}

func TestAcceptedOptions(t *testing.T) {
	l, accepted := serve(t, "127.0.0.1:0")
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	nc := wait(t, accepted)
	defer nc.Close()
	raw, err := nc.(*net.TCPConn).SyscallConn()
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
		} {
			got, err := syscall.GetsockoptInt(int(fd), option.level, option.number)
			if err != nil || got != option.want {
				t.Errorf("%s is %d, %v, expected %d", option.name, got, err, option.want)
			}
		}
	})
}

func TestUnixSocketRules(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	old.Close()
	l, err := Listen("unix://" + stale)
	if err != nil {
		t.Fatalf("a stale socket is in the way: %v", err)
	}

	if _, err := Listen("unix://" + stale); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("listen at a live socket: %v", err)
	}
	if nc, err := net.Dial("unix", stale); err != nil {
		t.Errorf("the live socket does not answer any more: %v", err)
	} else {
		nc.Close()
	}

	datagrams := filepath.Join(dir, "datagrams")
	other, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: datagrams})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := Listen("unix://" + datagrams); !errors.Is(err, syscall.EPROTOTYPE) {
		t.Errorf("listen at a socket that cannot be asked: %v, expected to be told why", err)
	}

	l.Close()
	if _, err := os.Lstat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there after Close: %v", err)
	}

	file, folder, link := filepath.Join(dir, "file"), filepath.Join(dir, "folder"), filepath.Join(dir, "link")
	os.WriteFile(file, []byte("precious"), 0o600)
	os.Mkdir(folder, 0o700)
	os.Symlink(file, link)
	for _, path := range []string{file, folder, link} {
		if _, err := Listen("unix://" + path); err == nil || !strings.Contains(err.Error(), "expected a socket") {
			t.Errorf("listen at %s: %v", path, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
}

// Close leaves the socket of a process that has taken over the path.
func TestCloseLeavesSuccessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := Listen("unix://" + path)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	second, err := Listen("unix://" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the successor's socket is gone: %v", err)
	}
}

const (
	childVariable = "GEARGATE_LISTEN_CHILD"
	fewest        = 64
)

// serveWithFewDescriptors is the child of TestOutOfDescriptors: an echo
// server that says its address first, and how often it failed last.
func serveWithFewDescriptors() {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	check(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: fewest, Max: fewest}))
	e, err := Start(1, &script{data: func(c *Conn, p []byte) { c.Write(p) }})
	check(err)
	l, err := Listen("127.0.0.1:0")
	check(err)
	fmt.Println(l.Addr())
	failures, ended := 0, make(chan error)
	go func() {
		ended <- l.Serve(
			func(nc net.Conn) { e.Adopt(0, nc, nil) },
			func(err error) {
				if !errors.Is(err, syscall.EMFILE) {
					panic(err)
				}
				failures++
			})
	}()
	io.Copy(io.Discard, os.Stdin)
	l.Close()
	check(<-ended)
	check(e.Stop())
	fmt.Println(failures)
}

// Running out of descriptors delays the newcomers and nobody else, and is
// over when there are some again.
func TestOutOfDescriptors(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	var complaints strings.Builder
	child.Stderr = &complaints
	stdin, _ := child.StdinPipe()
	stdout, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	output := bufio.NewReader(stdout)
	address, err := output.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dial := func() net.Conn {
		nc, err := net.Dial("tcp", strings.TrimSpace(address))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		return nc
	}
	answers := func(nc net.Conn, within time.Duration) bool {
		nc.Write([]byte("ping"))
		nc.SetDeadline(time.Now().Add(within))
		_, err := io.ReadFull(nc, make([]byte, 4))
		return err == nil
	}
	began := time.Now()
	first := dial()
	if !answers(first, patience) {
		t.Fatal("the first connection is not served")
	}
	var crowd []net.Conn
	for range 2 * fewest {
		crowd = append(crowd, dial())
	}
	late := dial()
	if answers(late, 2500*time.Millisecond) {
		t.Error("there were descriptors for all: the limit does not work")
	}
	if !answers(first, patience) {
		t.Error("the first connection is not served any more")
	}
	for _, nc := range crowd {
		nc.Close()
	}
	if !answers(late, patience) || !answers(dial(), patience) {
		t.Error("newcomers are not served now that there is room")
	}
	stdin.Close()
	rest, _ := io.ReadAll(output)
	if err := child.Wait(); err != nil || complaints.Len() > 0 {
		t.Fatalf("the child ended with %v: %s", err, complaints.String())
	}
	var failures int
	if _, err := fmt.Sscanf(string(rest), "%d\n", &failures); err != nil || strings.Count(string(rest), "\n") != 1 {
		t.Fatalf("the child said %q, expected a number", rest)
	}
	took := time.Since(began)
	if failures < 1 || failures > 1+int(took/time.Second)+1 {
		t.Errorf("%d failures reported in %v, expected one a second at most", failures, took)
	}
	if spent := child.ProcessState.UserTime() + child.ProcessState.SystemTime(); spent > took/2 {
		t.Errorf("the child used %v of processor in %v: it spins", spent, took)
	}
}
