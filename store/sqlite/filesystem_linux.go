package sqlite

import (
	"fmt"
	"paylinks/job"

	"golang.org/x/sys/unix"
)

// networkFileSystems are those whose locks and shared memory cannot be trusted between machines, by what statfs
// calls them.
var networkFileSystems = map[int64]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.SMB2_SUPER_MAGIC: "SMB",
	unix.CIFS_SUPER_MAGIC: "CIFS",
	unix.AFS_SUPER_MAGIC:  "AFS",
	unix.CODA_SUPER_MAGIC: "Coda",
	unix.CEPH_SUPER_MAGIC: "Ceph",
}

// local refuses a folder on a network file system: SQLite's WAL needs memory that all its users share.
func local(folder string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return fmt.Errorf("ask for the file system of %s: %w", folder, err)
	}
	return checkFileSystem(int64(stat.Type))
}

func checkFileSystem(kind int64) error {
	if name, ok := networkFileSystems[int64(uint32(kind))]; ok {
		return &job.NetworkError{FileSystem: name}
	}
	return nil
}
