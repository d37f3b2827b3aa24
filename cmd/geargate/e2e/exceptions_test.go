package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// Where gearmand runs with --exceptions, every client is sent WORK_EXCEPTION with
// its text, asked or not: so it is behind Geargate, and in gearmand's place.
func TestExceptionsForEverybody(t *testing.T) {
	const flag = "--exceptions"
	starts := map[string]func(t *testing.T) *process{
		"gearmand": func(t *testing.T) *process { return startGearmand(t, "gearmand", flag) },
		"geargate gearmand": func(t *testing.T) *process {
			address := freeAddress(t)
			host, port, _ := net.SplitHostPort(address)
			return startProcess(t, "geargate", address, exec.Command(geargateBinary, "gearmand", flag, "-L", host, "-p", port, "-l", "stderr"))
		},
		"farm": func(t *testing.T) *process {
			a, b := startGearmand(t, "a", flag), startGearmand(t, "b", flag)
			return startServe(t, fmt.Sprintf("clients: {exceptions: true}\nbackends: [{name: a, address: %q}, {name: b, address: %q}]", a.address, b.address))
		},
		"pool": func(t *testing.T) *process { return startServe(t, "clients: {exceptions: true}\npool: {servers: 2}") },
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &farm{target: target{name: name, geargate: name == "farm" || name == "pool"}, t: t, address: start(t).address}
			client, worker := f.connect("client"), f.worker("worker", "f")
			handle := client.submit(protocol.SubmitJob, "f", "u", "x")
			worker.job("f", "x")
			worker.send(protocol.WorkException, handle, "it\x00broke")
			client.want(protocol.WorkException, handle, "it\x00broke")
			client.fence()
		})
	}
}

// startServe starts geargate serve with a configuration that says nothing of
// addresses to listen at.
func startServe(t *testing.T, config string) *process {
	t.Helper()
	address := freeAddress(t)
	file := filepath.Join(t.TempDir(), "c.yaml")
	config = fmt.Sprintf("listen: [{address: %q}]\nadmin: {socket: \"\"}\n%s\n", address, config)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return startProcess(t, "geargate", address, exec.Command(geargateBinary, "serve", "--config", file))
}
