package e2e

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// hostPort returns the front's host and port, as most tools want them.
func (f *farm) hostPort() (host, port string) {
	host, port, _ = net.SplitHostPort(f.address)
	return host, port
}

// tool runs a program to its end and returns what it wrote to its standard
// output. It must succeed.
func tool(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	command.Stdin, command.Stderr = strings.NewReader(stdin), &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, stderr.String())
	}
	return string(out)
}

// background starts a program that runs until the case ends; what it wrote is
// printed if the case fails.
func background(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	var output bytes.Buffer
	command := exec.Command(name, args...)
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.WaitDelay = time.Second // a child of it may hold its output open
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
		if t.Failed() {
			t.Logf("%s %q wrote:\n%s", name, args, output.String())
		}
	})
	return command
}

// gearman returns the arguments that point the gearman command to the front.
func (f *farm) gearman(args ...string) []string {
	host, port := f.hostPort()
	return append([]string{"-h", host, "-p", port}, args...)
}

// The gearman command as worker and as client: text in, the shell command's
// output out.
func TestGearmanCommand(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		background(t, "gearman", f.gearman("-w", "-f", "upper", "--", "tr", "a-z", "A-Z")...)
		f.untilCounts("upper", counts{0, 0, 1})
		for _, options := range [][]string{nil, {"-I"}, {"-L"}, {"-u", "my-unique"}} {
			got := tool(t, "hello\nworld\n", "gearman", f.gearman(append(options, "-f", "upper")...)...)
			if got != "HELLO\nWORLD\n" {
				t.Errorf("gearman %q printed %q", options, got)
			}
		}
		if got := tool(t, "", "gearman", f.gearman("-f", "upper", "one", "two")...); got != "ONETWO" {
			t.Errorf("gearman with two workloads printed %q", got)
		}
		if got := tool(t, "a\nb\nc\n", "gearman", f.gearman("-n", "-P", "-f", "upper")...); got != "upper: A\nupper: B\nupper: C\n" {
			t.Errorf("gearman with a job for each line printed %q", got)
		}
		f.untilCounts("upper", counts{0, 0, 1})
	})
}

// Background jobs of the gearman command are run once a worker comes.
func TestGearmanCommandInBackground(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		dir := t.TempDir()
		for _, name := range []string{"one", "two", "three"} {
			tool(t, "", "gearman", f.gearman("-b", "-f", "touch", dir+"/"+name)...)
		}
		f.untilCounts("touch", counts{total: 3})
		background(t, "gearman", f.gearman("-w", "-f", "touch", "--", "xargs", "touch")...)
		f.untilCounts("touch", counts{0, 0, 1})
		if got := tool(t, "", "ls", dir); got != "one\nthree\ntwo\n" {
			t.Errorf("the jobs touched %q", got)
		}
	})
}

// Two gearman commands with one unique share one job and its result.
func TestGearmanCommandsCoalesce(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		results := make(chan string, 2)
		for range 2 {
			go func() {
				command := exec.CommandContext(t.Context(), "gearman", f.gearman("-u", "same", "-f", "count", "x")...)
				out, err := command.Output()
				if err != nil {
					out = []byte(err.Error())
				}
				results <- string(out)
			}()
		}
		asker := f.connect("asker")
		eventually(t, "both clients wait for the one job", func() bool {
			asker.send(protocol.GetStatusUnique, "same")
			return asker.expect(protocol.StatusResUnique).args[5] == "2"
		})
		background(t, "gearman", f.gearman("-w", "-f", "count", "--", "sh", "-c", "cat; date +%s.%N")...)
		first, second := <-results, <-results
		if first != second || !strings.HasPrefix(first, "x") {
			t.Errorf("the two clients printed %q and %q, expected the same result", first, second)
		}
	})
}
