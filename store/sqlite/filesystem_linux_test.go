package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paylinks/job"
	"paylinks/store/sqlite"
)

func TestNetworkFileSystems(t *testing.T) {
	for kind, name := range map[int64]string{
		0x6969: "NFS", 0x517b: "SMB", 0xfe534d42: "SMB", 0xff534d42: "CIFS", -0xacb2be: "CIFS", -0x1acb2be: "SMB", // as a signed 32-bit number
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", 0x794c7630: "", // ext4, xfs, btrfs, tmpfs, overlayfs
	} {
		var remote *job.NetworkError
		err := sqlite.CheckFileSystem(kind)
		if errors.As(err, &remote) != (name != "") || remote != nil && remote.FileSystem != name {
			t.Errorf("%#x: %v, want %q", kind, err, name)
		}
	}
}

func TestDamagedLedger(t *testing.T) {
	for name, harm := range map[string]func(*os.File, int64) error{
		"cut off":        func(f *os.File, size int64) error { return f.Truncate(size / 2) },
		"pages of noise": func(f *os.File, size int64) error { return noise(f, 4096, size) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := openLedger(t, path)
			l.imported(newJob("a"), invoices(200)...)
			l.close()
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := file.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(harm(file, info.Size()), file.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := sqlite.OpenToSend(path, ""); !errors.Is(err, job.ErrDamaged) {
				t.Errorf("opened to send: %v", err)
			}
			if _, err := sqlite.OpenToRead(t.Context(), path); !errors.Is(err, job.ErrDamaged) {
				t.Errorf("opened to read: %v", err)
			}
		})
	}
}

func noise(f *os.File, from, to int64) error {
	bytes := make([]byte, to-from)
	for i := range bytes {
		bytes[i] = byte(i*7 + 3)
	}
	_, err := f.WriteAt(bytes, from)
	return err
}

// A ledger that could not be opened is let go of, and so is its -wal: on a full disk it is the room that is missing.
func TestALedgerThatCannotBeOpenedIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	openLedger(t, path).close()
	defer sqlite.AddMigration(halfWay)()
	if s, err := sqlite.OpenToSend(path, ""); err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name, _ := os.Readlink(filepath.Join("/proc/self/fd", file.Name())); strings.HasPrefix(name, path) {
			t.Errorf("%s is still open", name)
		}
	}
}
