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
	return &Listener{net: bound, stop: make(chan struct{})}, nil
}
