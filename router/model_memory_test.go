package router

import (
	"bytes"
	"unsafe"
)

// modelLarge is the length from which a part of a packet is shared in the
// model: most workloads are longer, and names are not.
const modelLarge = 6

// A ledger is who keeps what memory: how often that which ends at a byte was
// retained.
type ledger map[*byte]int

func endOf(part []byte) *byte { return unsafe.SliceData(part[len(part)-1:]) }

// reuse does with the memory of packets what a shell may do: what nobody keeps
// is written over.
func (w *world) reuse(ev *Event, acts []Action) {
	for i := range acts {
		switch a := &acts[i]; a.Kind {
		case Retain:
			w.kept[endOf(a.Text)]++
		case Release:
			at := endOf(a.Text)
			if w.kept[at]--; w.kept[at] < 0 {
				w.fail("%q is released and was not retained", a.Text)
			}
			if w.kept[at] == 0 {
				delete(w.kept, at)
				spoil(a.Text)
			}
		}
	}
	if ev.Packet == nil {
		return
	}
	if body := ev.Packet.Body(); len(body) > 0 && w.kept[endOf(body)] == 0 {
		spoil(body)
	}
}

func spoil(part []byte) { copy(part, bytes.Repeat([]byte{'!'}, len(part))) }
