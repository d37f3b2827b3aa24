package protocol

import "testing"

// TestSenders holds the table against the directions of the protocol, listed
// by sender instead of by type.
func TestSenders(t *testing.T) {
	sent := map[Sender][]Type{
		FromClient: {7, 15, 16, 18, 21, 22, 26, 32, 33, 34, 35, 36, 37, 38, 41},
		FromWorker: {1, 2, 3, 4, 9, 12, 13, 14, 16, 22, 23, 24, 25, 26, 28, 29, 30, 39},
		FromServer: {6, 8, 10, 11, 12, 13, 14, 17, 19, 20, 25, 27, 28, 29, 31, 40, 42},
	}
	var want [lastType + 1]Sender
	for sender, types := range sent {
		for _, n := range types {
			want[n] |= sender
		}
	}
	for n := firstType; n <= lastType; n++ {
		if n.Info().Sender != want[n] {
			t.Errorf("%v is sent by %b, want %b", n, n.Info().Sender, want[n])
		}
	}
}

// TestOpaqueArguments lists the types whose last argument is data.
func TestOpaqueArguments(t *testing.T) {
	opaque := map[Type]bool{
		7: true, 11: true, 13: true, 16: true, 17: true, 18: true, 21: true, 25: true, 28: true, 29: true,
		31: true, 32: true, 33: true, 34: true, 35: true, 36: true, 37: true, 38: true, 40: true,
	}
	for n := firstType; n <= lastType; n++ {
		info := n.Info()
		if info.Opaque != opaque[n] {
			t.Errorf("%v: opaque is %v, want %v", n, info.Opaque, opaque[n])
		}
		if info.Opaque && info.TrimNUL {
			t.Errorf("%v: data must never lose a NUL", n)
		}
	}
}
