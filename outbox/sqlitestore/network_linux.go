package sqlitestore

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// networks are file systems of other machines, whose locks do not keep these from writing, too.
var networks = map[int64]string{
	unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB", unix.CIFS_SUPER_MAGIC: "CIFS",
	unix.CODA_SUPER_MAGIC: "Coda", unix.AFS_SUPER_MAGIC: "AFS", unix.V9FS_MAGIC: "9P", unix.CEPH_SUPER_MAGIC: "Ceph",
}

// network names the file system of a path if it is another machine's.
func network(path string) string {
	var at unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &at); err != nil {
		return ""
	}
	return networks[int64(at.Type)] //nolint:unconvert // it is 32 bits wide on some machines
}
