package protocol

import (
	"bytes"
	"strconv"
)

// The rows of the admin tables. AppendTo appends a row with its LF; Parse reads
// one without. The fields of a parsed row alias its line. Text is printed up to
// its first NUL, and text that holds an LF breaks the table: both as gearmand
// does. A function's name may hold spaces and TABs, so rows are read from the
// right. Numbers are below 2^48, so that sums of them are exact.

// A StatusRow is a row of `status`.
type StatusRow struct {
	Function []byte
	Total    int // jobs queued and running
	Running  int
	Workers  int
}

func (r *StatusRow) AppendTo(dst []byte) []byte {
	dst = append(dst, untilNUL(r.Function)...)
	dst = appendColumn(dst, r.Total)
	dst = appendColumn(dst, r.Running)
	dst = appendColumn(dst, r.Workers)
	return append(dst, '\n')
}

// Parse reads a row; on an error, which wraps ErrRow, r is undefined.
func (r *StatusRow) Parse(line []byte) (err error) {
	r.Function, err = parseColumns(line, &r.Total, &r.Running, &r.Workers)
	return err
}

// A PriorityRow is a row of `prioritystatus`.
type PriorityRow struct {
	Function []byte
	Queued   [Priorities]int // running jobs excluded
	Workers  int
}

func (r *PriorityRow) AppendTo(dst []byte) []byte {
	dst = append(dst, untilNUL(r.Function)...)
	for _, queued := range r.Queued {
		dst = appendColumn(dst, queued)
	}
	dst = appendColumn(dst, r.Workers)
	return append(dst, '\n')
}

// Parse reads a row; on an error, which wraps ErrRow, r is undefined.
func (r *PriorityRow) Parse(line []byte) (err error) {
	r.Function, err = parseColumns(line, &r.Queued[High], &r.Queued[Normal], &r.Queued[Low], &r.Workers)
	return err
}

// A JobRow is a row of `show jobs`.
type JobRow struct {
	Handle  []byte
	Retries int
	Ignored bool // nobody waits for it: it will not be run
	Stored  bool // a background job
}

func (r *JobRow) AppendTo(dst []byte) []byte {
	dst = append(dst, untilNUL(r.Handle)...)
	dst = appendColumn(dst, r.Retries)
	dst = appendColumn(dst, number(r.Ignored))
	dst = appendColumn(dst, number(r.Stored))
	return append(dst, '\n')
}

// Parse reads a row; on an error, which wraps ErrRow, r is undefined.
func (r *JobRow) Parse(line []byte) (err error) {
	var ignored, stored int
	r.Handle, err = parseColumns(line, &r.Retries, &ignored, &stored)
	r.Ignored, r.Stored = ignored != 0, stored != 0
	return err
}

// AppendUniqueRow appends a row of `show unique jobs`: the unique of one job,
// which may be empty. Such a row needs no parsing.
func AppendUniqueRow(dst, unique []byte) []byte {
	dst = append(dst, untilNUL(unique)...)
	return append(dst, '\n')
}

// A WorkerRow is a row of `workers`: one connection, be it a worker's or not.
type WorkerRow struct {
	Number    int    // the connection's descriptor
	Peer      []byte // its address, without the port
	ID        []byte // as SET_CLIENT_ID gave it, or "-"
	Functions [][]byte
}

func (r *WorkerRow) AppendTo(dst []byte) []byte {
	dst = strconv.AppendInt(dst, int64(r.Number), 10)
	dst = append(dst, ' ')
	dst = append(dst, r.Peer...)
	dst = append(dst, ' ')
	dst = append(dst, untilNUL(r.ID)...)
	dst = append(dst, " :"...)
	for _, function := range r.Functions {
		dst = append(dst, ' ')
		dst = append(dst, untilNUL(function)...)
	}
	return append(dst, '\n')
}

// countBits bounds the numbers of a row.
const countBits = min(48, strconv.IntSize-1)

func appendColumn(dst []byte, n int) []byte {
	dst = append(dst, '\t')
	return strconv.AppendInt(dst, int64(n), 10)
}

func number(set bool) int {
	if set {
		return 1
	}
	return 0
}

// parseColumns reads the numbers at the right end of line, each with a TAB
// before it, and returns what is left of them.
func parseColumns(line []byte, columns ...*int) (name []byte, err error) {
	name = line
	for i := len(columns) - 1; i >= 0; i-- {
		tab := bytes.LastIndexByte(name, '\t')
		if tab < 0 {
			return nil, formatError(ErrRow, line)
		}
		value, err := strconv.ParseUint(string(name[tab+1:]), 10, countBits)
		if err != nil {
			return nil, formatError(ErrRow, line)
		}
		*columns[i] = int(value)
		name = name[:tab]
	}
	return name[:len(name):len(name)], nil
}
