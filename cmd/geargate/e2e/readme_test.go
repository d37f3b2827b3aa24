package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const (
	repository = "../../.."

	workerLine = "gearman -w -f reverse -- rev &"
	jobLine    = "echo Hello | gearman -f reverse"
)

// A reader does what the README says, from top to bottom, with ports and
// paths that are free in place of those that are written there.
type reader struct {
	t    *testing.T
	dir  string            // where farm.yaml is written
	path string            // PATH, with geargate in it
	now  string            // the address that clients and workers use
	said map[string]string // what is written, and what is used instead
	stop func()            // ends the front door that runs, if one does
}

// readmeSteps are the lines of code in the README, and what comes of them.
var readmeSteps = []struct {
	line string
	do   func(r *reader, command string)
}{
	{"make run", (*reader).makeRun},
	{workerLine, (*reader).start},
	{jobLine, expectOutput(`^olleH\n$`)},
	{"make test", func(*reader, string) {}}, // which this is a part of
	{"farm.yaml", (*reader).writeFarm},
	{"geargate check --config farm.yaml                  # ok, or what is wrong and on which line", expectOutput(`^ok\n$`)},
	{"geargate route --config farm.yaml resize image-17  # where a job of this unique would go", expectOutput(`^1 jobs-\d .*\n2 jobs-\d .*\n3 jobs-\d .*\n$`)},
	{"geargate serve --config farm.yaml", (*reader).serve},
	{"geargate reload          # put the changed file in force", expectOutput(`^configuration \d+ is in force\n`)},
	{"geargate status          # what is where, and what can be switched off", expectOutput(`\njobs-1 .*\njobs-2 .*\njobs-3 `)},
	{"geargate drain jobs-2    # ends when it is empty", expectOutput(`^jobs-2 gets no new jobs\n(?s:.*)jobs-2 is empty\n$`)},
	{"geargate --listen :4730 --backend jobs-1=10.0.0.1:4730 --backend jobs-2=10.0.0.2:4730", (*reader).serve},
	{"geargate gearmand --help", expectOutput(`^Allowed options:\n`)},
	{"geargate gearmand -d -p 4730 -l /var/log/gearmand.log -P /run/gearmand.pid", (*reader).daemon},
}

func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := codeLines(string(text))
	r := &reader{t: t, dir: t.TempDir(), said: map[string]string{}}
	r.path = r.dir + ":" + os.Getenv("PATH")
	if err := os.Symlink(geargateBinary, filepath.Join(r.dir, "geargate")); err != nil {
		t.Fatal(err)
	}
	for i, step := range readmeSteps {
		if i >= len(lines) || lines[i] != step.line {
			t.Fatalf("the README goes on with %q, and this test with %q: they must say the same", lines[min(i, len(lines)):], step.line)
		}
		t.Log(step.line)
		step.do(r, r.replaced(step.line))
	}
	if len(lines) != len(readmeSteps) {
		t.Errorf("the README has %q beyond what is tested", lines[len(readmeSteps):])
	}
}

// codeLines returns the indented lines, and "farm.yaml" for the file.
func codeLines(text string) (lines []string) {
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case strings.HasPrefix(line, "```"):
			if fenced = !fenced; fenced {
				lines = append(lines, "farm.yaml")
			}
		case indented && !fenced:
			lines = append(lines, code)
		}
	}
	return lines
}

// replaced returns text with what is free here.
func (r *reader) replaced(text string) string {
	for written, used := range r.said {
		text = strings.ReplaceAll(text, written, used)
	}
	_, port, _ := net.SplitHostPort(r.now)
	text = strings.ReplaceAll(text, "gearman -", "gearman -p "+port+" -")
	text = strings.ReplaceAll(text, ":4730", ":"+port)
	return strings.ReplaceAll(text, "-p 4730", "-p "+port)
}

// shell prepares a command in the reader's folder. What it starts ends with
// the test at the latest.
func (r *reader) shell(command string) *exec.Cmd {
	shell := exec.Command("sh", "-c", command)
	shell.Dir = r.dir
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return shell
}

