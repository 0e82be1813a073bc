// SPDX-License-Identifier: MIT
// Modules from the mappings: which files are mapped as code, where, and in which order the dynamic
// linker loaded them. Bias comes from the program headers, never from the file's type.
#include "debugger/symbols/elf/minidebug.h"
#include "debugger/symbols/elf/module.h"
#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/target/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>

void module_problem(struct loaded *loaded, struct dc_error *err)
{
	if (err && err != &dc_out_of_memory && !loaded->module.problem)
		loaded->module.problem = take_ptr(err->message);
	dc_error_destroy(err);
}

bool module_contains(const struct loaded *loaded, uint64_t addr)
{
	return addr >= loaded->module.start && addr < loaded->module.end;
}

static void module_destroy(struct loaded *loaded)
{
	units_destroy(loaded->info);
	// The alternate file is used by the main one, so it goes last.
	if (loaded->dwarf)
		dwarf_end(loaded->dwarf);
	if (loaded->alt)
		dwarf_end(loaded->alt);
	image_close(loaded->alt_image);
	image_close(loaded->debug_image);
	image_close(loaded->image);
	go_module_destroy(loaded->go);
	free((char *)loaded->module.path);
	free(loaded->module.problem);
	free(loaded);
}

void modules_destroy(struct loaded *list)
{
	while (list) {
		struct loaded *loaded = list;

		list = loaded->next;
		module_destroy(loaded);
	}
}

// ---- one module ------------------------------------------------------------------------------

// The bytes of the vdso are nowhere but in memory.
static struct dc_error *open_vdso(struct loaded *loaded)
{
	size_t size = loaded->module.end - loaded->module.start;
	_cleanup_free_ char *bytes = size <= 1 << 20 ? malloc(size) : NULL;

	if (!bytes)
		return &dc_out_of_memory;

	struct dc_error *err = memory_read(loaded->process, loaded->module.start, bytes, size);

	return err ? err : image_from_bytes(take_ptr(bytes), size, &loaded->image);
}

// The build id that is mapped, from the target's own memory.
static size_t mapped_build_id(const struct loaded *loaded, const struct mapping *first,
			      unsigned char *buf, size_t room)
{
	Elf64_Ehdr header;
	size_t size = first->end - first->start < 4096 ? first->end - first->start : 4096;
	unsigned char page[4096];

	if (memory_read_some(loaded->process, first->start, page, size) < sizeof(header))
		return 0;
	memcpy(&header, page, sizeof(header));
	for (size_t i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;
		size_t at = header.e_phoff + i * sizeof(segment);

		if (header.e_phoff > size || at + sizeof(segment) > size)
			break;
		memcpy(&segment, page + at, sizeof(segment));
		if (segment.p_type != PT_NOTE || segment.p_offset >= size)
			continue;
		for (size_t note = segment.p_offset; note + sizeof(Elf64_Nhdr) + 4 <= size;) {
			Elf64_Nhdr nhdr;

			memcpy(&nhdr, page + note, sizeof(nhdr));

			size_t desc = note + sizeof(nhdr) + ((nhdr.n_namesz + 3u) & ~3u);

			if (nhdr.n_namesz > 64 || nhdr.n_descsz > 4096 ||
			    desc + nhdr.n_descsz > size ||
			    note >= segment.p_offset + segment.p_filesz)
				break;
			if (nhdr.n_type == NT_GNU_BUILD_ID && nhdr.n_descsz <= room &&
			    !memcmp(page + note + sizeof(nhdr), "GNU", 4)) {
				memcpy(buf, page + desc, nhdr.n_descsz);
				return nhdr.n_descsz;
			}
			note = desc + ((nhdr.n_descsz + (segment.p_align == 8 ? 7u : 3u)) &
				       ~(segment.p_align == 8 ? 7u : 3u));
		}
	}
	return 0;
}

// The file under this name may be a newer one; map_files gives the mapped one, but asks for a
// capability, so what came is compared: inode first, and where a layered file system shows another
// inode, the build id.
static struct dc_error *open_file(struct loaded *loaded, const struct mapping *first)
{
	int fd = process_open_file(loaded->process, loaded->module.path, first->start, first->end);

	if (fd < 0)
		return error_errno(errno, "cannot open %s", loaded->module.path);

	struct dc_error *err = image_open(fd, &loaded->image);

	if (err || loaded->image->inode == first->inode)
		return err;

	unsigned char mapped[64];
	const unsigned char *own;
	size_t n = mapped_build_id(loaded, first, mapped, sizeof(mapped));

	if (n && image_build_id(loaded->image, &own) == n && !memcmp(own, mapped, n))
		return NULL;
	image_close(take_ptr(loaded->image));
	return error_make(DC_VALUE, "%s is no longer the file that is mapped", loaded->module.path);
}

