package store

// CheckFileSystem is checkFileSystem, for file systems that a test cannot mount.
var CheckFileSystem = checkFileSystem

// Identified is what identify finds at path, and what it finds where statx is not to be had.
func Identified(path string) (here, elsewhere any, err error) {
	here, err = identify(path)
	if err == nil {
		elsewhere, err = identifyByStat(path)
	}
	return here, elsewhere, err
}
