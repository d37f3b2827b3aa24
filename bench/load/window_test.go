package load

import "testing"

func TestWindowPassesOverPlacesThatAreTaken(t *testing.T) {
	w := newWindow(1)
	slow := w.add(0).sequence
	for range 100 {
		j := w.add(1)
		if j.sequence == slow || w.find(slow) == nil {
			t.Fatalf("the slow job %d lost its place to %d", slow, j.sequence)
		}
		w.release(j)
	}
	if w.active != 1 {
		t.Errorf("%d jobs in flight, expected 1", w.active)
	}
}

func TestWindowKeepsEveryJobWhenItGrows(t *testing.T) {
	w := newWindow(1)
	var sequences []uint32
	for at := range int64(1000) {
		sequences = append(sequences, w.add(at).sequence)
	}
	for at, sequence := range sequences {
		if j := w.find(sequence); j == nil || j.at != int64(at) {
			t.Fatalf("job %d is %+v, expected the one of moment %d", sequence, j, at)
		}
		if j, gone := w.answered(); gone || j.at != int64(at) {
			t.Fatalf("answer %d is for %+v", at, j)
		}
	}
	if j, gone := w.answered(); j != nil || gone {
		t.Errorf("one more answer is owed: %+v", j)
	}
}

func TestLedgerFindsJobsLostAndDoubled(t *testing.T) {
	here, there := newLedger(2), newLedger(2)
	for sequence := range uint32(4) {
		here.accept(Identity{Client: 1, Sequence: sequence})
	}
	here.run(Identity{Client: 1, Sequence: 0})
	there.run(Identity{Client: 1, Sequence: 1})
	here.run(Identity{Client: 1, Sequence: 2})
	there.run(Identity{Client: 1, Sequence: 2})
	there.accept(Identity{Client: sharedClient, Sequence: 7})
	there.run(Identity{Client: sharedClient, Sequence: 7})
	there.run(Identity{Client: sharedClient, Sequence: 7})
	here.add(there)
	if lost, doubled := here.check(); lost != 1 || doubled != 1 {
		t.Errorf("lost %d, doubled %d, expected 1 and 1", lost, doubled)
	}
}

func TestWorkloadsAreKnownAgain(t *testing.T) {
	for _, size := range []int{MinWorkload, 100, 3 << 20} {
		who := Identity{Client: maxClients - 1, Sequence: sequenceMask - 5}
		workload := AppendWorkload([]byte("head"), who, size, 99)[4:]
		if len(workload) != size {
			t.Fatalf("workload has %d bytes, expected %d", len(workload), size)
		}
		result := AppendResult(nil, workload)
		if got, ok := ReadWorkload(workload, 99); !ok || got != who {
			t.Errorf("size %d: workload read as %+v, %v", size, got, ok)
		}
		if got, ok := ReadResult(result, 99); !ok || got != who {
			t.Errorf("size %d: result read as %+v, %v", size, got, ok)
		}
		if _, ok := ReadResult(workload, 99); ok {
			t.Errorf("size %d: an echo passed for a result", size)
		}
		if _, ok := ReadWorkload(workload, 98); ok {
			t.Errorf("size %d: another run's workload passed", size)
		}
		result[size-1] ^= 1
		if _, ok := ReadResult(result, 99); ok {
			t.Errorf("size %d: an altered result passed", size)
		}
	}
}
