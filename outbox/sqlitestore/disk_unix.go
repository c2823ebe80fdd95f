//go:build unix && !solaris && !netbsd && !openbsd

package sqlitestore

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// free is how many bytes the disk has left for its users.
func (s *Store) free() (bytes int64, known bool) {
	var at unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(s.path), &at); err != nil {
		return 0, false
	}
	return int64(at.Bavail) * int64(at.Bsize), true //nolint:gosec,unconvert // other systems have other types
}
