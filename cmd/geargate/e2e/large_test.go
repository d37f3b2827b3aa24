package e2e

import (
	"math/rand/v2"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A workload and a result of 64 MiB arrive as they were sent.
func TestLargeWorkloadAndResult(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		workload, result := randomBytes(1, 64<<20), randomBytes(2, 64<<20)
		client, worker := f.connect("client"), f.worker("worker", "f")
		handle := client.submit(protocol.SubmitJob, "f", "u", workload)
		p := worker.grab(protocol.GrabJobUniq)
		if p.kind != protocol.JobAssignUniq || p.args[0] != handle || p.args[3] != workload {
			t.Fatalf("the worker received %v, expected the job as submitted", p)
		}
		worker.send(protocol.WorkComplete, handle, result)
		if p := client.expect(protocol.WorkComplete); p.args[0] != handle || p.args[1] != result {
			t.Fatalf("the client received %v, expected the result as sent", p)
		}
		client.fence()
		worker.fence()
	})
}

// randomBytes returns size bytes that are the same for the same seed.
func randomBytes(seed byte, size int) string {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return string(data)
}
