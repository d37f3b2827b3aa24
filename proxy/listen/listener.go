package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	firstPause  = 5 * time.Millisecond
	maxPause    = time.Second
	reportEvery = time.Second
)

// A Listener accepts connections at one address. Its methods may be called
// from any goroutine.
type Listener struct {
	net  net.Listener
	stop chan struct{}
	once sync.Once
	file os.FileInfo // of a unix socket, as it was bound

	shared   bool         // static: see ListenShared
	retireAt atomic.Int64 // when Serve returns at the latest, in Unix nanoseconds; 0 before Retire
}

// Listen binds an address: "host:port", ":port" for every address of either
// family, "[::]:port" or "0.0.0.0:port" for those of one, or "unix:///path".
// A unix socket that nobody answers at is replaced, anything else at its path
// is left alone.
func Listen(address string) (*Listener, error) {
	l := &Listener{stop: make(chan struct{})}
	var err error
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		err = l.bindUnix(path)
	} else {
		var config net.ListenConfig
		l.net, err = config.Listen(context.Background(), tcpNetwork(address), address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", address, err)
	}
	return l, nil
}

// tcpNetwork keeps "0.0.0.0" and "[::]" apart: package net would bind both
// families for either, and the second would find the port taken.
func tcpNetwork(address string) string {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "tcp"
	case ip.Is4():
		return "tcp4"
	}
	return "tcp6"
}

func (l *Listener) bindUnix(path string) error {
	if path == "" {
		return errors.New("no path, expected unix:///path")
	}
	if err := clearPath(path); err != nil {
		return err
	}
	bound, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	bound.SetUnlinkOnClose(false) // the path may be a successor's by then
	l.net = bound
	l.file, _ = os.Lstat(path)
	return nil
}

// clearPath removes a socket that nobody answers at.
func clearPath(path string) error {
	file, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if file.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("there is a %v, expected a socket or nothing", file.Mode())
	}
	nc, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		nc.Close()
		return errors.New("another process answers there")
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("there is a socket, expected one that nobody answers at: %w", err)
	}
	return os.Remove(path)
}

// Serve calls accepted for each connection, which then belongs to it, until
// Close, or until it has retired, when it returns nil. While the system is out
// of descriptors or memory, or the network is, it waits and calls failed, at
// most once a second. Any other failure ends it. accepted must return soon.
func (l *Listener) Serve(accepted func(net.Conn), failed func(error)) error {
	var spare reserve
	defer spare.release()
	pause := firstPause
	var reported time.Time
	for {
		nc, err := l.accept(&spare)
		if err == nil {
			spare.release()
			accepted(nc)
			pause = firstPause
			if l.retired(nil) {
				return nil
			}
			continue
		}
		if l.closed() || l.retired(err) {
			return nil
		}
		if !passing(err) {
			return fmt.Errorf("accept at %v: %w", l.Addr(), err)
		}
		if now := time.Now(); now.Sub(reported) >= reportEvery {
			reported = now
			failed(err)
		}
		select {
		case <-l.stop:
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// accept waits for a connection while it holds a descriptor in reserve.
func (l *Listener) accept(spare *reserve) (net.Conn, error) {
	if err := spare.hold(); err != nil && passing(err) {
		return nil, err
	}
	return l.net.Accept()
}

// passing reports whether an accept that failed so may succeed later.
func passing(err error) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	switch number {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		return true
	case syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EPERM, syscall.EPROTO, syscall.ECONNABORTED:
		return true
	}
	return false
}

func (l *Listener) closed() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// Accept waits for a connection, for a server that is not Serve. It fails with
// net.ErrClosed after Close, and once it has retired.
func (l *Listener) Accept() (net.Conn, error) {
	nc, err := l.net.Accept()
	if l.retired(err) && err != nil {
		return nil, fmt.Errorf("accept at %v: %w", l.Addr(), net.ErrClosed)
	}
	return nc, err
}

// Addr returns the address that was bound.
func (l *Listener) Addr() net.Addr { return l.net.Addr() }

// Close ends Serve. Connections it has accepted live on. A unix socket's path
// is removed if it is still this listener's.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		close(l.stop)
		err = l.net.Close()
		if l.file == nil {
			return
		}
		path := l.net.Addr().String()
		if now, e := os.Lstat(path); e == nil && os.SameFile(now, l.file) {
			err = errors.Join(err, os.Remove(path))
		}
	})
	return err
}
