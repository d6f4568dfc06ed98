package sqlite

// CheckFileSystem is checkFileSystem, for file systems that a test cannot mount.
var CheckFileSystem = checkFileSystem
