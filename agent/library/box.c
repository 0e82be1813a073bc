// SPDX-License-Identifier: MIT
// A descriptor that may write, or a plain mapping, would go on into children of fork, which may have
// dropped their rights since and could then write to their parent's mailbox. So the mapping stays
// out of children, and the descriptor cannot be mapped or opened for writing by who is not allowed to.
#include "agent/library/box.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Out of the way of programs that expect low numbers.
static int move_up(int fd)
{
	enum { HIGH = 200 };
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static int open_to_read(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool prepare(struct box *box, int fd)
{
	struct stat file;
	void *map;

	if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || ftruncate(fd, MAILBOX_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
	    fstat(fd, &file) < 0)
		return false;
	box->fd = open_to_read(fd);
	if (box->fd < 0)
		return false;
	map = mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || madvise(map, MAILBOX_SIZE, MADV_DONTFORK) < 0) {
		if (map != MAP_FAILED)
			munmap(map, MAILBOX_SIZE);
		close(box->fd);
		return false;
	}
	box->fd = move_up(box->fd);
	box->header = map;
	box->device = file.st_dev;
	box->inode = file.st_ino;
	return true;
}

bool box_make(struct box *box)
{
	int fd = memfd_create(MAILBOX_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool made;

	*box = (struct box){ .fd = -1 };
	if (fd < 0)
		return false;
	made = prepare(box, fd);
	close(fd);
	if (!made) {
		*box = (struct box){ .fd = -1 };
		return false;
	}
	box->header->version = MAILBOX_VERSION;
	box->header->slots = MAILBOX_SLOTS;
	box->header->slot_size = MAILBOX_SLOT_SIZE;
	__atomic_store_n(&box->header->magic, MAILBOX_MAGIC, __ATOMIC_RELEASE);
	return true;
}

// The program may have closed it, and another file have its number by now.
static bool is_ours(const struct box *box)
{
	struct stat file;

	return box->fd >= 0 && fstat(box->fd, &file) == 0 && file.st_dev == box->device &&
	       file.st_ino == box->inode;
}

void box_close(struct box *box)
{
	struct mailbox_header *header = box->header;

	__atomic_store_n(&box->header, NULL, __ATOMIC_SEQ_CST);
	if (is_ours(box))
		close(box->fd);
	box->fd = -1;
	__atomic_store_n(&header->state, MAILBOX_ASLEEP, __ATOMIC_SEQ_CST);
	// Who has read where it was, as the process ends just now, finds an empty page there.
	mmap(header, MAILBOX_HEADER_SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	munmap((char *)header + MAILBOX_HEADER_SIZE, MAILBOX_SIZE - MAILBOX_HEADER_SIZE);
}

void box_forget(struct box *box)
{
	if (is_ours(box))
		close(box->fd);
	*box = (struct box){ .fd = -1 };
}

bool box_has_client(const struct box *box, unsigned slot)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1
	};

	return !is_ours(box) || fcntl(box->fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}
