package listen

import (
	"fmt"
	"net"
	"os"
)

// Inherit returns a listener at a socket that somebody else has bound and
// listens with, and who may go on to do so: Close leaves the path of a unix
// socket alone. It takes file over.
func Inherit(file *os.File) (*Listener, error) {
	defer file.Close()
	bound, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("inherit %s: expected a listening stream socket: %w", file.Name(), err)
	}
	return &Listener{net: inherited{bound}, stop: make(chan struct{})}, nil
}

// inherited gives the connections of a listener that another process has
// made the keep-alive that ours have.
type inherited struct{ net.Listener }

func (l inherited) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetKeepAliveConfig(keepAlive) // it lives without, as the kernel does by default
	}
	return nc, err
}
