package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"gopkg.in/yaml.v3"

	"github.com/geargate/geargate/protocol"
)

// scrape returns the lines of what the admin socket at path has of Geargate's
// own metrics.
func scrape(t *testing.T, path string) (text string, lines []string) {
	t.Helper()
	code, text := look(t, path, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("got %d, %q", code, text)
	}
	return text, strings.Split(text, "\n")
}

// shows waits for metrics to have the values of want, each line as in a scrape.
func shows(t *testing.T, path string, want ...string) {
	t.Helper()
	var missing string
	defer func() {
		if t.Failed() {
			text, _ := scrape(t, path)
			t.Logf("missing %q in %s", missing, text)
		}
	}()
	eventually(t, "metrics", func() bool {
		_, lines := scrape(t, path)
		for _, line := range want {
			if missing = line; !slices.Contains(lines, line) {
				return false
			}
		}
		return true
	})
}

func TestMetrics(t *testing.T) {
	p, path := serveAdmin(t)
	client := p.dial(t)
	background(t, client, "f", "")
	for range 2 {
		send(t, client, protocol.SubmitJob, []byte("f"), []byte("u"), nil)
		expect(t, client, protocol.JobCreated)
	}
	send(t, client, protocol.SubmitJob, []byte("g"), nil, nil)
	expect(t, client, protocol.JobCreated)
	shows(t, path,
		`geargate_jobs_submitted_total{function="f",mode="foreground"} 2`,
		`geargate_jobs_submitted_total{function="f",mode="background"} 1`,
		`geargate_jobs_coalesced_total{function="f"} 1`,
		`geargate_jobs_submitted_total{function="other",mode="background"} 0`,
		`geargate_foreground_jobs 2`,
		`geargate_sessions{role="worker"} 0`,
		`geargate_sessions{role="client"} 1`,
		`geargate_jobs_queued{function="f"} 2`,
		`geargate_connections 1`,
		`geargate_backend_up{backend="pool-1"} 1`,
		`geargate_backend_state{backend="pool-2",state="ejected"} 0`,
		`geargate_backend_store_up{backend="pool-1"} 1`,
	)
	work(t, p.dial(t), "f")
	shows(t, path,
		`geargate_jobs_completed_total{function="f"} 2`,
		`geargate_job_run_seconds_count{function="f"} 2`,
		`geargate_job_wait_seconds_count{function="f",mode="foreground"} 1`,
		`geargate_job_wait_seconds_count{function="f",mode="background"} 1`,
		`geargate_sessions{role="worker"} 1`,
	)
	worker := p.dial(t)
	send(t, worker, protocol.CanDo, []byte("g"))
	send(t, worker, protocol.GrabJob)
	var handle []byte
	eventually(t, "the job of g", func() bool {
		kind, args := receive(t, worker)
		if kind != protocol.JobAssign {
			send(t, worker, protocol.GrabJob)
			return false
		}
		handle = args[0]
		return true
	})
	shows(t, path, `geargate_jobs_running{function="g"} 1`, `geargate_jobs_ready{function="g"} 0`)
	send(t, worker, protocol.WorkFail, handle)
	shows(t, path, `geargate_jobs_failed_total{function="g"} 1`, `geargate_jobs_running{function="g"} 0`, `geargate_foreground_jobs 0`)
	send(t, worker, protocol.PreSleep)
	shows(t, path, `geargate_workers{function="g",state="asleep"} 1`, `geargate_workers{function="g",state="active"} 0`)
	send(t, client, protocol.SubmitJobBg, []byte("g"), nil, nil)
	expect(t, worker, protocol.Noop)
	text, _ := scrape(t, path)
	if strings.Contains(text, "geargate_noops_sent_total 0") {
		t.Error("a NOOP was not counted")
	}
	var done struct{}
	call(t, adminClient(path), "POST", "http://x/api/v1/drain?backend=pool-2", &done)
	shows(t, path, `geargate_backend_drained{backend="pool-2"} 1`, `geargate_events_total{event="backend_drained"} 1`)
}

// A backend that is lost is counted, and bytes are.
func TestMetricsOfBackends(t *testing.T) {
	server := newLateServer(t)
	path := t.TempDir() + "/admin"
	p := serve(t, nil, func(c *Config) {
		server.configure(c)
		c.Admin.Socket = path
	})
	server.linked(t, lanes)
	nc := p.dial(t)
	send(t, nc, protocol.SubmitJob, []byte("f"), nil, nil)
	server.next(t, protocol.SubmitJob).answer(protocol.JobCreated, "H:x:1")
	expect(t, nc, protocol.JobCreated)
	server.down()
	shows(t, path,
		`geargate_backend_up{backend="a"} 0`,
		`geargate_backend_ejections_total{backend="a"} 1`,
		`geargate_held_jobs 1`,
		`geargate_held_bytes 1`,
	)
	text, _ := scrape(t, path) // perhaps once more over the backend's other link
	for _, never := range []string{`geargate_backend_submissions_total{backend="a"} 0`, "geargate_jobs_resubmitted_total 0"} {
		if strings.Contains(text, never) {
			t.Errorf("got %s", never)
		}
	}
	if p.Counters().BytesRead.Load() == 0 || p.Counters().BytesWritten.Load() == 0 {
		t.Error("no bytes were counted")
	}
	eventually(t, "one connection", func() bool { return p.Counters().Accepted.Load() == 1 })
}

