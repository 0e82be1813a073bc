// SPDX-License-Identifier: MIT
// Maps the library given as its argument as the dynamic linker would, and waits; a test damages the
// file meanwhile. Static, so that nothing but that file has debug information to be searched.
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, ROOM = 1 << 20 };

static int map_segment(int fd, char *base, const Elf64_Phdr *segment)
{
	uint64_t start = segment->p_vaddr & -PAGE, skew = segment->p_vaddr - start;
	int protection = PROT_READ | (segment->p_flags & PF_X ? PROT_EXEC : 0);

	return mmap(base + start, segment->p_filesz + skew, protection, MAP_PRIVATE | MAP_FIXED, fd,
		    (off_t)(segment->p_offset - skew)) == MAP_FAILED;
}

int main(int argc, char **argv)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	char *base = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || base == MAP_FAILED || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return 1;
	for (int i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + (size_t)i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment) ||
		    (segment.p_type == PT_LOAD && map_segment(fd, base, &segment)))
			return 1;
	}
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}