static bool find_bias(struct loaded *loaded, const struct mapping *first, size_t n)
{
	size_t nr_segments = image_nr_segments(loaded->image);

	for (size_t i = 0; i < nr_segments; i++) {
		GElf_Phdr segment;

		if (!image_segment(loaded->image, i, &segment) || segment.p_type != PT_LOAD ||
		    !segment.p_filesz)
			continue;
		if (loaded->is_vdso) {
			loaded->module.bias = loaded->module.start - segment.p_vaddr +
					      segment.p_offset;
			return true;
		}
		for (const struct mapping *map = first; map < first + n; map++) {
			if (map->inode != loaded->inode || segment.p_offset < map->offset ||
			    segment.p_offset - map->offset >= map->end - map->start ||
			    !(segment.p_flags & PF_X) != !map->executable)
				continue;
			loaded->module.bias = map->start + (segment.p_offset - map->offset) -
					      segment.p_vaddr;
			return true;
		}
	}
	return false;
}

// .bss is an anonymous mapping behind the file's own.
static void find_end(struct loaded *loaded)
{
	size_t n = image_nr_segments(loaded->image);

	for (size_t i = 0; i < n; i++) {
		GElf_Phdr segment;

		if (image_segment(loaded->image, i, &segment) && segment.p_type == PT_LOAD) {
			uint64_t end = loaded->module.bias + segment.p_vaddr + segment.p_memsz;

			if (end > loaded->module.end && end - loaded->module.end < UINT32_MAX)
				loaded->module.end = end;
		}
	}
}

static struct dc_error *module_create(struct process *process, const struct mapping *first,
				      size_t n, bool is_vdso, struct loaded **ret)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	char *path = strdup(is_vdso ? "[vdso]" : first->path);

	if (!loaded || !path) {
		free(loaded);
		free(path);
		return &dc_out_of_memory;
	}

	const char *slash = strrchr(path, '/');

	loaded->process = process;
	loaded->is_vdso = is_vdso;
	loaded->inode = first->inode;
	loaded->dev_major = first->dev_major;
	loaded->dev_minor = first->dev_minor;
	loaded->module.path = path;
	loaded->module.name = slash ? slash + 1 : path;
	loaded->module.start = first->start;
	loaded->module.end = first[n - 1].end;
	for (const struct mapping *map = first; map < first + n; map++) {
		if (map->inode == loaded->inode)
			loaded->module.end = map->end;
	}

	loaded->module.nr_witness = memory_read_some(process, loaded->module.start,
						     loaded->module.witness,
						     sizeof(loaded->module.witness));

	struct dc_error *err = is_vdso ? open_vdso(loaded) : open_file(loaded, first);

	if (!err && !find_bias(loaded, first, n)) {
		err = error_make(DC_VALUE, "%s: its program headers do not fit its mappings",
				 loaded->module.name);
		image_close(take_ptr(loaded->image));
	}
	if (err == &dc_out_of_memory) {
		module_destroy(loaded);
		return err;
	}
	if (trace_on(TRACE_SYMBOLS))
		trace_put(TRACE_SYMBOLS, "module found", 0, 0, loaded->module.start,
			  loaded->module.name);
	module_problem(loaded, err);
	if (loaded->image) {
		find_end(loaded);
		loaded->module.has_dwarf = image_has_dwarf(loaded->image);
	}
	*ret = loaded;
	return NULL;
}

// ---- the list --------------------------------------------------------------------------------

static struct loaded *known(struct loaded *list, const struct mapping *first)
{
	for (; list; list = list->next) {
		if (list->module.start == first->start && list->inode == first->inode &&
		    list->dev_major == first->dev_major && list->dev_minor == first->dev_minor)
			return list;
	}
	return NULL;
}

// The mappings of one file in a row with offsets that rise: one load of it. A second load, or a
// file that is mapped to be read, starts over at a lower offset.
static size_t group_size(const struct maps *maps, size_t first, bool *has_code)
{
	const struct mapping *head = &maps->map[first];
	uint64_t offset = head->offset;
	size_t n = 1;

	*has_code = head->executable;
	for (size_t i = first + 1; i < maps->n; i++) {
		const struct mapping *map = &maps->map[i];

		if (map->inode != head->inode || map->dev_major != head->dev_major ||
		    map->dev_minor != head->dev_minor) {
			// Anonymous memory lies between segments; another file ends the group.
			if (map->inode || map->path[0])
				break;
			continue;
		}
		if (map->offset < offset)
			break;
		offset = map->offset;
		n = i - first + 1;
		*has_code |= map->executable;
	}
	return n;
}