// A reload is counted by what has come of it.
func TestMetricsOfReloads(t *testing.T) {
	p, path := serveAdmin(t)
	shows(t, path, `geargate_reloads_total{result="success"} 0`, `geargate_reloads_total{result="failure"} 0`)
	began := p.reloads.lastDone.Load()
	p.reloads.count(time.Unix(began+10, 0), errors.New("a mistake"))
	shows(t, path,
		`geargate_reloads_total{result="failure"} 1`,
		fmt.Sprint(`geargate_reload_last_timestamp_seconds `, float64(began+10)),
		fmt.Sprint(`geargate_reload_last_success_timestamp_seconds `, float64(began)),
	)
	if _, err := p.Reload(); err == nil {
		t.Fatal("there is nothing that could be read again")
	}
	shows(t, path, `geargate_reloads_total{result="failure"} 2`)
	p.reloads.count(time.Unix(began+20, 0), nil)
	shows(t, path,
		`geargate_reloads_total{result="success"} 1`,
		fmt.Sprint(`geargate_reload_last_success_timestamp_seconds `, float64(began+20)),
	)
}

// A turned away connection is counted by why.
func TestMetricsOfRefusals(t *testing.T) {
	path := t.TempDir() + "/admin"
	p := serve(t, newFakeRouter(), func(c *Config) {
		c.Limits.ConnectionsPerAddress = 1
		c.Admin.Socket = path
	})
	ask(t, p.dial(t), "first")
	second, err := net.Dial("tcp", p.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	ends(t, second)
	shows(t, path, `geargate_connections_refused_total{reason="too_many_of_address"} 1`, `geargate_connections 1`)
}

func TestMetricsAreClean(t *testing.T) {
	p, path := serveAdmin(t)
	background(t, p.dial(t), "a \"name\"\\", "")
	problems, err := testutil.CollectAndLint(&collector{p.Proxy})
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	text, _ := scrape(t, path)
	found, err := promlint.New(strings.NewReader(text)).Lint()
	for _, problem := range found {
		if strings.HasPrefix(problem.Metric, "geargate_") {
			t.Errorf("%v", problem)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

var metricName = regexp.MustCompile(`geargate_[a-z_]+`)

// metricNames returns the names of all metrics, and what they are called in
// queries.
func metricNames() (names []string, queried map[string]bool) {
	queried = map[string]bool{}
	for _, d := range everyMetric {
		name := metricName.FindString(d.String())
		names = append(names, name)
		queried[name] = true
		if strings.HasSuffix(name, "_seconds") {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				queried[name+part] = true
			}
		}
	}
	return names, queried
}

func readDoc(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Operations lists every metric, and no other.
func TestMetricsAreListed(t *testing.T) {
	names, queried := metricNames()
	text := string(readDoc(t, "operations.md"))
	for _, name := range names {
		if !strings.Contains(text, "| `"+name) {
			t.Errorf("%s is not in docs/operations.md", name)
		}
	}
	for _, name := range metricName.FindAllString(text, -1) {
		if !queried[name] {
			t.Errorf("docs/operations.md has %s, which there is not", name)
		}
	}
}

// queries checks that queries name only metrics that there are.
func queries(t *testing.T, where string, all []string) {
	t.Helper()
	_, queried := metricNames()
	if len(all) == 0 {
		t.Errorf("%s: no queries", where)
	}
	for _, query := range all {
		found := metricName.FindAllString(query, -1)
		if len(found) == 0 {
			t.Errorf("%s: %q has no metric", where, query)
		}
		for _, name := range found {
			if !queried[name] {
				t.Errorf("%s: %q has %s, which there is not", where, query, name)
			}
		}
	}
}

func TestDashboard(t *testing.T) {
	var board struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(readDoc(t, "grafana.json"), &board); err != nil {
		t.Fatal(err)
	}
	var all []string
	seen := map[int]bool{}
	for _, panel := range board.Panels {
		if seen[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d %q: expected a number of its own, a title and a query", panel.ID, panel.Title)
		}
		seen[panel.ID] = true
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	queries(t, "grafana.json", all)
}

func TestAlerts(t *testing.T) {
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(readDoc(t, "alerts.yaml"), &rules); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
				t.Errorf("%+v: expected a name, a severity and a summary", rule)
			}
			all = append(all, rule.Expr)
		}
	}
	queries(t, "alerts.yaml", all)
}
