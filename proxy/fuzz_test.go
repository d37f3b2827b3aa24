package proxy

import (
	"bytes"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// FuzzAssembler cuts a stream in two ways, whole and at places of its choice,
// and expects the same pieces and the same end of each.
func FuzzAssembler(f *testing.F) {
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, []byte("f"), []byte("u"), []byte("workload"))
	f.Add(append(bytes.Clone(frame), frame...), []byte{1, 11, 1, 7})
	f.Add(append([]byte("status\r\nversion\n"), frame...), []byte{6, 1, 1, 1, 9})
	f.Add([]byte("\x00REQ\x00\x00\x00\x07\xff\xff\xff\xff"), []byte{8, 3})
	f.Add([]byte("\x00RES\x00\x00\x00\x07\x00\x00\x00\x00\x01"), []byte{2})
	f.Add(bytes.Repeat([]byte("x"), 300), []byte{255})
	limits := streamLimits{frame: 1 << 10, line: 200}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		whole := pieces(stream, limits, nil)
		parts := pieces(stream, limits, cuts)
		if whole != parts {
			t.Errorf("cut at %v: got\n%s\nwant\n%s", cuts, parts, whole)
		}
	})
}

// pieces returns what a stream consists of, where its bytes come as many at a
// time as cuts says, all that are left after the last.
func pieces(stream []byte, limits streamLimits, cuts []byte) string {
	var all strings.Builder
	var a assembler
	free, pool := &freeList{}, &largePool{spoils: true}
	show := func(p piece) {
		if p.text {
			all.WriteString("text ")
		}
		all.WriteString(string(p.bytes))
		all.WriteString("|\n")
	}
	for len(stream) > 0 {
		n := len(stream)
		if len(cuts) > 0 {
			n = min(n, int(cuts[0])+1)
			cuts = cuts[1:]
		}
		if !read(&a, bytes.Clone(stream[:n]), limits, free, pool, show) {
			all.WriteString("cannot be followed")
			return all.String()
		}
		stream = stream[n:]
	}
	return all.String()
}

// read does with the bytes of one read what a connection does.
func read(a *assembler, p []byte, limits streamLimits, free *freeList, pool *largePool, show func(piece)) bool {
	p, whole, err := a.complete(p, limits, pool)
	if err != nil {
		return false
	}
	if whole {
		show(a.piece(limits, pool))
		a.release(free, pool)
	}
	for len(p) > 0 {
		next, size, err := limits.cut(p)
		if err != nil {
			return false
		}
		if size == 0 {
			break
		}
		show(next)
		p = p[size:]
	}
	a.keep(p, limits, free, pool)
	return true
}
