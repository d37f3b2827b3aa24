package e2e

import (
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// onEveryMode is onEachTarget, and in gearmand's place as well.
func onEveryMode(t *testing.T, run func(t *testing.T, f *farm)) {
	onEachTarget(t, run)
	t.Run("in its place", func(t *testing.T) {
		t.Parallel()
		address := freeAddress(t)
		host, port, _ := net.SplitHostPort(address)
		front := startProcess(t, "geargate", address, exec.Command(geargateBinary, "gearmand", "-L", host, "-p", port, "-l", "stderr"))
		run(t, &farm{target: target{name: "in its place"}, t: t, front: front, address: address})
	})
}

// sha256 looks like many a unique that gearmand cuts: 64 hexadecimal digits.
var sha256 = strings.Repeat("0123456789abcdef", 4)

// The submissions of this table are at gearmand's limits, and one byte above.
var limits = []struct {
	name    string
	kind    protocol.Type
	args    []string
	refused string // the code of the ERROR, where gearmand refuses it
}{
	{"unique of 62 bytes", protocol.SubmitJobBg, []string{"f", long[:62], "x"}, ""},
	{"unique of 63 bytes", protocol.SubmitJobBg, []string{"f", long[:63], "x"}, ""},
	{"unique of 64 bytes", protocol.SubmitJobBg, []string{"f", long[:64], "x"}, ""},
	{"unique of 65 bytes", protocol.SubmitJobBg, []string{"f", long[:65], "x"}, "ARGUMENT_TOO_LARGE"},
	{"SHA-256", protocol.SubmitJobHighBg, []string{"f", sha256, "x"}, ""},
	{"SHA-256 in capitals", protocol.SubmitJobLowBg, []string{"f", strings.ToUpper(sha256), "x"}, ""},
	{"SHA-256 of a job for now", protocol.SubmitJobEpoch, []string{"f", sha256, "0", "x"}, ""},
	{"SHA-256 of a job that is reduced", protocol.SubmitReduceJobBg, []string{"f", sha256, "r", "", "x"}, ""},
	{"reducer of 63 bytes", protocol.SubmitReduceJobBg, []string{"f", "u", long[:63], "", "x"}, ""},
	{"reducer of 64 bytes", protocol.SubmitReduceJobBg, []string{"f", "u", long[:64], "", "x"}, ""},
	{"reducer of 65 bytes", protocol.SubmitReduceJobBg, []string{"f", "u", long[:65], "", "x"}, "ARGUMENT_TOO_LARGE"},
	{"function of 512 bytes", protocol.SubmitJobBg, []string{long[:512], "u", "x"}, ""},
	{"function of 513 bytes", protocol.SubmitJobBg, []string{long[:513], "u", "x"}, ""},
	{"function of 4097 bytes", protocol.SubmitJobBg, []string{long[:4097], "u", "x"}, ""},
	{"function of 7936 bytes", protocol.SubmitReduceJobBg, []string{long[:7936], long[:63], long[:64], "", "x"}, ""},
	{"epoch that is the lowest number", protocol.SubmitJobEpoch, []string{"f", "u", "-9223372036854775808", "x"}, ""},
	{"epoch that is no number", protocol.SubmitJobEpoch, []string{"f", "u", "now", "x"}, ""},
	{"epoch that ends in no number", protocol.SubmitJobEpoch, []string{"f", "u", " 7s", "x"}, ""},
}

// What gearmand takes and runs is taken and run, and what it refuses is refused.
// Where it cuts a unique, Geargate does not.
func TestSubmissionsAtTheLimits(t *testing.T) {
	onEveryMode(t, func(t *testing.T, f *farm) {
		for _, limit := range limits {
			c := f.connect(limit.name)
			c.send(limit.kind, limit.args...)
			if limit.refused != "" {
				if p := c.expect(protocol.Error); p.args[0] != limit.refused {
					t.Errorf("%s: received %v, expected the code %s", limit.name, p, limit.refused)
				}
				continue
			}
			handle := c.created()
			f.runWhole(limit.name, handle, limit.kind, limit.args)
		}
	})
}

// runWhole runs a job of a table, and checks that its worker gets all of it. Of a
// unique that gearmand cuts it gets only the function and the workload.
func (f *farm) runWhole(name, handle string, kind protocol.Type, args []string) {
	f.t.Helper()
	function, unique, workload := args[0], args[1], args[len(args)-1]
	worker := f.worker(name, function)
	grab, want := protocol.GrabJobAll, []string{handle, function, unique, workload}
	switch {
	case f.name == "gearmand" && len(unique) == 64:
		grab, want = protocol.GrabJob, []string{handle, function, workload}
	case kind == protocol.SubmitReduceJobBg:
		want = slices.Insert(want, 3, args[2])
	}
	if p := worker.grab(grab); p.body != strings.Join(want, "\x00") {
		f.t.Errorf("%s: the worker received %v, expected %q", name, p, want)
	}
	worker.send(protocol.WorkComplete, handle, "")
	worker.send(protocol.CantDo, function)
	worker.fence()
}

// With a unique of 64 bytes a job is joined, found and listed, which it is not
// with gearmand.
func TestUniqueOf64BytesIsWhole(t *testing.T) {
	onEveryMode(t, func(t *testing.T, f *farm) {
		if f.name == "gearmand" {
			return
		}
		for _, unique := range []string{sha256, long[:64]} {
			one, other := f.connect("one"), f.connect("other")
			handle := one.submit(protocol.SubmitJob, "f", unique, "x")
			if again := other.submit(protocol.SubmitJob, "f", unique, "x"); again != handle {
				t.Errorf("the second job has the handle %s, expected %s", again, handle)
			}
			other.send(protocol.GetStatusUnique, unique)
			other.want(protocol.StatusResUnique, unique, "1", "0", "0", "0", "2")
			if listed := f.table("show unique jobs"); !slices.Contains(listed, unique) {
				t.Errorf("listed are %q, expected %s", listed, unique)
			}
			f.runWhole("worker", handle, protocol.SubmitJob, []string{"f", unique, "x"})
			one.want(protocol.WorkComplete, handle, "")
			other.want(protocol.WorkComplete, handle, "")
		}
	})
}

// A background job's worker gets a SHA-256 whole, though Geargate has been started
// anew since the job was submitted.
func TestUniqueOf64BytesAfterARestart(t *testing.T) {
	gearmand := startGearmand(t, "gearmand")
	first := startServe(t, `backends: [{name: a, address: "`+gearmand.address+`"}]`)
	client := (&farm{target: target{name: "farm", geargate: true}, t: t, address: first.address}).connect("client")
	handle := client.submit(protocol.SubmitJobBg, "f", sha256, "x")
	first.crash()
	second := startServe(t, `backends: [{name: a, address: "`+gearmand.address+`"}]`)
	f := &farm{target: target{name: "farm", geargate: true}, t: t, address: second.address}
	f.runWhole("worker", handle, protocol.SubmitJobBg, []string{"f", sha256, "x"})
}

// The numbers of WORK_STATUS go to the client as they are.
func TestNumbersOfWorkStatus(t *testing.T) {
	onEveryMode(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		worker.job("f", "x")
		for _, n := range [][2]string{{"4294967295", "4294967296"}, {long[:100], "1"}, {"123456789012", "12345678901"}, {"-1", "x"}, {"", ""}} {
			worker.send(protocol.WorkStatus, handle, n[0], n[1])
			client.want(protocol.WorkStatus, handle, n[0], n[1])
		}
		worker.send(protocol.WorkComplete, handle, "")
		client.want(protocol.WorkComplete, handle, "")
	})
}

