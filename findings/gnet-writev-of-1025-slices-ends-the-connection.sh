#!/bin/bash
# Software: github.com/panjf2000/gnet/v2 v2.10.0 (Go), Linux.
#
# Conn.Writev takes any number of slices. One would expect that they are written
# in as many calls as it takes, as net.Buffers does. What is given goes to the
# kernel in one call, and the kernel takes 1024 at most: with one slice more the
# call fails and the connection is closed, though nothing was wrong with it.
#
# Seen:
#   1024 slices of a byte: client has 1024 bytes
#   1025 slices of a byte: client has 0 bytes, server: invalid argument
. "$(dirname "$0")/common.bash"
go_modules github.com/panjf2000/gnet/v2@v2.10.0
cat >main.go <<'G'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
)

type server struct {
	gnet.BuiltinEventEngine
	failed chan error
}

// OnTraffic answers with as many slices of a byte as it is told.
func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	var n int
	said, _ := c.Next(-1)
	fmt.Sscan(string(said), &n)
	slices := make([][]byte, n)
	for i := range slices {
		slices[i] = []byte("x")
	}
	_, err := c.Writev(slices)
	s.failed <- err
	return gnet.None
}

func ask(s *server, address string, n int) {
	c, err := net.Dial("tcp", address)
	for range 50 {
		if err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
		c, err = net.Dial("tcp", address)
	}
	if err != nil {
		panic(err)
	}
	fmt.Fprint(c, n)
	c.SetReadDeadline(time.Now().Add(time.Second))
	got, _ := io.ReadAll(c)
	err = <-s.failed
	fmt.Println(len(got), errors.Is(err, syscall.EINVAL))
}

func main() {
	s := &server{failed: make(chan error, 2)}
	go gnet.Run(s, "tcp://"+os.Args[1])
	ask(s, os.Args[1], 1024)
	ask(s, os.Args[1], 1025)
}
G
sed -i 's/, in hundreds and ones//' main.go
go build -o server .
./server "127.0.0.1:$(free_port)" 2>/dev/null | grep '^[0-9]' >seen
said() { [ "$1" = true ] && echo "server: invalid argument" || echo "server: no error"; }
observed "1024 slices of a byte" "client has 1024 bytes, server: no error" "client has $(sed -n '1s/ .*//p' seen) bytes, $(said "$(sed -n '1s/.* //p' seen)")"
observed "1025 slices of a byte" "client has 0 bytes, server: invalid argument" "client has $(sed -n '2s/ .*//p' seen) bytes, $(said "$(sed -n '2s/.* //p' seen)")"
