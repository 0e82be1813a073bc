// SPDX-License-Identifier: MIT
// Notes are read from the target's memory by its program headers: no file is opened, a stripped
// program is like any other, and a program without a host costs two reads a module.
#include "debugger/stack/goroutines/descriptor.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

// ---- is it one ------------------------------------------------------------------------------------

static bool same_file(const struct mapping *a, const struct mapping *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

struct check {
	const struct maps *maps;
	const struct mapping *home; // where the descriptor lies
};

static bool is_code(const struct check *check, uint64_t pc)
{
	const struct mapping *mapping = maps_find(check->maps, pc);

	// Past the file's part of a segment its data goes on without a file: there only the code
	// decides.
	return mapping && mapping->executable && mapping->inode &&
	       (!check->home->inode || same_file(mapping, check->home));
}

// The first and the last PC of a range lie in one mapping of the host's code.
static bool is_code_range(const struct check *check, uint64_t first, uint64_t last)
{
	return first <= last && is_code(check, first) &&
	       maps_find(check->maps, first) == maps_find(check->maps, last);
}

static bool is_readable(const struct check *check, uint64_t addr, uint64_t size)
{
	const struct mapping *mapping = maps_find(check->maps, addr);

	return mapping && mapping->readable && size <= mapping->end - addr;
}

static const char *check_code(const struct check *check, const struct debugcall_descriptor *d)
{
	if (!is_code(check, d->entry))
		return "its entry is not in its code";
	if (!is_code_range(check, d->handshake_start, d->handshake_end))
		return "its handshakes are not in its code";
	if (d->text_start >= d->text_end || !is_code_range(check, d->text_start, d->text_end - 1))
		return "the runtime's text is not in its code";
	if (d->idle_entry && !is_code(check, d->idle_entry))
		return "its entry for idle threads is not in its code";
	if (d->idle_start &&
	    (d->idle_start >= d->idle_end || !is_code_range(check, d->idle_start, d->idle_end - 1)))
		return "the place where its threads idle is not in its code";
	if (d->abandon_entry && !is_code(check, d->abandon_entry))
		return "its entry to abandon a call is not in its code";
	if (d->attend_start && (d->attend_start >= d->attend_end ||
				!is_code_range(check, d->attend_start, d->attend_end - 1)))
		return "the place where its goroutines wait to be entered is not in its code";
	return NULL;
}

// member, bytes that are read there
// clang-format off
#define G_FIELDS(X) \
	X(next, 8) X(id, 8) X(status, 4) X(flags, 1) X(wait_reason, 2) X(wait_since, 8) X(m, 8) \
	X(locked_m, 8) X(stack_low, 8) X(stack_high, 8) X(saved_sp, 8) X(creator_id, 8) \
	X(creator_pc, 8) X(label, 8)
#define M_FIELDS(X) X(next, 8) X(id, 8) X(tid, 4) X(current, 8) X(p, 8) X(in_runtime, 4) X(call, 8)
#define SAVED_FIELDS(X) X(rbx, 8) X(rbp, 8) X(r12, 8) X(r13, 8) X(r14, 8) X(r15, 8) X(pc, 8)
// clang-format on

static const char *check_offsets(const struct debugcall_descriptor *d)
{
	// Larger structures than any runtime's; a reader's copies have this size.
	if (d->g.size > DESCRIPTOR_OBJECT_MAX || d->m.size > DESCRIPTOR_OBJECT_MAX ||
	    d->saved.size > DESCRIPTOR_OBJECT_MAX)
		return "a structure is larger than any";
#define X(member, bytes)                       \
	if (d->g.member + (bytes) > d->g.size) \
		return "g." #member " lies beyond the structure";
	G_FIELDS(X)
#undef X
#define X(member, bytes)                       \
	if (d->m.member + (bytes) > d->m.size) \
		return "m." #member " lies beyond the structure";
	M_FIELDS(X)
#undef X
#define X(member, bytes)                               \
	if (d->saved.member + (bytes) > d->saved.size) \
		return "saved." #member " lies beyond the structure";
	SAVED_FIELDS(X)
#undef X
	return NULL;
}

static const char *check_data(const struct check *check, const struct debugcall_descriptor *d)
{
	if (!is_readable(check, d->all_g, sizeof(uint64_t)) ||
	    !is_readable(check, d->all_m, sizeof(uint64_t)))
		return "its lists are not in its memory";
	if (!is_readable(check, d->now, sizeof(int64_t)))
		return "its clock is not in its memory";
	if (d->m_attend && (size_t)d->m_attend + sizeof(uint32_t) > d->m.size)
		return "the word of a thread that is asked to wait lies outside of it";
	if (d->wanted && !is_readable(check, d->wanted, sizeof(uint64_t)))
		return "the word for a goroutine that is wanted is not in its memory";
	if (d->nr_statuses > DESCRIPTOR_TEXTS_MAX || d->nr_wait_reasons > DESCRIPTOR_TEXTS_MAX ||
	    !is_readable(check, d->statuses, d->nr_statuses * sizeof(uint64_t)) ||
	    !is_readable(check, d->wait_reasons, d->nr_wait_reasons * sizeof(uint64_t)))
		return "its texts are not in its memory";
	if (d->status_running >= d->nr_statuses || d->status_waiting >= d->nr_statuses ||
	    d->status_dead >= d->nr_statuses)
		return "a status has no name";
	return NULL;
}

static struct dc_error *damaged(const char *why)
{
	return error_make(DC_REFUSED, "the program's debug call descriptor is damaged: %s", why);
}

struct dc_error *descriptor_check(const void *bytes, size_t n, uint64_t addr,
				  const struct maps *maps, struct debugcall_descriptor *ret)
{
	struct check check = { maps, maps_find(maps, addr) };
	const char *why = NULL;
	size_t known = sizeof(*ret);

	*ret = (struct debugcall_descriptor){ 0 };
	if (n < DEBUGCALL_DESCRIPTOR_HEADER || !check.home)
		return damaged("it is not in memory");
	memcpy(ret, bytes, DEBUGCALL_DESCRIPTOR_HEADER);
	if (memcmp(ret->magic, DEBUGCALL_MAGIC, sizeof(ret->magic)) != 0)
		return damaged("it does not begin as one");
	if (ret->major != DEBUGCALL_MAJOR)
		return error_make(DC_REFUSED,
				  "the program's debug call host speaks version %u.%u, and this "
				  "debugger version %d.%d",
				  ret->major, ret->minor, DEBUGCALL_MAJOR, DEBUGCALL_MINOR);
	// What an older minor version lacks stays zero.
	if (ret->size < DEBUGCALL_DESCRIPTOR_OLDEST)
		return damaged("it is too short");
	if (ret->size < sizeof(*ret))
		known = ret->size;
	if (n < known)
		return damaged("it is too short");
	memcpy(ret, bytes, known);
	if (!ret->minor)
		ret->abandon_entry = 0;
	if (ret->handshake != DEBUGCALL_HANDSHAKE_SIGNAL || ret->handshake_signal < 1 ||
	    ret->handshake_signal > 31)
		why = "its handshake is of no known kind";
	if (!why)
		why = check_code(&check, ret);
	if (!why)
		why = check_offsets(ret);
	if (!why)
		why = check_data(&check, ret);
	return why ? damaged(why) : NULL;
}

// ---- where is it ----------------------------------------------------------------------------------

// The descriptor that a note segment leads to; 0: none of its notes does.
static uint64_t find_note(const unsigned char *notes, size_t n, size_t align, uint64_t addr)
{
	for (size_t at = 0; n - at >= sizeof(Elf64_Nhdr);) {
		Elf64_Nhdr header;
		size_t name = at + sizeof(header), content, next;
		int64_t distance;

		memcpy(&header, notes + at, sizeof(header));
		if (header.n_namesz > n || header.n_descsz > n)
			return 0;
		content = (name + header.n_namesz + align - 1) & -align;
		next = (content + header.n_descsz + align - 1) & -align;
		if (content + header.n_descsz > n)
			return 0;
		if (header.n_type == DEBUGCALL_NOTE_TYPE &&
		    header.n_namesz == sizeof(DEBUGCALL_NOTE_OWNER) &&
		    !memcmp(notes + name, DEBUGCALL_NOTE_OWNER, sizeof(DEBUGCALL_NOTE_OWNER)) &&
		    header.n_descsz == sizeof(distance)) {
			memcpy(&distance, notes + content, sizeof(distance));
			return addr + content + (uint64_t)distance;
		}
		if (next >= n)
			return 0;
		at = next;
	}
	return 0;
}

static uint64_t read_notes(struct process *process, const Elf64_Phdr *segment, uint64_t bias)
{
	enum { NOTES_MAX = 1 << 20 };
	size_t size = segment->p_memsz;
	_cleanup_free_ unsigned char *notes = size && size <= NOTES_MAX ? malloc(size) : NULL;

	if (!notes || memory_read_some(process, bias + segment->p_vaddr, notes, size) != size)
		return 0;
	return find_note(notes, size, segment->p_align == 8 ? 8 : 4, bias + segment->p_vaddr);
}

// The first page of a file as it is mapped: its ELF header with the program headers behind it.
static uint64_t find_in_module(struct process *process, uint64_t start)
{
	unsigned char page[4096];
	Elf64_Ehdr header;
	size_t n = memory_read_some(process, start, page, sizeof(page));
	uint64_t bias = start, found = 0;
	size_t nr;

	if (n < sizeof(header))
		return 0;
	memcpy(&header, page, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
	    header.e_phoff > n)
		return 0;
	nr = (n - header.e_phoff) / sizeof(Elf64_Phdr);
	if (header.e_phnum < nr)
		nr = header.e_phnum;
	const unsigned char *at = page + header.e_phoff;
	Elf64_Phdr segment;

	for (size_t i = 0; i < nr; i++) {
		memcpy(&segment, at + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_LOAD && segment.p_offset == 0) {
			bias = start - (segment.p_vaddr & ~UINT64_C(4095));
			break;
		}
	}
	for (size_t i = 0; i < nr && !found; i++) {
		memcpy(&segment, at + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_NOTE)
			found = read_notes(process, &segment, bias);
	}
	return found;
}

struct dc_error *descriptor_find(struct process *process, const struct maps *maps,
				 struct debugcall_descriptor *ret, bool *found)
{
	struct dc_error *problem = NULL;

	*found = false;
	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *map = &maps->map[i];
		struct debugcall_descriptor bytes;
		uint64_t addr;

		// A file's mappings follow one another, and the first of its code has the header.
		if (map->offset || !map->inode || !map->readable || map->shared)
			continue;
		addr = find_in_module(process, map->start);
		if (!addr)
			continue;

		size_t n = memory_read_some(process, addr, &bytes, sizeof(bytes));
		struct dc_error *err = descriptor_check(&bytes, n, addr, maps, ret);

		if (!err) {
			dc_error_destroy(problem);
			*found = true;
			return NULL;
		}
		// Another module may have a sound one.
		if (problem)
			dc_error_destroy(err);
		else
			problem = err;
	}
	return problem;
}
