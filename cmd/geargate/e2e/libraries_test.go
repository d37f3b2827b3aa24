package e2e

import (
	"strings"
	"testing"
)

// PHP's client and worker, which are libgearman's.
func TestPHP(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		host, port := f.hostPort()
		for range 2 {
			background(t, "php", "testdata/worker.php", host, port)
		}
		f.untilCounts("hold", counts{0, 0, 2})
		tool(t, "", "php", "testdata/client.php", host, port, t.TempDir())
		for _, function := range []string{"upper", "progress", "exception", "append"} {
			f.untilCounts(function, counts{0, 0, 2})
		}
		if lines := strings.Join(f.table("workers"), "\n"); strings.Count(lines, " php-worker :") != 2 {
			t.Errorf("workers lists\n%s\nexpected two called php-worker", lines)
		}
	})
}

// A job takes longer than its worker's time limit, and there is no other worker.
// gearmand runs it again and again.
func TestPHPJobThatIsTooLong(t *testing.T) {
	onEachGeargate(t, func(t *testing.T, f *farm) {
		host, port := f.hostPort()
		background(t, "php", "testdata/worker.php", host, port)
		f.untilCounts("overdue", counts{0, 0, 1})
		if got := tool(t, "x", "gearman", "-h", host, "-p", port, "-f", "overdue"); got != "late" {
			t.Errorf("the client received %q", got)
		}
		f.untilCounts("overdue", counts{0, 0, 1})
	})
}

// Perl's client and worker. This worker sends empty results in a form that
// gearmand does not take for an end of the job: only Geargate is asked for them.
// And one of the two workers gives up at gearmand's answer to its WORK_FAIL
// behind a WORK_EXCEPTION.
func TestPerl(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		for range 2 {
			background(t, "perl", "testdata/worker.pl", f.address)
		}
		f.untilCounts("hold", counts{0, 0, 2})
		args := []string{"testdata/client.pl", f.address, t.TempDir()}
		if f.geargate {
			args = append(args, "empty")
		}
		tool(t, "", "perl", args...)
		survivors := 1
		if f.geargate {
			survivors = 2
		}
		for _, function := range []string{"upper", "progress", "broken", "nothing"} {
			f.untilCounts(function, counts{0, 0, survivors})
		}
	})
}
