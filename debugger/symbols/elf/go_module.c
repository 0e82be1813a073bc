// SPDX-License-Identifier: MIT
// Sections name the parts where the linker was Go's own; else they are found by how they begin.
#include "debugger/symbols/elf/go_module.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <stdlib.h>
#include <string.h>

static const char build_info[] = "\xff Go buildinf:";

// ---- the version ----------------------------------------------------------------------------------

// | magic, 14 bytes | size of a pointer | flags | 16 bytes | length, version, … |
static void read_version(struct go_module *module, const unsigned char *info, size_t size)
{
	enum { FLAGS = 15, INLINE = 2, TEXT = 32 };
	size_t length;

	if (size < TEXT + 1 || !(info[FLAGS] & INLINE))
		return;
	length = info[TEXT];
	if (length >= sizeof(module->version) || length > size - TEXT - 1)
		return;
	memcpy(module->version, info + TEXT + 1, length);
	for (const char *at = module->version; *at; at++)
		if (*at < ' ' || *at > '~')
			module->version[at - module->version] = '?';
	if (!strncmp(module->version, "go1.", 4))
		module->minor = atoi(module->version + 4);
}

static const unsigned char *info_in(const unsigned char *bytes, size_t size)
{
	const unsigned char *at = bytes;

	while ((at = memmem(at, size - (size_t)(at - bytes), build_info, sizeof(build_info) - 1))) {
		if (!((at - bytes) & 15))
			return at;
		at++;
	}
	return NULL;
}

// ---- the table ------------------------------------------------------------------------------------

static Elf_Data *section(const struct image *image, const char *name, uint64_t *addr)
{
	GElf_Shdr header;
	Elf_Data *data = image_section_data(image, name);

	if (data && image_section(image, name, &header))
		*addr = header.sh_addr;
	return data;
}

// The whole of it, that is, up to the end of what it lies in.
static bool find_table(const struct image *image, struct go_module *module,
		       const unsigned char **bytes, size_t *size)
{
	enum { ALIGNED = 32 };
	size_t n = image_nr_segments(image);
	Elf_Data *data = section(image, ".gopclntab", &module->addr);

	if (!data)
		data = section(image, ".data.rel.ro.gopclntab", &module->addr);
	if (data) {
		*bytes = data->d_buf;
		*size = data->d_size;
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr segment;
		const unsigned char *in;

		if (!image_segment(image, i, &segment) || segment.p_type != PT_LOAD ||
		    segment.p_flags & PF_X)
			continue;
		in = image_bytes(image, segment.p_offset, segment.p_filesz);
		if (!in)
			continue;
		for (uint64_t at = -segment.p_vaddr & (ALIGNED - 1); at + 8 < segment.p_filesz;
		     at += ALIGNED) {
			struct pclntab table;

			if (!pclntab_begins(in + at, 8))
				continue;
			*bytes = in + at;
			*size = segment.p_filesz - at;
			module->addr = segment.p_vaddr + at;
			if (!pclntab_open(*bytes, *size, &table))
				return true;
		}
	}
	return module->addr;
}

static bool find_info(const struct image *image, struct go_module *module)
{
	size_t n = image_nr_segments(image);
	uint64_t addr;
	Elf_Data *data = section(image, ".go.buildinfo", &addr);
	const unsigned char *info = data ? info_in(data->d_buf, data->d_size) : NULL;

	if (info) {
		read_version(module, info,
			     data->d_size - (size_t)(info - (unsigned char *)data->d_buf));
		return true;
	}
	for (size_t i = 0; !data && i < n; i++) {
		GElf_Phdr segment;
		const unsigned char *in;

		if (!image_segment(image, i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_W))
			continue;
		in = image_bytes(image, segment.p_offset, segment.p_filesz);
		info = in ? info_in(in, segment.p_filesz) : NULL;
		if (!info)
			continue;
		read_version(module, info, segment.p_filesz - (size_t)(info - in));
		return true;
	}
	return false;
}

// What names a Go module at once, so that the others are not searched.
static bool may_be_go(const struct image *image)
{
	static const char *const names[] = { ".gopclntab", ".data.rel.ro.gopclntab",
					     ".go.buildinfo", ".note.go.buildid" };
	GElf_Shdr header;
	size_t strings, n;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (image_section(image, names[i], &header))
			return true;
	// Without sections nothing is named.
	return elf_getshdrstrndx(image->elf, &strings) || elf_getshdrnum(image->elf, &n) || n < 2;
}

// ---- where the linker put things ------------------------------------------------------------------

// runtime.moduledata, in words.
enum {
	DATA_TEXT = 22,
	DATA_TYPES = 35, // and where they end; two further since Go 1.20
	DATA_LINKS = 42,
	DATA_WORDS = 56,
};

static bool is_data(const struct go_module *module, uint64_t bias, const uint64_t *words)
{
	uint64_t table = bias + module->addr;

	return words[0] == table && words[1] == table + module->table.names &&
	       words[4] == table + module->table.units &&
	       words[13] == table + module->table.functions && words[DATA_TEXT] >= bias &&
	       words[DATA_TEXT] < words[DATA_TEXT + 1];
}

