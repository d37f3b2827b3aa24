package bench

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Micro is one of Go's benchmarks, run several times.
type Micro struct {
	Package     string    `json:"package"`
	Name        string    `json:"name"`
	Nanoseconds []float64 `json:"nanoseconds"` // per operation
	Bytes       []float64 `json:"bytes"`       // allocated per operation
	Allocations []float64 `json:"allocations"` // per operation
}

// ReadMicro reads what go test -bench -benchmem prints.
func ReadMicro(from io.Reader) (all []Micro, err error) {
	lines := bufio.NewScanner(from)
	pkg := ""
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 2 && words[0] == "pkg:" {
			pkg = words[1]
		}
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(words[0], "Benchmark"), "")
		i := slices.IndexFunc(all, func(m Micro) bool { return m.Package == pkg && m.Name == name })
		if i < 0 {
			i = len(all)
			all = append(all, Micro{Package: pkg, Name: name})
		}
		if err := all[i].add(words[2:]); err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
	}
	return all, lines.Err()
}

// processors is what Go puts behind a benchmark's name.
var processors = regexp.MustCompile(`-\d+$`)

// add takes in one run: values, each before its unit.
func (m *Micro) add(values []string) error {
	for i := 0; i+1 < len(values); i += 2 {
		value, err := strconv.ParseFloat(values[i], 64)
		if err != nil {
			return err
		}
		switch values[i+1] {
		case "ns/op":
			m.Nanoseconds = append(m.Nanoseconds, value)
		case "B/op":
			m.Bytes = append(m.Bytes, value)
		case "allocs/op":
			m.Allocations = append(m.Allocations, value)
		}
	}
	return nil
}

func microTable(all []Micro) table {
	t := table{Title: "Go's benchmarks", Header: []string{"package", "benchmark", "ns", "bytes allocated", "allocations"}}
	for _, m := range all {
		t.Rows = append(t.Rows, []string{
			m.Package[strings.LastIndexByte(m.Package, '/')+1:], m.Name,
			withSpread(newSpread(m.Nanoseconds), number),
			number(newSpread(m.Bytes).Median),
			number(newSpread(m.Allocations).Median),
		})
	}
	return t
}

// forwarding are the benchmarks of what happens to every packet that is passed
// on, in a steady state.
var forwarding = []string{"SplitAndParse", "DraftAndAppend", "ForegroundJob", "BackgroundJob", "SteadyAtDepth"}

var noAllocation = 0.0

// microTarget is for the most that one of forwarding allocates.
var microTarget = Target{Text: "allocations per forwarded packet, in protocol, router and jobserver", AtMost: &noAllocation}

// mostAllocations returns the allocations of forwarding; Median is the most.
func mostAllocations(all []Micro) Spread {
	var medians []float64
	for _, m := range all {
		if name, _, _ := strings.Cut(m.Name, "/"); slices.Contains(forwarding, name) {
			medians = append(medians, newSpread(m.Allocations).Median)
		}
	}
	s := newSpread(medians)
	s.Median = s.Max
	return s
}