// A program may map a part of a file once more, as V8 does with its built-in code. That is no load
// of it, for a load has the file's start.
static bool is_part(const struct maps *maps, size_t first)
{
	const struct mapping *head = &maps->map[first];

	for (size_t i = 0; head->offset && i < maps->n; i++) {
		const struct mapping *map = &maps->map[i];

		if (!map->offset && map->inode == head->inode &&
		    map->dev_major == head->dev_major && map->dev_minor == head->dev_minor)
			return true;
	}
	return false;
}

static bool is_program(const struct process *process, const struct loaded *loaded)
{
	_cleanup_close_ int fd = process_openat(process, "exe", O_PATH);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return false;
	return loaded->image
		       ? st.st_ino == loaded->image->inode && st.st_dev == loaded->image->device
		       : st.st_ino == loaded->inode;
}

// The dynamic linker's own list, by each module's .dynamic; private namespaces are not in it.
static void order_by_link_map(struct process *process, struct loaded **list)
{
	struct loaded *program = *list;
	GElf_Phdr dynamic;
	uint64_t at = 0;

	if (!program || !program->is_program || !program->image ||
	    !image_segment_of(program->image, PT_DYNAMIC, &dynamic))
		return;

	size_t size = dynamic.p_memsz < 16384 ? dynamic.p_memsz : 16384;
	_cleanup_free_ Elf64_Dyn *entries = malloc(size);

	if (!entries)
		return;
	size = memory_read_some(process, program->module.bias + dynamic.p_vaddr, entries, size);
	for (size_t i = 0; i < size / sizeof(*entries) && entries[i].d_tag != DT_NULL; i++) {
		if (entries[i].d_tag == DT_DEBUG)
			at = entries[i].d_un.d_ptr;
	}

	struct r_debug debug;
	struct link_map map;

	if (!at || memory_read_some(process, at, &debug, sizeof(debug)) != sizeof(debug))
		return;
	at = (uintptr_t)debug.r_map;

	enum { MAX_MODULES = 10000 }; // the list may change under us, even into a loop
	struct loaded **place = list;

	for (int n = 0; at && n < MAX_MODULES; n++) {
		if (memory_read_some(process, at, &map, sizeof(map)) != sizeof(map))
			return;
		for (struct loaded **link = place; *link; link = &(*link)->next) {
			struct loaded *loaded = *link;

			if (!module_contains(loaded, (uintptr_t)map.l_ld))
				continue;
			loaded->link_map = at;
			*link = loaded->next;
			loaded->next = *place;
			*place = loaded;
			place = &loaded->next;
			break;
		}
		at = (uintptr_t)map.l_next;
	}
}

struct dc_error *modules_update(struct process *process, const struct maps *maps,
				struct loaded **list)
{
	bool changed = false;

	for (struct loaded *loaded = *list; loaded; loaded = loaded->next)
		loaded->seen = false;

	struct loaded **end = list;

	while (*end)
		end = &(*end)->next;
	for (size_t i = 0, n; i < maps->n; i += n) {
		bool has_code, is_vdso = !strcmp(maps->map[i].path, "[vdso]");

		n = 1;
		if (is_vdso)
			has_code = true;
		else if (maps->map[i].inode)
			n = group_size(maps, i, &has_code);
		else
			continue;
		if (!has_code || (!is_vdso && is_part(maps, i)))
			continue;

		struct loaded *loaded = known(*list, &maps->map[i]);

		if (!loaded) {
			struct dc_error *err = module_create(process, &maps->map[i], n, is_vdso,
							     &loaded);

			if (err)
				return err;
			*end = loaded;
			end = &loaded->next;
			changed = true;
		}
		loaded->seen = true;
	}
	if (!changed)
		return NULL;
	for (struct loaded **link = list; *link; link = &(*link)->next) {
		struct loaded *loaded = *link;

		if (loaded->is_vdso || !is_program(process, loaded))
			continue;
		loaded->is_program = true;
		*link = loaded->next;
		loaded->next = *list;
		*list = loaded;
		break;
	}
	order_by_link_map(process, list);
	return NULL;
}

// ---- what a module holds ---------------------------------------------------------------------

void module_need_tables(struct loaded *loaded)
{
	if (loaded->tables_read || !loaded->image)
		return;
	loaded->tables_read = true;
	module_problem(loaded, go_module_find(loaded->process, loaded->image, loaded->module.bias,
					      &loaded->go));
	if (!symtab_load(loaded->image, false, &loaded->symtab))
		memset(&loaded->symtab, 0, sizeof(loaded->symtab));
	if (loaded->go && !loaded->symtab.n && !go_module_symtab(loaded->go, &loaded->symtab))
		memset(&loaded->symtab, 0, sizeof(loaded->symtab));
	if (!symtab_load(loaded->image, true, &loaded->dynsym))
		memset(&loaded->dynsym, 0, sizeof(loaded->dynsym));
	trace_named(TRACE_SYMBOLS, "symbols read", (int64_t)(loaded->symtab.n + loaded->dynsym.n),
		    loaded->module.name);
}

