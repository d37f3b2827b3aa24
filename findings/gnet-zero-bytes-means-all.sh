#!/bin/bash
# Software: github.com/panjf2000/gnet/v2 v2.10.0 (Go).
#
# Conn.Next(n), Peek(n) and Discard(n) take n bytes from what has been read. One
# would expect that 0 takes none, as with bufio.Reader. It takes all. A protocol
# whose length field may be 0 works until the first empty body arrives together
# with the next frame, which is then swallowed.
#
# Seen, for frames of a length and as many bytes: 0, then 3 "abc", in one write:
#   body of the first frame: 4 bytes
#   bytes left for the second: 0
. "$(dirname "$0")/common.bash"
go_modules github.com/panjf2000/gnet/v2@v2.10.0
cat >main.go <<'G'
package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/panjf2000/gnet/v2"
)

type server struct {
	gnet.BuiltinEventEngine
	address string
}

func (s *server) OnBoot(gnet.Engine) gnet.Action {
	go func() {
		for range 50 {
			if c, err := net.Dial("tcp", s.address); err == nil {
				c.Write([]byte("\x00\x03abc"))
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		os.Exit(1)
	}()
	return gnet.None
}

func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	head, _ := c.Next(1)
	body, _ := c.Next(int(head[0]))
	fmt.Println(len(body), c.InboundBuffered())
	return gnet.Shutdown
}

func main() {
	s := &server{address: os.Args[1]}
	if err := gnet.Run(s, "tcp://"+s.address); err != nil {
		fmt.Println(err)
	}
}
G
go build -o server .
./server "127.0.0.1:$(free_port)" 2>/dev/null | grep '^[0-9]' >seen
observed "body of the first frame" "4 bytes" "$(cut -d' ' -f1 seen) bytes"
observed "bytes left for the second" "0" "$(cut -d' ' -f2 seen)"
