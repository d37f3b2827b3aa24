package proxy

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"time"
)

// A reload that reads from a disk that hangs does not keep the status.
func TestStatusBesideAReloadThatHangs(t *testing.T) {
	c := serveChangeable(t)
	reading, goOn := make(chan struct{}), make(chan struct{})
	c.options.Config = func() (Config, error) {
		close(reading)
		<-goOn
		return Config{}, errors.New("the disk has not answered")
	}
	reloaded := make(chan error, 1)
	go func() {
		_, err := c.Reload()
		reloaded <- err
	}()
	<-reading
	told := make(chan int, 1)
	go func() { told <- c.Status().Configuration }()
	select {
	case number := <-told:
		if number != 1 {
			t.Errorf("the configuration in force is %d, expected 1", number)
		}
	case <-time.After(30 * time.Second):
		t.Error("no status after half a minute")
	}
	close(goOn)
	if err := <-reloaded; err == nil {
		t.Error("expected the reload to fail")
	}
}

// A failingListener accepts nobody.
type failingListener struct{ net.Listener }

func (failingListener) Accept() (net.Conn, error) { return nil, errors.New("no descriptors") }

// An admin endpoint that accepts nobody any more says so once.
func TestAnAdminEndpointThatFailsSaysSo(t *testing.T) {
	p := serve(t, nil, func(*Config) {})
	p.ready(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var a admin
	a.serveAt(p.Proxy, failingListener{ln}, http.NotFoundHandler())
	eventually(t, "a line in the log", func() bool { return len(p.log.with("msg=admin_failed")) == 1 })
	a.serveAt(p.Proxy, ln, http.NotFoundHandler())
	ln.Close()
	a.server[0].Close()
}
