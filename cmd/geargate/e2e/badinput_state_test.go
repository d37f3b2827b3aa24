package e2e

import (
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// Half a packet, or half a line, waits for its other half and holds up nobody.
func TestUnfinishedInputWaits(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		for _, whole := range []string{frame(protocol.EchoReq, "whole"), "version\n"} {
			for cut := 1; cut < len(whole); cut++ {
				c := f.connect("slow")
				c.writeRaw(whole[:cut])
				if cut == 1 {
					f.checkAlive(t)
				}
				c.writeRaw(whole[cut:])
				if strings.HasPrefix(whole, "v") {
					c.line()
				} else {
					c.want(protocol.EchoRes, "whole")
				}
				c.Close()
			}
		}
	})
}

// CAN_DO with a NUL at its end: in gearmand that is another function of the
// same looks; Geargate takes it for the C string it is.
func TestFunctionWithNUL(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f\x00")
		handle := client.submit(protocol.SubmitJobBg, "f", "", "x")
		if !f.geargate {
			worker.send(protocol.GrabJob)
			worker.want(protocol.NoJob)
			return
		}
		if got := worker.job("f", "x"); got != handle {
			t.Errorf("the job is %s, expected %s", got, handle)
		}
	})
}

// A client's refused packets take the place of their answers in the order,
// and the good ones between them are answered.
func TestRefusalsKeepTheOrder(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		good := frame(protocol.SubmitJobBg, "f", "", "x")
		bad := frame(protocol.SubmitJobBg, "f", strings.Repeat("u", 65), "x")
		client.writeRaw(good + bad + good + bad)
		for range 2 {
			client.created()
			client.want(protocol.Error, "ARGUMENT_TOO_LARGE", "Unique value too large")
		}
		client.fence()
		f.untilCounts("f", counts{total: 2})
	})
}
