//go:build unix

package pgcluster

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// other is whom the server runs as: another user if this one is root.
func other() (uid, gid int, needed bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(found.Uid)
		if err != nil {
			continue
		}
		if gid, err = strconv.Atoi(found.Gid); err == nil {
			return uid, gid, true
		}
	}
	return 0, 0, false
}

func asUser() *syscall.SysProcAttr {
	uid, gid, needed := other()
	if !needed {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // as the system has them
}

// own gives a directory to whom the server runs as.
func own(dir string) error {
	uid, gid, needed := other()
	if !needed {
		return nil
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return fmt.Errorf("give the cluster's directory to another user, as PostgreSQL refuses root: %w", err)
	}
	return nil
}
