package backend

import (
	"fmt"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A long table goes out in parts. What its link says meanwhile waits, also where
// the link is closed, and nobody else does.
func TestBuiltinTableInParts(t *testing.T) {
	w := newWire(client, worker)
	const jobs = 3000
	for n := range jobs {
		w.send(client, protocol.SubmitJobBg, "f", "", fmt.Sprint(n))
	}
	w.exchange(noon)
	w.got = nil
	w.Write(client, []byte("show jobs\n"))
	w.send(client, protocol.EchoReq, "behind")
	w.exchange(noon)
	if n := len(w.got); n == 0 || n >= jobs {
		t.Fatalf("%d rows in the first part", n)
	}
	first := len(w.got)
	w.send(worker, protocol.EchoReq, "other")
	w.exchange(noon)
	if got := w.got[first:]; len(got) != 1 || got[0] != "2: ECHO_RES other" {
		t.Fatalf("got %.100q, expected the answer to the other only", got)
	}
	now := noon
	finish := func() {
		for at, ok := w.Next(); ok; at, ok = w.Next() {
			now = now.Add(max(at.Sub(now), 0))
			w.exchange(now)
		}
	}
	finish()
	if n, last := len(w.got), w.got[len(w.got)-1]; n != jobs+3 || last != "1: ECHO_RES behind" {
		t.Errorf("got %d pieces, the last is %q", n, last)
	}

	w.Write(client, []byte("show jobs\n"))
	w.send(client, protocol.SubmitJobBg, "g", "", "last words")
	w.exchange(now)
	w.Close(client)
	w.exchange(now)
	if len(w.links) != 2 {
		t.Error("a link ends before the table that it waits behind")
	}
	finish()
	if n := w.Jobs(); n != jobs+1 || len(w.links) != 1 {
		t.Errorf("%d jobs and %d links, expected %d and 1", n, len(w.links), jobs+1)
	}
	if now.Sub(noon) > time.Second {
		t.Errorf("the parts of two tables took %v", now.Sub(noon))
	}
}
