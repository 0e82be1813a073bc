// SPDX-License-Identifier: MIT
// Reading an ELF image through libelf.
#include "debugger/symbols/elf/image.h"
#include "debugger/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

// Smaller files are read piece by piece, so that one cut short while we look gives an error instead
// of SIGBUS; larger ones are mapped, because reading a hundred megabytes of DWARF for one name is
// slow.
enum { MAP_FROM = 8 << 20 };

static struct dc_error *finish(struct image *image)
{
	if (!image->elf)
		return error_libelf("cannot read the file");
	if (elf_kind(image->elf) != ELF_K_ELF || !gelf_getehdr(image->elf, &image->header))
		return error_make(DC_VALUE, "not an ELF file");
	if (gelf_getclass(image->elf) != ELFCLASS64 || image->header.e_machine != EM_X86_64 ||
	    image->header.e_ident[EI_DATA] != ELFDATA2LSB)
		return error_make(DC_VALUE, "not an x86-64 ELF file");
	return NULL;
}

struct dc_error *image_open(int fd, struct image **ret)
{
	_cleanup_image_ struct image *image = calloc(1, sizeof(*image));
	struct stat st;

	if (!image) {
		close(fd);
		return &dc_out_of_memory;
	}
	image->fd = fd;
	if (fstat(fd, &st))
		return error_errno(errno, "fstat");
	if (!S_ISREG(st.st_mode))
		return error_make(DC_VALUE, "not a regular file");
	image->size = (uint64_t)st.st_size;
	image->inode = st.st_ino;
	image->device = st.st_dev;
	elf_version(EV_CURRENT);
	image->elf = elf_begin(fd, st.st_size < MAP_FROM ? ELF_C_READ : ELF_C_READ_MMAP, NULL);

	struct dc_error *err = finish(image);

	if (!err)
		*ret = take_ptr(image);
	return err;
}

struct dc_error *image_from_bytes(char *bytes, size_t size, struct image **ret)
{
	_cleanup_image_ struct image *image = calloc(1, sizeof(*image));

	if (!image) {
		free(bytes);
		return &dc_out_of_memory;
	}
	image->fd = -1;
	image->bytes = bytes;
	image->size = size;
	elf_version(EV_CURRENT);
	image->elf = elf_memory(bytes, size);

	struct dc_error *err = finish(image);

	if (!err)
		*ret = take_ptr(image);
	return err;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	elf_end(image->elf);
	if (image->fd >= 0)
		close(image->fd);
	free(image->bytes);
	free(image);
}

size_t image_nr_segments(const struct image *image)
{
	size_t n;

	return elf_getphdrnum(image->elf, &n) ? 0 : n;
}

bool image_segment(const struct image *image, size_t i, GElf_Phdr *ret)
{
	return gelf_getphdr(image->elf, (int)i, ret) != NULL;
}

bool image_segment_of(const struct image *image, uint32_t type, GElf_Phdr *ret)
{
	size_t n = image_nr_segments(image);

	for (size_t i = 0; i < n; i++) {
		if (image_segment(image, i, ret) && ret->p_type == type)
			return true;
	}
	return false;
}

bool image_has_code(const struct image *image, uint64_t value)
{
	size_t n = image_nr_segments(image);

	for (size_t i = 0; i < n; i++) {
		GElf_Phdr segment;

		if (image_segment(image, i, &segment) && segment.p_type == PT_LOAD &&
		    segment.p_flags & PF_X && value >= segment.p_vaddr &&
		    value - segment.p_vaddr < segment.p_memsz)
			return true;
	}
	return false;
}

const unsigned char *image_bytes(const struct image *image, uint64_t offset, uint64_t size)
{
	const Elf_Data *data;

	if (!size || offset > INT64_MAX)
		return NULL;
	data = elf_getdata_rawchunk(image->elf, (int64_t)offset, size, ELF_T_BYTE);
	return data ? data->d_buf : NULL;
}

Elf_Scn *image_section(const struct image *image, const char *name, GElf_Shdr *ret)
{
	size_t strings;

	if (elf_getshdrstrndx(image->elf, &strings))
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		if (!gelf_getshdr(scn, ret))
			continue;

		const char *its = elf_strptr(image->elf, strings, ret->sh_name);

		if (its && !strcmp(its, name))
			return ret->sh_type == SHT_NOBITS ? NULL : scn;
	}
	return NULL;
}

Elf_Data *image_section_data(const struct image *image, const char *name)
{
	GElf_Shdr header;
	Elf_Scn *scn = image_section(image, name, &header);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;

	return data && data->d_buf && data->d_size ? data : NULL;
}

static size_t build_id_in(Elf_Data *data, const unsigned char **ret)
{
	size_t at = 0, name, desc, next;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, at, &note, &name, &desc))) {
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp((char *)data->d_buf + name, "GNU", 4)) {
			*ret = (unsigned char *)data->d_buf + desc;
			return note.n_descsz;
		}
		at = next;
	}
	return 0;
}

size_t image_build_id(const struct image *image, const unsigned char **ret)
{
	size_t n = image_nr_segments(image), size = 0;

	for (size_t i = 0; i < n && !size; i++) {
		GElf_Phdr segment;

		// The alignment decides how notes are padded.
		if (image_segment(image, i, &segment) && segment.p_type == PT_NOTE)
			size = build_id_in(elf_getdata_rawchunk(
						   image->elf, segment.p_offset, segment.p_filesz,
						   segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
					   ret);
	}
	// dwz's files have sections alone.
	return size || n ? size : build_id_in(image_section_data(image, ".note.gnu.build-id"), ret);
}

const char *image_link(const struct image *image, const char *section, const unsigned char **rest,
		       size_t *nr_rest)
{
	Elf_Data *data = image_section_data(image, section);

	if (!data)
		return NULL;

	size_t length = strnlen(data->d_buf, data->d_size);

	if (!length || length == data->d_size)
		return NULL;
	*rest = (unsigned char *)data->d_buf + length + 1;
	*nr_rest = data->d_size - length - 1;
	return data->d_buf;
}

bool image_has_dwarf(const struct image *image)
{
	GElf_Shdr header;

	return image_section(image, ".debug_info", &header) ||
	       image_section(image, ".zdebug_info", &header);
}
