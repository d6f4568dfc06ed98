package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is where the figures come from.
type machine struct {
	cpu        string
	cores      int
	memory     int64 // bytes; 0 is not known
	kernel     string
	fileSystem fileSystem
	fsync      time.Duration // mean
	fsyncs     int
	paylinks   string
	date       time.Time
}

func (b *bench) describeMachine(ctx context.Context) (machine, error) {
	version, err := b.execute(ctx, command{program: b.paylinks, args: []string{"version"}})
	if err != nil {
		return machine{}, err
	}
	m := machine{
		cpu:        valueIn("/proc/cpuinfo", "model name"),
		cores:      runtime.NumCPU(),
		kernel:     kernel(),
		fileSystem: fileSystemOf(b.folder),
		fsyncs:     b.sizes.fsyncs,
		paylinks:   strings.TrimSpace(version.stdout),
		date:       time.Now().UTC(),
	}
	if kibibytes, _, found := strings.Cut(valueIn("/proc/meminfo", "MemTotal"), " kB"); found {
		n, _ := strconv.ParseInt(kibibytes, 10, 64)
		m.memory = n << 10
	}
	m.fsync, err = timeFsync(filepath.Join(b.folder, "fsync"), m.fsyncs)
	return m, err
}

func (m machine) String() string {
	memory := "memory not known"
	if m.memory > 0 {
		memory = english.Sprintf("%.0f GiB", float64(m.memory)/(1<<30))
	}
	const line = "%s, %d cores, %s; %s; %s; work folder on %s, where an fsync after appending 40 KB takes %.2f ms (mean of %d); %s; %s."
	return fmt.Sprintf(line, m.cpu, m.cores, memory, m.kernel, runtime.Version(), m.fileSystem.name, m.fsync.Seconds()*1e3, m.fsyncs, m.paylinks, m.date.Format(time.DateOnly))
}

// valueIn is the first value of a key in a file of lines "key : value".
func valueIn(path, key string) string {
	file, err := os.Open(path)
	if err != nil {
		return key + " not known"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return key + " not known"
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}

// fileSystem is what a folder lies on.
type fileSystem struct {
	name     string
	inMemory bool
}

// fileSystemOf takes the mount point that is nearest above the folder.
func fileSystemOf(folder string) fileSystem {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return fileSystem{name: "a file system that is not known"}
	}
	defer file.Close()
	nearest, found := "", fileSystem{name: "a file system that is not known"}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		inside, err := filepath.Rel(fields[1], folder)
		if err == nil && inside != ".." && !strings.HasPrefix(inside, "../") && len(fields[1]) >= len(nearest) {
			nearest, found = fields[1], fileSystem{name: fields[2], inMemory: fields[2] == "tmpfs" || fields[2] == "ramfs"}
		}
	}
	return found
}

// timeFsync is the mean time of an fsync after 40 KB were appended: about what a transaction of the ledger writes.
func timeFsync(path string, times int) (time.Duration, error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer os.Remove(path)
	defer file.Close()
	block := make([]byte, 40_000)
	var took time.Duration
	for range times {
		if _, err := file.Write(block); err != nil {
			return 0, err
		}
		begun := time.Now()
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took += time.Since(begun)
	}
	return took / time.Duration(times), nil
}
