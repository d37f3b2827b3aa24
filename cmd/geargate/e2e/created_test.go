package e2e

import (
	"bytes"
	"net"
	"slices"
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

// Who has the result of a job and asks at once is told of no such job any more.
func TestNothingIsKnownOfAJobWithItsResult(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		worker, client, admin := f.connect("worker"), f.connect("client"), f.connect("admin")
		ended := make(chan error, 1)
		go func() {
			_, err := worker.doJobs("f", func(packet) string { return "y" })
			ended <- err
		}()
		f.untilCounts("f", counts{0, 0, 1})
		for i := range 100 {
			unique := strconv.Itoa(i)
			handle := client.submit(protocol.SubmitJob, "f", unique, "x")
			client.want(protocol.WorkComplete, handle, "y")
			admin.send(protocol.GetStatusUnique, unique)
			admin.want(protocol.StatusResUnique, unique, "0", "0", "0", "0", "0")
			handle = client.submit(protocol.SubmitJob, "f", "", "x")
			client.want(protocol.WorkComplete, handle, "y")
			admin.writeRaw("status\n")
			if lines := admin.tableLines(); !slices.Contains(lines, "f\t0\t0\t1") {
				t.Errorf("status is %q behind the result of %s, expected no job", lines, handle)
			}
		}
		worker.Close()
		<-ended
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
