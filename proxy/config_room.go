package proxy

import (
	"fmt"

	"github.com/geargate/geargate/backend/store"
)

// LacksRoom says where background jobs are to be kept on a disk that has not the
// room that this needs. Jobs are refused there until it has.
func (c *Config) LacksRoom() (notes []string, err error) {
	for _, at := range []struct {
		key, dir string
		stores   int
	}{{"pool.store", c.Pool.Store, c.Pool.Servers}, {"spool.path", c.Spool.Path, 2}} {
		if at.dir == "" {
			continue
		}
		needs, free, err := store.Needs(at.dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at.key, err)
		}
		if needs *= int64(at.stores); free < needs {
			notes = append(notes, fmt.Sprintf("%s: expected %s free on the disk of %s, got %s: background jobs are refused until there is room",
				at.key, FormatSize(int(needs)), at.dir, FormatSize(int(free))))
		}
	}
	return notes, nil
}
