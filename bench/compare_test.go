package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/protocol"
)

// gearmandOnly opens real job servers, and fails for Geargate.
func gearmandOnly(ctx context.Context, text string) (*farm.Farm, error) {
	setup, err := farm.ParseSetup(text)
	if err != nil {
		return nil, err
	}
	return farm.Start(ctx, setup, farm.Programs{Geargate: "/nowhere/geargate"})
}

// small is a scenario of few jobs, however long a busy machine takes for them. No
// machine does 2 % of 100 million in a second.
func small(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := parseScenario("small", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Load.Clients, s.Load.Workers = 4, 2
	s.Load.Jobs = 50
	return s
}

func TestSetupsTakeTurns(t *testing.T) {
	s := small(t, "{rounds: 2, setups: [gearmand, builtin, gearmand-t1]}")
	c, err := compare(t.Context(), s, gearmandOnly, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, run := range c.Runs {
		order = append(order, run.Setup)
		if run.Bad() > 0 || run.Jobs != 50 {
			t.Errorf("%s: %d jobs, %d bad: %s", run.Setup, run.Jobs, run.Bad(), run.Problem)
		}
		server := run.Servers[0]
		if server.Name != "gearmand" || server.CPUPerJob <= 0 || server.RSS < 1<<20 {
			t.Errorf("%s uses %+v", run.Setup, server)
		}
	}
	if want := []string{"gearmand", "gearmand-t1", "gearmand", "gearmand-t1"}; !slices.Equal(order, want) {
		t.Errorf("measured %v, expected %v", order, want)
	}
	if len(c.LeftOut) != 1 || c.LeftOut[0].Setup != "builtin" || !strings.Contains(c.LeftOut[0].Reason, "not installed") {
		t.Errorf("left out: %+v, expected the built-in pool, told once", c.LeftOut)
	}
}

func TestASetupThatBreaksIsLeftOutOfLaterSteps(t *testing.T) {
	s := small(t, `
rounds: 1
setups: [gearmand]
load: {outstanding: 10}
steps: {key: rate, values: [100, 100000000, 100], break: {rate_below: 0.02}}`)
	c, err := compare(t.Context(), s, gearmandOnly, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Runs) != 2 || len(c.LeftOut) != 1 || c.LeftOut[0].Step != "100000000" {
		t.Errorf("%d runs, left out %+v; expected two runs, then no more", len(c.Runs), c.LeftOut)
	}
}

// Rounds go through all steps, and what broke at a step is measured again
// before it only.
func TestRoundsTakeTheStepsInTurn(t *testing.T) {
	s := small(t, `
rounds: 2
setups: [gearmand]
steps: {key: rate, values: [100, 100000000, 200000000], break: {rate_below: 0.02}}`)
	c, err := compare(t.Context(), s, gearmandOnly, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, run := range c.Runs {
		order = append(order, fmt.Sprint(run.Round, " ", run.Step))
	}
	if want := []string{"0 100", "0 100000000", "1 100"}; !slices.Equal(order, want) {
		t.Errorf("measured %q, expected %q", order, want)
	}
}

func TestBreaksSayWhy(t *testing.T) {
	b := Break{P99Above: 100 * time.Millisecond, RateBelow: 0.9}
	good := load.Result{JobsPerSecond: 95}
	tests := []struct {
		change func(*load.Result)
		want   string
	}{
		{func(*load.Result) {}, ""},
		{func(r *load.Result) { r.Latency.P99 = 100_001 }, "p99"},
		{func(r *load.Result) { r.JobsPerSecond = 89 }, "89 jobs/s"},
		{func(r *load.Result) { r.Lost, r.Problem = 1, "one lost" }, "one lost"},
	}
	for _, test := range tests {
		r := &Run{Result: good}
		test.change(&r.Result)
		if got := b.broken(r, 100); !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
			t.Errorf("got %q, expected %q", got, test.want)
		}
	}
}

// echoServer gives every job back as it came, which no worker would.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return listener.Addr().String()
}

func answer(conn net.Conn) {
	defer conn.Close()
	var pending, out []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		pending = append(pending, buffer[:n]...)
		out = out[:0]
		for {
			frame, err := protocol.Split(pending, 1<<20)
			if err != nil || frame == nil {
				break
			}
			var p protocol.Packet
			if p.Parse(frame) != nil {
				return
			}
			switch p.Type {
			case protocol.EchoReq:
				out = protocol.AppendFrame(out, protocol.Response, protocol.EchoRes, p.Body())
			case protocol.SubmitJob:
				out = protocol.AppendFrame(out, protocol.Response, protocol.JobCreated, []byte("H:a:1"))
				out = protocol.AppendFrame(out, protocol.Response, protocol.WorkComplete, []byte("H:a:1"), p.Arg(2))
			}
			pending = pending[len(frame):]
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func TestMainTellsOfWrongResults(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := Main([]string{"run", "--address", echoServer(t), "--clients", "2", "--workers", "0", "--jobs", "10"}, &stdout, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), errBad.Error()) {
		t.Errorf("code %d, stderr %q; expected a failure that says that jobs went wrong", code, stderr.String())
	}
	if !strings.Contains(stderr.String(), "a result was altered") {
		t.Errorf("stderr %q does not say what went wrong", stderr.String())
	}
}

func TestMainTellsThatNobodyListens(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := Main([]string{"run", "--address", "unix:/nowhere", "--jobs", "10"}, &stdout, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), errNothing.Error()) {
		t.Errorf("code %d, stderr %q; expected a failure that says that nothing was measured", code, stderr.String())
	}
}

func TestMainRunsAndReports(t *testing.T) {
	f, err := gearmandOnly(t.Context(), "gearmand")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Stop()
	directory := t.TempDir()
	result, page, text := filepath.Join(directory, "r.json"), filepath.Join(directory, "r.html"), filepath.Join(directory, "r.md")
	var stdout, stderr bytes.Buffer
	args := []string{"run", "--address", f.Address, "--clients", "2", "--workers", "2", "--jobs", "50", "--json", result}
	if code := Main(args, &stdout, &stderr); code != exitOK {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "What clients see") {
		t.Errorf("stdout is %q", stdout.String())
	}
	if code := Main([]string{"report", "--markdown", text, "--html", page, result}, &stdout, &stderr); code != exitOK {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	for file, want := range map[string]string{page: "<svg", text: "r/run-1.svg", filepath.Join(directory, "r", "run-1.svg"): "<svg"} {
		data, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v, expected %q in it", file, err, want)
		}
	}
}

func TestMainRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{}, {"fly"}, {"compare"}, {"report"}, {"run", "--colour", "red"}, {"run", "--payload", "big"}} {
		var stdout, stderr bytes.Buffer
		if code := Main(args, &stdout, &stderr); code != exitUsage || stderr.Len() == 0 {
			t.Errorf("%v: code %d, stderr %q, expected %d and why", args, code, stderr.String(), exitUsage)
		}
	}
}

func TestAComparisonEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := small(t, "{setups: [gearmand]}")
	if _, err := compare(ctx, s, gearmandOnly, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected that it was cancelled", err)
	}
}
