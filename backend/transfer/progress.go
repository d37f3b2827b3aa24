package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
)

// A mark is how far an import has come: the last job that was acknowledged,
// and by whom. The zero mark is the beginning.
type mark struct {
	number int64
	sum    uint32
	to     string
}

// sum tells a job from others that may have its number later.
func (j *Job) sum() uint32 {
	text, _ := json.Marshal(j) // no field of it can fail
	return crc32.ChecksumIEEE(text)
}

// readMark reads a progress file; where there is none, nothing has been done.
func readMark(path string) (m mark, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, err
	}
	if _, err := fmt.Sscanf(string(text), "%d %x %q", &m.number, &m.sum, &m.to); err != nil || m.number < 1 {
		return mark{}, fmt.Errorf("%s: expected the number, the sum and the job server of the last job imported, got %.60q", path, text)
	}
	return m, nil
}

// errStop ends a source early.
var errStop = errors.New("stop")

// check reports why an import to a job server cannot go on behind m: it was for
// another one, or the source is not the same any more.
func (m mark) check(from Source, to string) error {
	if m.number == 0 {
		return nil
	}
	if m.to != to {
		return fmt.Errorf("expected to go on with %s, got %s", m.to, to)
	}
	found := false
	err := from(m.number-1, func(number int64, j *Job) error {
		found = number == m.number && j.sum() == m.sum
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	if !found {
		return fmt.Errorf("expected job %d to be the one that was imported last, got another: these are not the jobs that were begun with", m.number)
	}
	return nil
}

// write puts the new file in the place of the old one: a crash leaves one of
// the two.
func (m mark) write(path string) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, fmt.Appendf(nil, "%d %x %q\n", m.number, m.sum, m.to), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
