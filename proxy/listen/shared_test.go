package listen

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// greet serves whoever connects one byte.
func greet(nc net.Conn) {
	nc.Write([]byte("x"))
	nc.Close()
}

// While one listener after the other is put in the place of the one before,
// and connections come all the time, none is refused or reset.
func TestRetireRefusesNobody(t *testing.T) {
	t.Run("Serve", func(t *testing.T) {
		refusesNobody(t, func(l *Listener) error {
			return l.Serve(greet, func(err error) { t.Error(err) })
		})
	})
	t.Run("Accept", func(t *testing.T) {
		refusesNobody(t, func(l *Listener) error {
			for {
				nc, err := l.Accept()
				if errors.Is(err, net.ErrClosed) {
					return nil
				}
				if err != nil {
					return err
				}
				greet(nc)
			}
		})
	})
}

func refusesNobody(t *testing.T, serve func(*Listener) error) {
	start := func(address string) (l *Listener, ended chan error) {
		l, err := ListenShared(address)
		if err != nil {
			t.Fatal(err)
		}
		ended = make(chan error, 1)
		go func() { ended <- serve(l) }()
		return l, ended
	}
	serving, ended := start("127.0.0.1:0")
	address := serving.Addr().String()
	stop := make(chan struct{})
	var dialling sync.WaitGroup
	for range 8 {
		dialling.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				nc, err := net.Dial("tcp", address)
				if err == nil {
					nc.SetDeadline(time.Now().Add(patience))
					_, err = nc.Read(make([]byte, 1))
					nc.Close()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		next, nextEnded := start(address)
		serving.Retire()
		if err := wait(t, ended); err != nil {
			t.Error(err)
		}
		serving.Close()
		serving, ended = next, nextEnded
	}
	close(stop)
	dialling.Wait()
	serving.Close()
	wait(t, ended)
}

// What the kernel has accepted before is served, also where nobody follows.
func TestRetireServesWhatWaits(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 5 {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
	}
	l.Retire()
	served := 0
	if err := l.Serve(func(nc net.Conn) { served++; nc.Close() }, func(err error) { t.Error(err) }); err != nil || served != 5 {
		t.Errorf("served %d of 5, %v", served, err)
	}
}

// A port that is not shared is taken for everybody, and one that is shared for
// those who do not ask to share it.
func TestSharedOnlyWithConsent(t *testing.T) {
	for _, first := range []func(string) (*Listener, error){Listen, ListenShared} {
		l, err := first("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if second, err := Listen(l.Addr().String()); err == nil {
			second.Close()
			t.Error("bound twice")
		}
	}
	if l, err := ListenShared("unix://" + t.TempDir() + "/s"); err == nil {
		l.Close()
		t.Error("a unix socket was shared")
	}
}
