/*
 * Kills the process that it is preloaded into at an exact moment of SQLite's work on the files ledger.db*. The
 * environment says when:
 *
 *   CRASH_AT=N       at the N-th operation, counted from 1
 *   CRASH_ON=WORD    which operations count: "any" (write, truncate, sync, unlink), or "sync" alone
 *   CRASH_WHEN=WORD  "before" the operation or "after" it
 *   CRASH_POWER=1    the power fails too: what was not synced is lost
 *
 * SQLite's C code calls these functions through libc. Go's own code does not, so nothing else is touched.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* change is a write or truncation that is not synced yet, with what it takes to undo it. */
struct change {
	struct change *before;
	int fd;
	dev_t device;
	ino_t inode;
	off_t size; /* of the file before */
	off_t at;
	size_t length;
	char bytes[];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct change *unsynced; /* the latest first */
static long operations;

static void give_up(const char *why)
{
	syscall(SYS_write, 2, why, strlen(why));
	_exit(99);
}

static int is(const char *name, const char *value)
{
	const char *found = getenv(name);
	return found && strcmp(found, value) == 0;
}

static int is_ledger_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return strcmp(name, "ledger.db") == 0 || strcmp(name, "ledger.db-wal") == 0 || strcmp(name, "ledger.db-journal") == 0;
}

static int is_ledger(int fd)
{
	char link[64] = "/proc/self/fd/", path[4096], digits[16];
	int n = 0, at = strlen(link);
	do
		digits[n++] = '0' + fd % 10;
	while ((fd /= 10) > 0);
	while (n > 0)
		link[at++] = digits[--n];
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	return is_ledger_path(path);
}

static void remember(int fd, off_t at, size_t length)
{
	struct stat file;
	struct change *c = malloc(sizeof *c + length);
	if (!c || fstat(fd, &file) != 0)
		give_up("shim: cannot look at the ledger\n");
	*c = (struct change){unsynced, fd, file.st_dev, file.st_ino, file.st_size, at, 0};
	ssize_t n = pread(fd, c->bytes, length, at);
	if (n < 0)
		give_up("shim: cannot read the ledger\n");
	c->length = n;
	unsynced = c;
}

static void forget(int fd)
{
	struct stat file;
	if (fstat(fd, &file) != 0)
		give_up("shim: cannot look at the ledger\n");
	for (struct change **c = &unsynced; *c;) {
		struct change *old = *c;
		if (old->device == file.st_dev && old->inode == file.st_ino) {
			*c = old->before;
			free(old);
		} else {
			c = &old->before;
		}
	}
}

static void lose_unsynced(void)
{
	for (struct change *c = unsynced; c; c = c->before)
		if (syscall(SYS_ftruncate, c->fd, c->size) != 0
		    || syscall(SYS_pwrite64, c->fd, c->bytes, c->length, c->at) != (long)c->length)
			give_up("shim: cannot undo a write\n");
}

static void moment(const char *when, int sync)
{
	if (!is("CRASH_WHEN", when) || !(is("CRASH_ON", "any") || (sync && is("CRASH_ON", "sync"))))
		return;
	const char *at = getenv("CRASH_AT");
	if (++operations != (at ? atol(at) : 0))
		return;
	if (is("CRASH_POWER", "1"))
		lose_unsynced();
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	if (!is_ledger(fd))
		return syscall(SYS_pwrite64, fd, bytes, length, at);
	pthread_mutex_lock(&mutex);
	moment("before", 0);
	remember(fd, at, length);
	ssize_t result = syscall(SYS_pwrite64, fd, bytes, length, at);
	moment("after", 0);
	pthread_mutex_unlock(&mutex);
	return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

int ftruncate64(int fd, off64_t size)
{
	struct stat file;
	if (!is_ledger(fd))
		return syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&mutex);
	moment("before", 0);
	if (fstat(fd, &file) != 0)
		give_up("shim: cannot look at the ledger\n");
	remember(fd, size, file.st_size > size ? file.st_size - size : 0);
	int result = syscall(SYS_ftruncate, fd, size);
	moment("after", 0);
	pthread_mutex_unlock(&mutex);
	return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int sync_by(long number, int fd)
{
	if (!is_ledger(fd))
		return syscall(number, fd);
	pthread_mutex_lock(&mutex);
	moment("before", 1);
	int result = syscall(number, fd);
	if (result == 0)
		forget(fd);
	moment("after", 1);
	pthread_mutex_unlock(&mutex);
	return result;
}

int fsync(int fd) { return sync_by(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }

/* A file that is closed with changes that are not synced stays within reach. */
int close(int fd)
{
	if (!is_ledger(fd))
		return syscall(SYS_close, fd);
	pthread_mutex_lock(&mutex);
	int other = -1;
	for (struct change *c = unsynced; c; c = c->before)
		if (c->fd == fd)
			c->fd = other = other < 0 ? dup(fd) : other;
	int result = syscall(SYS_close, fd);
	pthread_mutex_unlock(&mutex);
	return result;
}

int unlink(const char *path)
{
	if (!is_ledger_path(path))
		return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	pthread_mutex_lock(&mutex);
	moment("before", 0);
	int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	moment("after", 0);
	pthread_mutex_unlock(&mutex);
	return result;
}