static void take_data(struct go_module *module, uint64_t addr, const uint64_t *words)
{
	size_t more = module->minor >= 20 ? 2 : 0, end = DATA_TYPES + more + 1;

	module->data = addr;
	// Since Go 1.27 the size of a part is between the two, and the types are in no list.
	end += module->minor >= 27;
	if (words[DATA_TYPES + more] >= words[end])
		return;
	module->types = words[DATA_TYPES + more];
	module->end_of_types = words[end];
	if (module->minor >= 27)
		return;
	more += module->minor >= 26;
	// An array and its two lengths.
	if (words[DATA_LINKS + more + 1] == words[DATA_LINKS + more + 2]) {
		module->links = words[DATA_LINKS + more];
		module->nr_links = words[DATA_LINKS + more + 1];
	}
}

void go_module_need_data(struct go_module *module, struct process *process,
			 const struct image *image, uint64_t bias)
{
	enum { PIECE = 1 << 20 };
	_cleanup_free_ uint64_t *piece = NULL;
	size_t n = image_nr_segments(image);

	if (module->sought || !module->addr)
		return;
	module->sought = true;
	piece = malloc(PIECE + DATA_WORDS * sizeof(*piece));
	for (size_t i = 0; piece && i < n && !module->data; i++) {
		GElf_Phdr segment;

		// What is made read-only once it is relocated is of a segment that is written, too.
		if (!image_segment(image, i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_W))
			continue;
		for (uint64_t at = -segment.p_vaddr & 7; at < segment.p_filesz && !module->data;
		     at += PIECE) {
			uint64_t addr = bias + segment.p_vaddr + at;
			size_t got = memory_read_some(process, addr, piece,
						      PIECE + DATA_WORDS * sizeof(*piece)) /
				     sizeof(*piece);

			for (size_t k = 0; k + DATA_WORDS <= got && !module->data; k++)
				if (piece[k] == bias + module->addr &&
				    is_data(module, bias, piece + k))
					take_data(module, addr + k * sizeof(*piece), piece + k);
			if (got < DATA_WORDS)
				break;
		}
	}
}

// Of a program that may lie anywhere the file does not say it, newer ones do not in any case.
static void find_text(struct go_module *module, struct process *process, const struct image *image,
		      uint64_t bias)
{
	uint64_t text = 0;

	if (memory_read_some(process, bias + module->addr + PCLNTAB_TEXT, &text, sizeof(text)) !=
	    sizeof(text))
		text = 0;
	if (!text) {
		go_module_need_data(module, process, image, bias);
		if (module->data &&
		    memory_read_some(process, module->data + DATA_TEXT * sizeof(text), &text,
				     sizeof(text)) != sizeof(text))
			text = 0;
	}
	module->table.text = text - bias;
	if (text > bias && image_has_code(image, module->table.text))
		return;
	module->table = (struct pclntab){ 0 };
	module->problem = "its table of functions does not tell where the code is";
}

struct dc_error *go_module_find(struct process *process, const struct image *image, uint64_t bias,
				struct go_module **ret)
{
	struct go_module *module;
	const unsigned char *bytes = NULL;
	size_t size = 0;

	*ret = NULL;
	if (!may_be_go(image))
		return NULL;
	module = calloc(1, sizeof(*module));
	if (!module)
		return &dc_out_of_memory;

	bool has_info = find_info(image, module),
	     has_table = find_table(image, module, &bytes, &size);

	if (!has_table && !has_info) {
		free(module);
		return NULL;
	}
	module->problem = has_table ? pclntab_open(bytes, size, &module->table)
				    : "it has no table of functions";
	if (!module->problem)
		find_text(module, process, image, bias);
	*ret = module;
	return NULL;
}

void go_module_destroy(struct go_module *module)
{
	if (!module)
		return;
	free(module->symbols);
	free(module);
}

// ---- symbols --------------------------------------------------------------------------------------

// Of two functions of a name one is there for callers of the other convention: Go's own is what is
// written in Go, or what the compiler made around something that is not.
enum source { SOURCE_OF_GO, SOURCE_MADE, SOURCE_ASSEMBLED };

static enum source source_of(const struct pclntab *table, const struct pclntab_function *function)
{
	const char *file = pclntab_file(table, function, function->start);
	size_t n = file ? strlen(file) : 0;

	if (n > 2 && !strcmp(file + n - 2, ".s"))
		return SOURCE_ASSEMBLED;
	return n && !strcmp(file, "<autogenerated>") ? SOURCE_MADE : SOURCE_OF_GO;
}

bool go_module_symtab(struct go_module *module, struct symtab *ret)
{
	const struct pclntab *table = &module->table;
	size_t n = 1, nr_strings = table->units - table->names;
	const char *strings = (const char *)table->bytes + table->names;

	while (nr_strings && strings[nr_strings - 1])
		nr_strings--;
	if (!table->n || !nr_strings)
		return false;
	module->symbols = calloc(table->n + 1, sizeof(*module->symbols));
	if (!module->symbols)
		return false;
	// The better ones first.
	for (int source = SOURCE_OF_GO; source <= SOURCE_ASSEMBLED; source++) {
		for (uint64_t i = 0; i < table->n; i++) {
			struct pclntab_function function;

			if (!pclntab_get(table, i, &function) ||
			    (int)source_of(table, &function) != source)
				continue;
			module->symbols[n++] = (Elf64_Sym){
				.st_name = function.name_at,
				.st_info = ELF64_ST_INFO(source == SOURCE_ASSEMBLED ? STB_LOCAL
										    : STB_GLOBAL,
							 STT_FUNC),
				.st_shndx = 1,
				.st_value = function.start,
				.st_size = function.end - function.start,
			};
		}
	}
	*ret = (struct symtab){ .symbols = (const unsigned char *)module->symbols,
				.n = n,
				.strings = strings,
				.nr_strings = nr_strings,
				.is_made = true };
	return true;
}