// What else has a length or a number.
func TestOtherLimits(t *testing.T) {
	onEveryMode(t, func(t *testing.T, f *farm) {
		c := f.connect("c")
		for _, length := range []int{126, 127, 128, 8000} {
			c.send(protocol.SetClientID, long[:length])
			c.fence()
			want := " " + long[:min(length, 127)] + " :"
			if lines := f.table("workers"); !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
				t.Errorf("workers does not list %d bytes of a client id of %d", len(want)-3, length)
			}
		}
		for _, timeout := range []string{"0", "1", "999999999", "-1", ""} {
			c.send(protocol.CanDoTimeout, "t", timeout)
			c.fence()
		}
		for _, length := range []int{62, 63} {
			c.send(protocol.GetStatus, long[:length])
			c.want(protocol.StatusRes, long[:length], "0", "0", "0", "0")
			c.send(protocol.GetStatusUnique, long[:length])
			c.want(protocol.StatusResUnique, long[:length], "0", "0", "0", "0", "0")
		}
		for _, number := range []string{"0", "-1", "2147483648", "4294967296", "99999999999999999999", "x"} {
			if answer := f.ask("maxqueue t " + number); answer != "OK\r\n" {
				t.Errorf("maxqueue %s: %q, expected OK", number, answer)
			}
		}
		if answer := f.ask("maxqueue t 1 2 3"); answer != "OK\r\n" {
			t.Errorf("a line of five words: %q, expected OK", answer)
		}
		if answer := f.ask(long[:8191]); !strings.HasPrefix(answer, "ERR UNKNOWN_COMMAND") {
			t.Errorf("a line of 8192 bytes: %.40q, expected an unknown command", answer)
		}
		c.writeRaw(long[:8192] + "\n")
		c.gone()
	})
}
