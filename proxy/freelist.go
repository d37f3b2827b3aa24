package proxy

import "github.com/geargate/geargate/protocol"

const (
	newBuffer     = 512            // what a connection's first bytes take
	maxFreeBuffer = protocol.Large // a larger buffer is left to the garbage collector
	maxFreeBytes  = 1 << 20        // of all buffers kept on one list
)

// A freeList keeps buffers for reuse, so that connections hold none while
// they are quiet and busy ones do not allocate. It is not safe for
// concurrent use. The zero value is empty and ready.
type freeList struct {
	buffers [][]byte
	bytes   int // capacity of all buffers
}

// get returns an empty buffer.
func (f *freeList) get() []byte {
	last := len(f.buffers) - 1
	if last < 0 {
		return make([]byte, 0, newBuffer)
	}
	b := f.buffers[last]
	f.buffers[last] = nil
	f.buffers = f.buffers[:last]
	f.bytes -= cap(b)
	return b
}

// put takes b, which the caller must not use any more.
func (f *freeList) put(b []byte) {
	if cap(b) == 0 || cap(b) > maxFreeBuffer || f.bytes+cap(b) > maxFreeBytes {
		return
	}
	f.buffers = append(f.buffers, b[:0])
	f.bytes += cap(b)
}
