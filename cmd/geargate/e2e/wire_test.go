package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

// frameLimit is the largest frame a test reads: a job of 64 MiB and its names.
const frameLimit = 65 << 20

// A packet is one frame read from the job server, with copies of its parts.
type packet struct {
	kind protocol.Type
	body string // undivided
	args []string
}

func (p packet) String() string {
	if len(p.body) > 60 {
		return fmt.Sprintf("%v %q and %d bytes more", p.kind, p.body[:60], len(p.body)-60)
	}
	return fmt.Sprintf("%v %q", p.kind, p.body)
}

// A wire is a raw connection to a job server. It returns errors and touches
// no testing.T, so that it can be used from any goroutine.
type wire struct {
	net.Conn
	in *bufio.Reader
}

func dial(address string) (*wire, error) {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c, in: bufio.NewReader(c)}, nil
}

// frame returns the request packet with the given arguments.
func frame(kind protocol.Type, args ...string) string {
	parts := make([][]byte, len(args))
	for i, arg := range args {
		parts[i] = []byte(arg)
	}
	return string(protocol.AppendFrame(nil, protocol.Request, kind, parts...))
}

// write sends bytes as they are.
func (w *wire) write(data string) error {
	w.SetWriteDeadline(time.Now().Add(patience))
	_, err := io.WriteString(w.Conn, data)
	return err
}

// read returns the next packet.
func (w *wire) read() (packet, error) {
	w.SetReadDeadline(time.Now().Add(patience))
	header := make([]byte, protocol.HeaderSize)
	if _, err := io.ReadFull(w.in, header); err != nil {
		return packet{}, err
	}
	h, _, err := protocol.ParseHeader(header, frameLimit)
	if err != nil {
		return packet{}, err
	}
	data := append(header, make([]byte, h.Size)...)
	if _, err := io.ReadFull(w.in, data[protocol.HeaderSize:]); err != nil {
		return packet{}, fmt.Errorf("the body of %v: %w", h.Type, err)
	}
	if h.Magic != protocol.Response {
		return packet{}, fmt.Errorf("%v came with the magic of a request", h.Type)
	}
	var view protocol.Packet
	if err := view.Parse(data); err != nil {
		return packet{}, err
	}
	p := packet{kind: h.Type, body: string(view.Body())}
	for i := range view.Args() {
		p.args = append(p.args, string(view.Arg(i)))
	}
	return p, nil
}

// readLine returns the next line of admin text, with its end.
func (w *wire) readLine() (string, error) {
	w.SetReadDeadline(time.Now().Add(patience))
	return w.in.ReadString('\n')
}

// readTable returns the lines of an admin table, without their ends, up to
// its dot.
func (w *wire) readTable() ([]string, error) {
	var lines []string
	for {
		line, err := w.readLine()
		if err != nil {
			return lines, err
		}
		if line == ".\n" {
			return lines, nil
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
}
