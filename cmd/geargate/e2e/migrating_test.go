package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// What docs/migrating.md writes down is taken by the programs it is for.
func TestMigratingFilesAndFlags(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/migrating.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("(?s)\n```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	lines := regexp.MustCompile(`\n +gearmand (-.*)`).FindAllStringSubmatch(string(text), -1)
	if len(files) != 3 || len(lines) != 1 {
		t.Errorf("found %d files and %d command lines of gearmand", len(files), len(lines))
	}
	for _, file := range files {
		path := filepath.Join(t.TempDir(), "front.yaml")
		if err := os.WriteFile(path, []byte(file[1]), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(geargateBinary, "check", "--config", path).CombinedOutput(); err != nil {
			t.Errorf("%v: %s in\n%s", err, out, file[1])
		}
	}
	for _, line := range lines {
		args := append(strings.Fields(line[1]), "--check-args")
		if out, err := exec.Command("gearmand", args...).CombinedOutput(); err != nil {
			t.Errorf("gearmand %q: %v, %s", args, err, out)
		}
		if out, err := exec.Command(geargateBinary, append([]string{"gearmand"}, args...)...).CombinedOutput(); err != nil {
			t.Errorf("geargate gearmand %q: %v, %s", args, err, out)
		}
	}
}

// Workers first, clients after: a worker that has moved to the front door
// does the jobs that clients still submit to each job server, and a handle
// from there is understood at the front door.
func TestMigratingWorkersFirst(t *testing.T) {
	f := startFarm(t, target{name: "farm", gearmands: 3, geargate: true})
	direct := connect(t, f.gearmands[2].address, "client of one job server")
	direct.send(protocol.SubmitJobBg, "moved", "", "before")
	handle := direct.expect(protocol.JobCreated).args[0]
	client := f.connect("client of geargate")
	client.send(protocol.GetStatus, handle)
	client.want(protocol.StatusRes, handle, "1", "0", "0", "0")

	_, front, _ := net.SplitHostPort(f.address)
	background(t, "gearman", "-h", "127.0.0.1", "-p", front, "-w", "-f", "moved", "--", "rev")
	for _, server := range f.gearmands {
		host, port, _ := net.SplitHostPort(server.address)
		if got := tool(t, "", "gearman", "-h", host, "-p", port, "-f", "moved", "Hello"); strings.TrimSpace(got) != "olleH" {
			t.Errorf("got %q from a job at %s", got, server.name)
		}
	}
}
