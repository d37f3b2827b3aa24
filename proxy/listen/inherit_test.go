package listen

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// inheritFrom gives a listener's socket away, as a parent process would.
func inheritFrom(t *testing.T, bound interface{ File() (*os.File, error) }) *Listener {
	t.Helper()
	file, err := bound.File()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Inherit(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A connection that comes while nobody serves waits for the next who does.
func TestInheritedListenerOutlivesItsUser(t *testing.T) {
	bound, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	inheritFrom(t, bound).Close()
	client, err := net.Dial("tcp", bound.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	l := inheritFrom(t, bound)
	if l.Addr().String() != bound.Addr().String() {
		t.Errorf("got address %v, expected %v", l.Addr(), bound.Addr())
	}
	accepted := make(chan net.Conn, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- l.Serve(func(nc net.Conn) { accepted <- nc }, func(err error) { t.Error(err) })
	}()
	nc := wait(t, accepted)
	defer nc.Close()
	l.Close()
	if err := wait(t, ended); err != nil {
		t.Errorf("serve ended with %v", err)
	}
}

func TestInheritedUnixSocketKeepsItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	bound, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	inheritFrom(t, bound).Close()
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestInheritNoListener(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Inherit(file); err == nil || !strings.Contains(err.Error(), "inherit /dev/null: expected a listening") {
		t.Errorf("got %v", err)
	}
}
