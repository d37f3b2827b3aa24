package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// What gearmand knows of its queue is in the metrics, and Prometheus' own tool
// has nothing to say against any of them.
func TestMetrics(t *testing.T) {
	backend, address, admin := startGearmand(t, "jobs-1"), freeAddress(t), freeAddress(t)
	config := filepath.Join(t.TempDir(), "geargate.yaml")
	text := fmt.Sprintf("listen: [{address: %q}]\nadmin: {listen: %q}\nbackends: [{name: jobs-1, address: %q}]\n", address, admin, backend.address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	front := startProcess(t, "geargate", address, exec.Command(geargateBinary, "serve", "--config", config))
	f := &farm{t: t, address: address, front: front}
	client := f.connect("client")
	for range 3 {
		client.send(protocol.SubmitJobBg, "f", "", "x")
		client.expect(protocol.JobCreated)
	}
	shows(t, admin, `geargate_backend_jobs_queued{backend="jobs-1"} 3`, `geargate_jobs_queued{function="f"} 3`)
	worker := f.connect("worker")
	worker.send(protocol.CanDo, "f")
	worker.send(protocol.GrabJob)
	handle := worker.expect(protocol.JobAssign).args[0]
	shows(t, admin, `geargate_backend_jobs_running{backend="jobs-1"} 1`, `geargate_jobs_queued{function="f"} 2`)
	worker.send(protocol.WorkComplete, handle, "")
	metrics := shows(t, admin,
		`geargate_backend_jobs_completed_total{backend="jobs-1"} 1`,
		`geargate_job_wait_seconds_count{function="f",mode="background"} 1`,
	)
	promtool(t, metrics, "check", "metrics")
}

// shows waits until the metrics have lines, and returns them all.
func shows(t *testing.T, admin string, lines ...string) (all string) {
	t.Helper()
	for _, line := range lines {
		eventually(t, "the metrics have "+line, func() bool {
			answer, err := http.Get("http://" + admin + "/metrics")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			all = string(text)
			return strings.Contains(all, "\n"+line+"\n")
		})
	}
	return all
}

func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "promtool", args...)
	command.Stdin = strings.NewReader(input)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// The alerts are rules that Prometheus reads, and fire when they should.
func TestAlerts(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{"alerts.yaml": "../../../docs/alerts.yaml", "alerts_test.yaml": "testdata/alerts_test.yaml"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	promtool(t, "", "check", "rules", filepath.Join(dir, "alerts.yaml"))
	promtool(t, "", "test", "rules", filepath.Join(dir, "alerts_test.yaml"))
}
