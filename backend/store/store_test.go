package store_test

import (
	"testing"

	"github.com/geargate/geargate/backend/store"
	"github.com/geargate/geargate/backend/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Opener {
		m := store.NewMemory()
		return func() (store.Store, error) { return m, nil }
	})
}

func TestDisk(t *testing.T) {
	for name, size := range map[string]int{"segments of one batch": 1, "small segments": 16 << 10, "large segments": 0} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Opener {
				dir := t.TempDir()
				return func() (store.Store, error) { return store.Open(dir, store.Options{SegmentSize: size}) }
			})
		})
	}
}
