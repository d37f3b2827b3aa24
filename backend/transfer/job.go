package transfer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"

	"github.com/geargate/geargate/protocol"
)

// A Job is a queued background job; JSON has its workload in base64.
type Job struct {
	Function Text   `json:"function"`
	Unique   Text   `json:"unique"`
	Priority string `json:"priority"` // high, normal or low
	Reducer  Text   `json:"reducer,omitempty"`
	Due      int64  `json:"due,omitempty"` // seconds since 1970; 0 is at once
	Attempts uint32 `json:"attempts,omitempty"`
	Workload []byte `json:"workload"`
}

var priorities = [protocol.Priorities]string{"high", "normal", "low"}

// priorityName returns the name of a priority as gearmand numbers it.
func priorityName(n int64) string {
	if n < 0 || n >= int64(len(priorities)) {
		return "normal"
	}
	return priorities[n]
}

// A Text is a name of any bytes. In JSON it is a string where it is UTF-8, and
// otherwise an object with its bytes in base64.
type Text string

type rawText struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON writes t as it is read.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(rawText{[]byte(t)})
}

// UnmarshalJSON reads either form.
func (t *Text) UnmarshalJSON(text []byte) error {
	var raw rawText
	if json.Unmarshal(text, &raw) == nil && raw.Base64 != nil {
		*t = Text(raw.Base64)
		return nil
	}
	return json.Unmarshal(text, (*string)(t))
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
