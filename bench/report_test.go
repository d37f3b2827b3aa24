package bench

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the files that reports are compared with; read the difference before committing it")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}

// testdata/report.json has two rounds of three setups, one of them with a
// server behind a front, and targets met, missed and not measured.
func TestReportsAreLaidOut(t *testing.T) {
	report, err := ReadReports([]string{"testdata/report.json"})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, c := range report.Comparisons {
		c.Text(&text)
	}
	golden(t, "report.txt", text.Bytes())

	file := filepath.Join(t.TempDir(), "report.md")
	if err := report.Markdown(file); err != nil {
		t.Fatal(err)
	}
	markdown, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.md", markdown)
	for _, p := range append(report.Comparisons[0].plots(), report.Comparisons[1].plots()...) {
		checkXML(t, p.svg())
	}
}

func checkXML(t *testing.T, svg string) {
	t.Helper()
	if !strings.Contains(svg, "<path d=\"M") {
		t.Errorf("no line is drawn in %s", svg)
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	run := func(setup string, round int, throughput float64) *Run {
		r := &Run{Setup: setup, Round: round}
		r.JobsPerSecond = throughput
		return r
	}
	runs := []*Run{
		run("a", 0, 100), run("b", 0, 200),
		run("a", 1, 10), run("b", 1, 30),
		run("a", 2, 50), run("b", 2, 50),
		run("b", 3, 1000),
	}
	target := Target{Metric: "throughput", Of: "b", ToSetup: "a"}
	if got, want := target.measured(runs), (Spread{Median: 2, Min: 1, Max: 3, Rounds: 3}); got != want {
		t.Errorf("got %+v, expected %+v", got, want)
	}
	two := 2.0
	if target.AtLeast = &two; !target.met(Spread{Median: 2}) || target.met(Spread{Median: 1.99}) {
		t.Error("at least 2 is met by 2 and missed by 1.99")
	}
	target.AtLeast, target.AtMost = nil, &two
	if !target.met(Spread{Median: 2}) || target.met(Spread{Median: 2.01}) {
		t.Error("at most 2 is met by 2 and missed by 2.01")
	}
}
