package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

const (
	movedFunction = "move"
	movedClients  = 6 // beside Debian's gearman command
	movedWorkers  = 6
	movedJobs     = 400 // foreground ones between two changes, at least
)

// A loaded function moves from two gearmand to two others and back, and no
// client and no worker notices: every foreground job is answered with its own
// result and every background job is run, each once. In between the first farm
// is empty, is said to be, and has no connection.
func TestRedirect(t *testing.T) {
	old1, old2, new1, new2 := startGearmand(t, "old-1"), startGearmand(t, "old-2"), startGearmand(t, "new-1"), startGearmand(t, "new-2")
	dir := t.TempDir()
	front := freeAddress(t)
	g := &redirected{t: t, file: filepath.Join(dir, "c.yaml"), socket: filepath.Join(dir, "admin"), front: front}
	g.write("", old1, old2)
	startProcess(t, "geargate", front, exec.Command(geargateBinary, "--config", g.file, "--listen", front, "--admin", g.socket))
	f := &farm{target: target{geargate: true}, t: t, address: front}

	log := filepath.Join(dir, "ran") // what Debian's workers ran
	for range 2 {
		background(t, "gearman", f.gearman("-w", "-f", movedFunction, "--", "tee", "-a", log)...)
	}
	m := newMove(front)
	stuck := f.connect("client").submit(protocol.SubmitJobBg, "stuck", "", "x")
	ended := m.start(t, f)

	m.await(t, movedJobs)
	g.write(`pools: [{name: new, backends: [new-1, new-2]}]`+"\n"+`routes: [{function: "*", pool: new}]`+"\n", old1, old2, new1, new2)
	m.toFarm("") // either
	g.reload()
	m.toFarm("new")
	asker := f.connect("asker")
	asker.send(protocol.GetStatus, stuck)
	asker.want(protocol.StatusRes, stuck, "1", "0", "0", "0")
	m.await(t, movedJobs)
	if remarks := g.remarks("old-1") + g.remarks("old-2"); !strings.Contains(remarks, "no route leads here; its jobs are worked off") {
		t.Errorf("status remarks %q of the first farm, which has a job that nobody does", remarks)
	}
	worker := f.worker("worker", "stuck")
	worker.send(protocol.WorkComplete, worker.job("stuck", "x"), "")
	for _, name := range []string{"old-1", "old-2"} {
		eventually(t, name+" is empty", func() bool { return g.remarks(name) == "no route leads here; empty: can be switched off" })
	}
	g.write("", new1, new2)
	g.reload()
	for _, p := range []*process{old1, old2} {
		eventually(t, p.name+" has no connection", func() bool { return len(askTable(t, p.address, "workers")) == 1 }) // one asks
	}
	m.await(t, movedJobs)

	g.write("", old1, old2)
	m.toFarm("")
	g.reload()
	m.toFarm("old")
	m.await(t, movedJobs)
	eventually(t, "the second farm is gone", func() bool { return g.names() == "old-1 old-2" })
	m.await(t, movedJobs)
	m.stop.Store(true)
	ended.Wait()
	m.check(t, f, log)
}

// redirected is the Geargate under test and its configuration.
type redirected struct {
	t                   *testing.T
	file, socket, front string
}

// write writes a configuration with these backends.
func (g *redirected) write(more string, backends ...*process) {
	g.t.Helper()
	text := "backends:\n"
	for _, b := range backends {
		text += fmt.Sprintf("  - {name: %s, address: %q}\n", b.name, b.address)
	}
	if err := os.WriteFile(g.file, []byte(text+more), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *redirected) reload() {
	g.t.Helper()
	g.t.Logf("reload: %s", tool(g.t, "", geargateBinary, "reload", "--admin", g.socket))
}

// remarks returns the last column of a backend's line of `geargate status`.
func (g *redirected) remarks(name string) string {
	g.t.Helper()
	for line := range strings.Lines(tool(g.t, "", geargateBinary, "status", "--admin", g.socket)) {
		if fields := strings.Fields(line); len(fields) > 7 && fields[0] == name {
			return strings.Join(fields[7:], " ")
		}
	}
	return ""
}

func (g *redirected) names() string {
	g.t.Helper()
	var s struct{ Backends []struct{ Name string } }
	if err := json.Unmarshal([]byte(tool(g.t, "", geargateBinary, "status", "--json", "--admin", g.socket)), &s); err != nil {
		g.t.Fatal(err)
	}
	var names []string
	for _, b := range s.Backends {
		names = append(names, b.Name)
	}
	return strings.Join(names, " ")
}
