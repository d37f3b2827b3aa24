package transfer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/geargate/geargate/protocol"
)

// A Job is a queued background job; JSON has its workload in base64.
type Job struct {
	Function protocol.Text `json:"function"`
	Unique   protocol.Text `json:"unique"`
	Priority string        `json:"priority"` // high, normal or low
	Reducer  protocol.Text `json:"reducer,omitempty"`
	Due      int64         `json:"due,omitempty"` // seconds since 1970; 0 is at once
	Attempts uint32        `json:"attempts,omitempty"`
	Workload []byte        `json:"workload"`
}

var priorities = [protocol.Priorities]string{"high", "normal", "low"}

// PriorityName returns the name of a priority as gearmand numbers it: 0 is
// high. It is normal for a number that gearmand does not use.
func PriorityName(n int64) string {
	if n < 0 || n >= int64(len(priorities)) {
		return "normal"
	}
	return priorities[n]
}

// appendTo appends the submission of j.
func (j *Job) appendTo(dst []byte) ([]byte, error) {
	function, unique := []byte(j.Function), []byte(j.Unique)
	kind := protocol.SubmitJobBg
	switch {
	case j.Due > 0:
		due := strconv.AppendInt(nil, j.Due, 10)
		return protocol.AppendFrame(dst, protocol.Request, protocol.SubmitJobEpoch, function, unique, due, j.Workload), nil
	case j.Reducer != "":
		return protocol.AppendFrame(dst, protocol.Request, protocol.SubmitReduceJobBg, function, unique, []byte(j.Reducer), nil, j.Workload), nil
	case j.Priority == "high":
		kind = protocol.SubmitJobHighBg
	case j.Priority == "low":
		kind = protocol.SubmitJobLowBg
	case j.Priority != "normal" && j.Priority != "":
		return dst, fmt.Errorf("expected the priority high, normal or low, got %q", j.Priority)
	}
	return protocol.AppendFrame(dst, protocol.Request, kind, function, unique, j.Workload), nil
}

// A Source calls visit with every job behind the one numbered after, in the
// order in which they were queued and with growing numbers from 1, until visit
// returns an error.
type Source func(after int64, visit func(number int64, j *Job) error) error

// JSONLines returns a source of a file with one object a line.
func JSONLines(path string) Source {
	return func(after int64, visit func(int64, *Job) error) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewReader(f)
		for number := int64(1); ; number++ {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF && len(line) == 0 {
				return nil
			}
			if err != nil && err != io.EOF {
				return err
			}
			if number <= after {
				continue
			}
			var j Job
			if err := json.Unmarshal(line, &j); err != nil {
				return fmt.Errorf("line %d: expected a job as JSON: %w", number, err)
			}
			if err := visit(number, &j); err != nil {
				return err
			}
		}
	}
}
