package scratch

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	room   = 4 << 30
	noexec = 0x8 // ST_NOEXEC: a container's memory has it, and little room
	young  = time.Minute
)

var errUnfit = errors.New("it holds too little, or no programs")

// lockedIn makes a directory in memory that is locked as long as this process lives, and removes those of
// processes that ended without doing so.
func lockedIn(memory string) (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil {
		return "", err
	}
	if int64(fs.Bavail)*fs.Bsize < room || fs.Flags&noexec != 0 { //nolint:gosec // so much no disk holds
		return "", errUnfit
	}
	left, _ := filepath.Glob(filepath.Join(memory, prefix+"*"))
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > young && lock(dir) == nil {
			_ = os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp(memory, prefix)
	if err != nil {
		return "", err
	}
	return dir, lock(dir)
}

// lock locks a directory until the process ends, or fails if another has it.
func lock(dir string) error {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(err, syscall.Close(fd))
	}
	return nil
}
