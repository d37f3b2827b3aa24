package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// sixKinds are the plain submissions, in an order that is not theirs.
var sixKinds = []protocol.Type{
	protocol.SubmitJobLow, protocol.SubmitJobBg, protocol.SubmitJobHigh,
	protocol.SubmitJobLowBg, protocol.SubmitJob, protocol.SubmitJobHighBg,
}

// The six kinds of submission wait together, and leave high, normal, low and
// each in the order of their submission. On a farm that is promised inside
// each backend, which the handle names.
func TestPrioritiesAndOrder(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		submitted := map[string]map[protocol.Priority][]string{} // handles by backend
		kindOf := map[string]protocol.Type{}
		for i := range 60 {
			kind := sixKinds[i%len(sixKinds)]
			handle := client.submit(kind, "f", fmt.Sprintf("unique-%d", i), fmt.Sprint(i))
			backend := f.backendOf(handle)
			if submitted[backend] == nil {
				submitted[backend] = map[protocol.Priority][]string{}
			}
			priority, _, _ := kind.Submission()
			submitted[backend][priority] = append(submitted[backend][priority], handle)
			kindOf[handle] = kind
		}
		if len(submitted) != max(1, len(f.gearmands)+f.pool) {
			t.Errorf("60 uniques went to %d backends, expected all of them", len(submitted))
		}

		worker := f.worker("worker", "f")
		assigned := map[string][]string{} // handles by backend
		for range 60 {
			p := worker.grab(protocol.GrabJob)
			handle := p.args[0]
			assigned[f.backendOf(handle)] = append(assigned[f.backendOf(handle)], handle)
			worker.send(protocol.WorkComplete, handle, "")
			if _, background, _ := kindOf[handle].Submission(); !background {
				client.want(protocol.WorkComplete, handle, "")
			}
		}
		for backend, byPriority := range submitted {
			want := slices.Concat(byPriority[protocol.High], byPriority[protocol.Normal], byPriority[protocol.Low])
			if !slices.Equal(assigned[backend], want) {
				t.Errorf("backend %q: order of assignment\n%q, expected\n%q", backend, assigned[backend], want)
			}
		}
		client.fence()
	})
}

// JOB_CREATED and other answers come in the order of the questions, also when
// many are written at once.
func TestPipelinedAnswersComeInOrder(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		var batch string
		for i := range 100 {
			batch += frame(sixKinds[i%len(sixKinds)], "f", "", fmt.Sprint(i))
			batch += frame(protocol.GetStatus, "H:nobody:1")
			batch += frame(protocol.EchoReq, fmt.Sprint("echo ", i))
		}
		client.writeRaw(batch)
		workloads := map[string]string{}
		for i := range 100 {
			workloads[client.created()] = fmt.Sprint(i)
			client.want(protocol.StatusRes, "H:nobody:1", "0", "0", "0", "0")
			client.want(protocol.EchoRes, fmt.Sprint("echo ", i))
		}

		worker := f.worker("worker", "f")
		for range 100 {
			p := worker.grab(protocol.GrabJob)
			if want := workloads[p.args[0]]; p.args[2] != want {
				t.Fatalf("job %s has workload %q, but its JOB_CREATED answered %q", p.args[0], p.args[2], want)
			}
			worker.send(protocol.WorkComplete, p.args[0], "")
		}
		f.untilCounts("f", counts{0, 0, 1})
	})
}
