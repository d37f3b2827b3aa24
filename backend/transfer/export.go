package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/geargate/geargate/backend/store"
	"github.com/geargate/geargate/protocol"
)

// Export writes the jobs of every durable job server below a directory, or of
// the one in it, as JSON lines. No process may have it open.
func Export(dir string, w io.Writer) (jobs int, err error) {
	dirs, err := storesIn(dir)
	if err != nil {
		return 0, err
	}
	encoder := json.NewEncoder(w)
	for _, dir := range dirs {
		disk, err := store.Open(dir, store.Options{})
		if err != nil {
			return jobs, err
		}
		err = disk.Replay(func(j *store.Job) error {
			jobs++
			return encoder.Encode(Job{
				Function: protocol.Text(j.Function), Unique: protocol.Text(j.Unique), Priority: PriorityName(int64(j.Priority)),
				Reducer: protocol.Text(j.Reducer), Due: (j.Due + 999) / 1000, Attempts: j.Attempts, Workload: j.Workload,
			})
		})
		if err := errors.Join(err, disk.Close()); err != nil {
			return jobs, err
		}
	}
	return jobs, nil
}

// storesIn returns the directories of stores: dir itself, or those in it.
func storesIn(dir string) ([]string, error) {
	for _, pattern := range []string{"LOCK", "*/LOCK"} {
		locks, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		var dirs []string
		for _, lock := range locks {
			dirs = append(dirs, filepath.Dir(lock))
		}
		if len(dirs) > 0 {
			return dirs, nil
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s: expected the directory of a durable pool, or of one of its job servers", dir)
}
