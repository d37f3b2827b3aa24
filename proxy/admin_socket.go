package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// systemSocketDir is where the system keeps sockets: a service manager makes
// it for the user the service runs as, and root makes it itself.
const systemSocketDir = "/run/geargate"

// AdminSockets returns the paths at which c's admin socket may be, the first
// that can be had or answers being it; none where c wants none. Those of two
// processes differ because their listen addresses do.
func (c *Config) AdminSockets(lookup func(string) (string, bool)) []string {
	if c.Admin.Socket != AutoSocket {
		if c.Admin.Socket == "" {
			return nil
		}
		return []string{c.Admin.Socket}
	}
	if path, ok := strings.CutPrefix(c.Listen[0].Address, "unix://"); ok {
		return []string{path + ".admin"}
	}
	_, port, _ := splitAddress(c.Listen[0].Address)
	if port == "0" {
		return nil // nobody could find it
	}
	name := "geargate-" + port + ".sock"
	var paths []string
	if dir, ok := lookup("XDG_RUNTIME_DIR"); ok && filepath.IsAbs(dir) {
		paths = append(paths, filepath.Join(dir, name))
	}
	paths = append(paths, filepath.Join(systemSocketDir, name))
	return append(paths, filepath.Join(privateSocketDir(), name))
}

// privateSocketDir is the directory of a user who has no other.
func privateSocketDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("geargate-%d", os.Getuid()))
}

// makeSocketDir makes the directory of an admin socket where it is one of
// ours. Anybody may have made the one for a user before: it must be the
// user's, and for nobody else.
func makeSocketDir(path string) error {
	dir := filepath.Dir(path)
	switch dir {
	case systemSocketDir:
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	case privateSocketDir():
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return checkPrivate(dir)
	}
	return nil
}

func checkPrivate(dir string) error {
	file, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := file.Sys().(*syscall.Stat_t)
	if !file.IsDir() || file.Mode().Perm()&0o077 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return fmt.Errorf("%s: expected a directory of ours that is closed to others", dir)
	}
	return nil
}
