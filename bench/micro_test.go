package bench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const microOutput = `goos: linux
pkg: example.com/router
BenchmarkForegroundJob/idle=0-2    6736    3000 ns/op     0 B/op    0 allocs/op
BenchmarkForegroundJob/idle=0-2    6736    2000 ns/op     0 B/op    0 allocs/op
BenchmarkPick/backends=16-2       19458    1331 ns/op    10 MB/s    8 B/op    7 allocs/op
PASS
pkg: example.com/jobserver
BenchmarkSteadyAtDepth/1000-2      9458    742.5 ns/op    4 B/op    1 allocs/op
ok  	example.com/jobserver	2.1s
`

func TestMicroBenchmarksAreRead(t *testing.T) {
	all, err := ReadMicro(strings.NewReader(microOutput))
	if err != nil {
		t.Fatal(err)
	}
	table := microTable(all)
	want := [][]string{
		{"router", "ForegroundJob/idle=0", "2500 (2000..3000)", "0", "0"},
		{"router", "Pick/backends=16", "1331", "8.00", "7.00"},
		{"jobserver", "SteadyAtDepth/1000", "742", "4.00", "1.00"},
	}
	if !slices.EqualFunc(table.Rows, want, slices.Equal) {
		t.Errorf("got %q\nexpected %q", table.Rows, want)
	}
	most := mostAllocations(all)
	if most.Median != 1 || microTarget.met(most) || !microTarget.met(mostAllocations(all[:2])) {
		t.Errorf("the most is %+v: expected that of the steady benchmark, which misses the target", most)
	}
	if _, err := ReadMicro(strings.NewReader("BenchmarkA-2 10 many ns/op")); err == nil {
		t.Error("expected an error for a value that is no number")
	}
}

// What somebody has written above the bench's line stays.
func TestPrefaceIsKept(t *testing.T) {
	report, err := ReadReports([]string{"testdata/report.json"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "page.md")
	write := func(text string) error {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return report.Markdown(file)
	}
	if err := write("# Mine\n\nWhy.\n\n" + generated + "\nold figures\n"); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	if !strings.HasPrefix(text, "# Mine\n\nWhy.\n\n"+generated+"\n") || strings.Contains(text, "old figures") || !strings.Contains(text, "## first") {
		t.Errorf("the page begins with %.200q", text)
	}
	if err := write("# A page of somebody else\n"); err == nil {
		t.Error("a page without the line was written over")
	}
}