// start runs a command in the background.
func (r *reader) start(command string) { r.started("exec " + strings.TrimSuffix(command, " &")) }

func (r *reader) started(command string, env ...string) (stop func(), output *strings.Builder) {
	shell := r.shell(command)
	output = &strings.Builder{}
	shell.Env = append(r.env(), env...)
	shell.Stdout = output
	if err := shell.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			syscall.Kill(-shell.Process.Pid, syscall.SIGTERM)
			shell.Wait()
		}
	}
	r.t.Cleanup(stop)
	return stop, output
}

// env has an admin socket for each address, as the default port has.
func (r *reader) env() []string {
	_, port, _ := net.SplitHostPort(r.now)
	return append(os.Environ(), "PATH="+r.path, "GEARGATE_ADMIN="+filepath.Join(r.dir, port+".sock"))
}

func expectOutput(expression string) func(*reader, string) {
	return func(r *reader, command string) {
		r.t.Helper()
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		defer cancel()
		shell := exec.CommandContext(ctx, "sh", "-c", command)
		shell.Dir, shell.Env = r.dir, r.env()
		out, err := shell.CombinedOutput()
		if err != nil || !regexp.MustCompile(expression).Match(out) {
			r.t.Fatalf("%s: got %q, %v, expected %s", command, out, err, expression)
		}
	}
}

// makeRun builds and starts the program as make does, and reads what it says
// to do next.
func (r *reader) makeRun(string) {
	root, err := filepath.Abs(repository)
	if err != nil {
		r.t.Fatal(err)
	}
	r.now = freeAddress(r.t)
	stop, output := r.started("exec make -C "+root+" run", "GEARGATE_LISTEN="+r.now)
	r.waitFor()
	r.t.Cleanup(func() {
		stop()
		for _, line := range []string{workerLine, jobLine} {
			if !strings.Contains(output.String(), "\n    "+line+"\n") {
				r.t.Errorf("make run does not say %q but\n%s", line, output)
			}
		}
	})
}

func (r *reader) waitFor() {
	r.t.Helper()
	eventually(r.t, "an answer at "+r.now, (&process{address: r.now}).answers)
}

// writeFarm writes the README's file, with three real gearmand.
func (r *reader) writeFarm(string) {
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		r.t.Fatal(err)
	}
	_, yaml, _ := strings.Cut(string(text), "```yaml\n")
	yaml, _, _ = strings.Cut(yaml, "```")
	for n := 1; n <= 3; n++ {
		address := freeAddress(r.t)
		host, port, _ := net.SplitHostPort(address)
		startProcess(r.t, "gearmand-"+strconv.Itoa(n), address,
			exec.Command("gearmand", "--listen", host, "--port", port, "--log-file", "stderr"))
		r.said["10.0.0."+strconv.Itoa(n)+":4730"] = address
	}
	r.now = freeAddress(r.t)
	if err := os.WriteFile(filepath.Join(r.dir, "farm.yaml"), []byte(r.replaced(yaml)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// serve starts a front door in place of the one before, and has a job done
// through it.
func (r *reader) serve(command string) {
	if r.stop != nil {
		r.stop()
	}
	r.stop, _ = r.started("exec " + command)
	r.waitFor()
	r.start(r.replaced(workerLine))
	expectOutput(`^olleH\n$`)(r, r.replaced(jobLine))
}

// daemon starts a job server in gearmand's place and ends it by its file.
func (r *reader) daemon(command string) {
	pidFile := filepath.Join(r.dir, "pid")
	command = strings.NewReplacer("/var/log/gearmand.log", r.dir+"/log", "/run/gearmand.pid", pidFile).Replace(command)
	r.stop()
	expectOutput(`^$`)(r, command)
	r.waitFor()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		r.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		r.t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGTERM)
	eventually(r.t, "the daemon has ended", func() bool { _, err := os.Stat(pidFile); return os.IsNotExist(err) })
}