static void need_debug_file(struct loaded *loaded)
{
	if (loaded->debug_sought || !loaded->image || loaded->is_vdso)
		return;
	loaded->debug_sought = true;
	loaded->debug_image = debugfile_find(loaded);
	if (!loaded->debug_image)
		loaded->debug_image = minidebug_open(loaded->image);
	if (loaded->debug_image && !symtab_load(loaded->debug_image, false, &loaded->debug_symtab))
		memset(&loaded->debug_symtab, 0, sizeof(loaded->debug_symtab));
	trace_named(TRACE_SYMBOLS, "separate debug file found", loaded->debug_image != NULL,
		    loaded->module.name);
}

const struct symtab *module_debug_symtab(struct loaded *loaded)
{
	module_need_tables(loaded);
	if (loaded->symtab.n && !loaded->symtab.is_made)
		return NULL;
	need_debug_file(loaded);
	return loaded->debug_symtab.n ? &loaded->debug_symtab : NULL;
}

static struct dc_error *open_dwarf(struct loaded *loaded, struct image *image)
{
	Dwarf *dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);

	if (!dwarf)
		return error_libdw("%s: cannot read its debug information", loaded->module.name);
	loaded->dwarf = dwarf;
	if (!debug_strings_end(dwarf))
		return error_make(DC_VALUE, "its debug information is damaged");
	loaded->alt_image = debugfile_find_alt(loaded, image, loaded->module.path);
	if (loaded->alt_image)
		loaded->alt = dwarf_begin_elf(loaded->alt_image->elf, DWARF_C_READ, NULL);
	if (loaded->alt && !debug_strings_end(loaded->alt)) {
		dwarf_end(loaded->alt);
		loaded->alt = NULL;
	}
	if (loaded->alt)
		dwarf_setalt(dwarf, loaded->alt);
	return units_create(dwarf, loaded->alt, &loaded->info);
}

struct units *module_dwarf(struct loaded *loaded, enum effort effort)
{
	if (loaded->info && !loaded->module.problem && units_are_damaged(loaded->info))
		module_problem(loaded, error_make(DC_VALUE, "its debug information is damaged"));
	if (loaded->info || loaded->dwarf_tried || !loaded->image)
		return loaded->info;

	struct image *image = loaded->image;

	if (!image_has_dwarf(image)) {
		if (effort == EFFORT_OWN_FILE)
			return NULL;
		need_debug_file(loaded);
		image = loaded->debug_image;
		loaded->dwarf_is_separate = true;
	}
	loaded->dwarf_tried = true;
	if (image && image_has_dwarf(image)) {
		module_problem(loaded, open_dwarf(loaded, image));
		loaded->module.has_dwarf = loaded->info != NULL;
	}
	trace_named(TRACE_SYMBOLS, "debug information opened", loaded->info != NULL,
		    loaded->module.name);
	return loaded->info;
}

// Of all that opening debug information takes the strings are a small part. Compilers keep names of
// up to three letters elsewhere, and Go's all of them; a dwz file has strings of its own.
static bool debug_file_may_name(struct loaded *loaded, const char *name)
{
	GElf_Shdr header;
	const unsigned char *rest;
	size_t nr_rest;

	need_debug_file(loaded);
	if (!loaded->debug_image || !image_has_dwarf(loaded->debug_image))
		return false;
	if (strlen(name) < 4 || loaded->go ||
	    image_link(loaded->debug_image, ".gnu_debugaltlink", &rest, &nr_rest))
		return true;

	Elf_Scn *section = image_section(loaded->debug_image, ".debug_str", &header);

	if (!section || (header.sh_flags & SHF_COMPRESSED && elf_compress(section, 0, 0) < 0))
		return true;

	Elf_Data *data = elf_rawdata(section, NULL);

	return !data || !data->d_buf || memmem(data->d_buf, data->d_size, name, strlen(name) + 1);
}

struct units *module_dwarf_naming(struct loaded *loaded, enum effort effort, const char *name)
{
	if (!loaded->info && !loaded->dwarf_tried && loaded->image && effort == EFFORT_DEBUG_FILE &&
	    !image_has_dwarf(loaded->image) && !debug_file_may_name(loaded, name_last_part(name)))
		return NULL;
	return module_dwarf(loaded, effort);
}
