package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"

	"github.com/geargate/geargate/protocol"
)

// control is an echo server, for one ECHO_REQ after the other. It says where it
// listens, and ends with in.
func control(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the process ends
			}
			go echo(conn)
		}
	}()
	fmt.Fprintln(out, listener.Addr())
	_, err = io.Copy(io.Discard, in)
	return err
}

func echo(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	header := make([]byte, protocol.HeaderSize)
	for {
		if _, err := io.ReadFull(reader, header); err != nil {
			return
		}
		h, _, err := protocol.ParseHeader(header, 1<<10)
		if err != nil {
			return
		}
		body := make([]byte, h.Size)
		if _, err := io.ReadFull(reader, body); err != nil {
			return
		}
		if _, err := conn.Write(protocol.AppendFrame(nil, protocol.Response, protocol.EchoRes, body)); err != nil {
			return
		}
	}
}
