package e2e

import (
	"bytes"
	"net"
	"strconv"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A client that does one job after the other is told of each when it is created,
// and not together with the result: some clients take note of a job only when
// they have JOB_CREATED in hand, and drop what comes for jobs they do not know.
// Both are in one read where the client was slow to wake up, with gearmand too,
// so it is the many that are counted.
func TestJobCreatedDoesNotWaitForTheResult(t *testing.T) {
	const jobs = 150
	onEachTarget(t, func(t *testing.T, f *farm) {
		worker, client := f.connect("worker"), f.connect("client")
		ended := make(chan error, 1)
		go func() {
			_, err := worker.doJobs("f", func(packet) string { return "y" })
			ended <- err
		}()
		f.untilCounts("f", counts{0, 0, 1})
		reads := &readCounter{Conn: client.Conn}
		client.in.Reset(reads)
		for i := range jobs {
			handle := client.submit(protocol.SubmitJob, "f", strconv.Itoa(i), "x")
			client.want(protocol.WorkComplete, handle, "y")
		}
		worker.Close()
		<-ended
		if reads.joined > jobs*2/3 {
			t.Errorf("JOB_CREATED came in one read with the result for %d jobs of %d", reads.joined, jobs)
		}
		t.Logf("JOB_CREATED came in one read with the result for %d jobs of %d", reads.joined, jobs)
	})
}

// readCounter counts the reads that bring JOB_CREATED and WORK_COMPLETE at once.
type readCounter struct {
	net.Conn
	joined int
}

func (c *readCounter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bytes.Contains(p[:n], responseHeader(protocol.JobCreated)) && bytes.Contains(p[:n], responseHeader(protocol.WorkComplete)) {
		c.joined++
	}
	return n, err
}

// responseHeader is how each response of a type begins.
func responseHeader(kind protocol.Type) []byte {
	return protocol.AppendFrame(nil, protocol.Response, kind)[:8]
}
