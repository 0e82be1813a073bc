// SPDX-License-Identifier: MIT
// Where the target keeps its unwind tables.
// Nothing here trusts the memory: a header that makes no sense is as none.
#include "debugger/stack/tables.h"

#include <elf.h>
#include <string.h>

enum { MAX_HEADERS = 64, MAX_STEPS = 64 };

static bool read_elf(struct view *view, uint64_t base, Elf64_Ehdr *ret)
{
	return view_read(view, base, ret, sizeof(*ret)) && !memcmp(ret->e_ident, ELFMAG, SELFMAG) &&
	       ret->e_ident[EI_CLASS] == ELFCLASS64 && ret->e_machine == EM_X86_64 &&
	       ret->e_phentsize == sizeof(Elf64_Phdr) && ret->e_phnum <= MAX_HEADERS;
}

// The sizes of the two pointers before the table, by their DW_EH_PE encodings; 0: not known.
static unsigned encoded_size(uint8_t encoding)
{
	switch (encoding & 0xf) {
	case 0x02:
	case 0x0a: return 2;
	case 0x03:
	case 0x0b: return 4;
	case 0x00:
	case 0x04:
	case 0x0c: return 8;
	default: return 0;
	}
}

static void read_header(struct view *view, uint64_t header, struct tables *ret)
{
	enum { OMITTED = 0xff, DATAREL_SDATA4 = 0x3b };
	uint8_t intro[4]; // version, encodings of: eh_frame, count, table
	uint64_t count = 0;

	ret->header = header;
	if (!view_read(view, header, intro, sizeof(intro)) || intro[0] != 1 ||
	    intro[2] == OMITTED || intro[3] != DATAREL_SDATA4)
		return;

	unsigned frame_size = encoded_size(intro[1]), count_size = encoded_size(intro[2]);

	if (!frame_size || !count_size ||
	    !view_read(view, header + 4 + frame_size, &count, count_size) || count > 1u << 28)
		return;
	ret->table = header + 4 + frame_size + count_size;
	ret->nr_entries = count;
}

static bool read_image(struct view *view, uint64_t base, uint64_t addr, struct tables *ret)
{
	Elf64_Ehdr elf;
	Elf64_Phdr headers[MAX_HEADERS];
	uint64_t bias = 0, eh_frame = 0;
	bool has_bias = false, has_eh_frame = false;

	if (!read_elf(view, base, &elf) ||
	    !view_read(view, base + elf.e_phoff, headers, elf.e_phnum * sizeof(*headers)))
		return false;
	for (int i = 0; i < elf.e_phnum && !has_bias; i++) {
		if (headers[i].p_type == PT_LOAD && headers[i].p_offset < VIEW_PAGE) {
			bias = base - (headers[i].p_vaddr - headers[i].p_offset);
			has_bias = true;
		}
	}
	*ret = (struct tables){ .entry = elf.e_entry ? bias + elf.e_entry : 0 };
	for (int i = 0; i < elf.e_phnum && has_bias; i++) {
		uint64_t start = bias + headers[i].p_vaddr;

		if (headers[i].p_type == PT_GNU_EH_FRAME) {
			eh_frame = start;
			has_eh_frame = true;
		} else if (headers[i].p_type == PT_LOAD && headers[i].p_flags & PF_X &&
			   addr - start < headers[i].p_memsz) {
			ret->start = start;
			ret->end = start + headers[i].p_memsz;
		}
	}
	if (ret->start == ret->end)
		return false;
	if (has_eh_frame)
		read_header(view, eh_frame, ret);
	return true;
}

bool tables_find(struct view *view, uint64_t addr, struct tables *ret)
{
	const struct mapping *mapping = maps_find(&view->maps, addr);
	const struct mapping *first = view->maps.map;

	// The header is at the start of the module's first mapping, some way below. Anonymous pages
	// lie between where text was moved to large ones, but no holes then.
	for (int i = 0; mapping && i < MAX_STEPS; i++, mapping--) {
		if (mapping->offset == 0 && mapping->readable &&
		    read_image(view, mapping->start, addr, ret))
			return true;
		if (mapping == first || (!mapping->inode && mapping[-1].end != mapping->start))
			break;
	}
	return false;
}
