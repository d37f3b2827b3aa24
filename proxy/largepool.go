package proxy

import (
	"math/bits"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/geargate/geargate/protocol"
	"golang.org/x/sys/unix"
)

const (
	// maxFreeLarge is how many bytes of memory for large frames are kept for the
	// next ones. The first touch of a page costs many times what the bytes in it
	// do, and on some virtual machines a hundred times: what a slow reader has let
	// go of must not be paid for again by the next.
	maxFreeLarge = 128 << 20
	// restLarge is how long memory must have been idle to be given back to the
	// kernel, up to twice as long at most.
	restLarge = 30 * time.Second
)

// A largePool is the memory of large frames. It lies outside of Go's heap: such
// a frame goes from hand to hand without being copied, and as garbage would be
// a multiple of what is in use before it was collected. So its holders are
// counted instead.
//
//	room ──► share ──► retain, release ... ──► release: the last holder ──► free
//	  └──► giveBack ──────────────────────────────────────────────────────────┘
//
// Whoever assembles a frame owns its memory until it is complete, and shares it
// then. From then on nobody writes to it. Its holders are whoever shared it, the
// router from Retain to Release, and each connection it is to be written to.
//
// The kernel provides a page when it is first written to: memory that was
// promised by a header and has not come costs nothing.
//
// Its methods may be called from any goroutine.
type largePool struct {
	mu     sync.Mutex
	shared map[*byte]*largeFrame // by a frame's last byte, which each part that is handed on ends with
	free   [][]byte              // oldest first
	kept   int                   // bytes of free
	idle   int                   // the least that kept was since the last sweep
	sweeps bool                  // one is to come
	doomed [][]byte              // to be given back to the kernel
	spoils bool                  // for tests: write over what nobody holds
}

// A largeFrame is a complete frame and how often it is held.
type largeFrame struct {
	memory  []byte
	holders int
}

// room returns an empty buffer for a frame of size bytes, at least
// protocol.Large.
func (p *largePool) room(size int) []byte {
	size = largeClass(size)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.free) - 1; i >= 0; i-- {
		if cap(p.free[i]) == size {
			return p.takeFree(i)
		}
	}
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil { // the kernel has too many mappings: Go's heap has to do
		memory = make([]byte, size)
	}
	return memory[:0]
}

// largeClass rounds a size up to one of four between two powers of two, so that
// memory fits the next frame of about the same size.
func largeClass(size int) int {
	step := max(1<<bits.Len(uint(size-1))/8, unix.Getpagesize())
	return (size + step - 1) / step * step
}

func (p *largePool) takeFree(i int) []byte {
	memory := p.free[i]
	last := len(p.free) - 1
	copy(p.free[i:], p.free[i+1:])
	p.free[last] = nil
	p.free = p.free[:last]
	p.kept -= cap(memory)
	p.idle = min(p.idle, p.kept)
	return memory
}

// share makes the caller the first holder of a complete frame in memory from
// room.
func (p *largePool) share(frame []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared == nil {
		p.shared = map[*byte]*largeFrame{}
	}
	p.shared[lastByte(frame)] = &largeFrame{memory: frame, holders: 1}
}

// retain adds a holder to the frame that ends with part. It is false where part
// is not the end of one: then its memory is somebody else's.
func (p *largePool) retain(part []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.shared[lastByte(part)]
	if f == nil {
		return false
	}
	f.holders++
	return true
}

// release takes a holder from the frame that ends with part, if it is one.
func (p *largePool) release(part []byte) {
	if len(part) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.shared[lastByte(part)]
	if f == nil {
		return
	}
	if f.holders--; f.holders == 0 {
		delete(p.shared, lastByte(f.memory))
		p.putFree(f.memory)
	}
}

// giveBack takes memory from room that was not shared.
func (p *largePool) giveBack(memory []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.putFree(memory)
}

// putFree keeps memory in place of what has been free for longest. p.mu is held.
func (p *largePool) putFree(memory []byte) {
	if p.spoils {
		spoil(memory)
	}
	p.free = append(p.free, memory[:0])
	p.kept += cap(memory)
	for p.kept > maxFreeLarge {
		p.doom()
	}
	p.sweepLater()
}

// sweepLater has a sweep come, where there is something to give back. p.mu is
// held.
func (p *largePool) sweepLater() {
	if p.kept > 0 && !p.sweeps {
		p.sweeps = true
		time.AfterFunc(restLarge, p.sweep)
	}
}

// sweep gives back what has been free since the sweep before: what was never
// needed is the oldest.
func (p *largePool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	needed := p.kept - p.idle
	for len(p.free) > 0 && p.kept-cap(p.free[0]) >= needed {
		p.doom()
	}
	p.idle = p.kept
	p.sweeps = false
	p.sweepLater()
}

// doom has what has been free for longest given back. p.mu is held.
func (p *largePool) doom() {
	p.doomed = append(p.doomed, p.takeFree(0))
	if len(p.doomed) == 1 {
		go p.unmap()
	}
}

// unmap gives memory back to the kernel, in pieces: it takes a while, and nobody
// waits.
func (p *largePool) unmap() {
	for {
		p.mu.Lock()
		last := len(p.doomed) - 1
		memory := p.doomed[last]
		if p.doomed = p.doomed[:last]; last == 0 {
			p.doomed = nil
		}
		p.mu.Unlock()
		_ = unix.Munmap(memory[:cap(memory)]) // fails for what is in Go's heap
		if last == 0 {
			return
		}
		runtime.Gosched() // an event loop may have the only processor otherwise
	}
}

// spoil makes every use of memory after its end show.
func spoil(memory []byte) {
	for i := range memory {
		memory[i] = 0xDB
	}
}

func lastByte(part []byte) *byte { return unsafe.SliceData(part[len(part)-1:]) }

// isLarge reports whether a frame of size bytes has memory of its own.
func isLarge(size int) bool { return size >= protocol.Large }
