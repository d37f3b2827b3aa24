package proxy

import (
	"testing"
	"unsafe"

	"github.com/geargate/geargate/protocol"
)

// held returns how many frames are shared.
func (p *largePool) held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.shared)
}

// A frame's memory is free when its last holder has let go, and the next frame
// of about its size gets it.
func TestLargePoolCountsHolders(t *testing.T) {
	p := largePool{spoils: true}
	frame := append(p.room(2*protocol.Large), make([]byte, 2*protocol.Large)...)
	p.share(frame)
	workload := frame[100:]
	if !p.retain(workload) || p.retain(frame[:len(frame)-1]) || p.retain(make([]byte, protocol.Large)) {
		t.Fatal("retained is not what ends with a frame, and nothing else")
	}
	p.release(frame)
	p.release(workload[protocol.Large:])
	if workload[0] != 0xDB || p.held() != 0 {
		t.Errorf("a frame that nobody holds is not free: %d held", p.held())
	}
	p.release(frame) // nobody's any more
	if again := p.room(2*protocol.Large - 1000); unsafe.SliceData(again) != unsafe.SliceData(frame) {
		t.Error("memory is not used again")
	}
}

// What is kept for the next frames is bounded, and is what was used last.
func TestLargePoolKeepsLittle(t *testing.T) {
	var p largePool
	var all [][]byte
	const size = maxFreeLarge / 4
	for range 10 {
		all = append(all, p.room(size))
	}
	for _, memory := range all {
		p.giveBack(memory)
	}
	if p.kept != maxFreeLarge || len(p.free) != 4 || unsafe.SliceData(p.free[3]) != unsafe.SliceData(all[9]) {
		t.Errorf("%d bytes in %d buffers are kept, expected the last %d", p.kept, len(p.free), maxFreeLarge)
	}
	eventually(t, "the kernel has the rest", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.doomed) == 0
	})
	p.giveBack(p.room(maxFreeLarge + 1))
	if len(p.free) != 0 {
		t.Errorf("%d buffers are kept beside one that is too large", len(p.free))
	}
}

// What was not needed from one sweep to the next goes back to the kernel, and
// what was stays.
func TestLargePoolGivesBackWhatIsIdle(t *testing.T) {
	const size = 1 * MiB
	var p largePool
	p.sweeps = true // as if one were to come: this test has them come
	var all [][]byte
	for range 5 {
		all = append(all, p.room(size))
	}
	for _, memory := range all {
		p.giveBack(memory)
	}
	for i, expected := range []int{5, 2, 2, 0} {
		p.sweep()
		if len(p.free) != expected || p.kept != expected*size {
			t.Fatalf("%d buffers of %d bytes after sweep %d, expected %d", len(p.free), p.kept, i, expected)
		}
		if i < 2 { // two are needed at a time
			first, second := p.room(size), p.room(size)
			p.giveBack(first)
			p.giveBack(second)
		}
	}
}

// No more than a quarter of a frame's memory is more than it needs.
func TestLargeClass(t *testing.T) {
	for size := protocol.Large; size < 1<<33; size += size/7 + 1 {
		if got := largeClass(size); got < size || got > size+size/4+4*KiB || largeClass(got) != got {
			t.Errorf("%d bytes get %d", size, got)
		}
	}
}
