// SPDX-License-Identifier: MIT
// Thread-local storage, variant II: a module's block lies below the thread pointer when it was there
// at start, else where the thread's vector (DTV) says.
//
//   fs_base - offset of module ...... | block of the program | TCB at fs_base: self, dtv, ...
//   dtv (glibc): { pointer, to_free } per module number;  (musl): pointer per module number
#include "debugger/symbols/set.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <string.h>

static struct dc_error *read_word(struct symbols *symbols, uint64_t addr, uint64_t *ret)
{
	return memory_read(symbols->process, addr, ret, sizeof(*ret));
}

// Where the dynamic linker puts a program's block; the static linker has counted on it.
static uint64_t program_offset(const GElf_Phdr *tls)
{
	uint64_t align = tls->p_align ? tls->p_align : 1;
	uint64_t skew = -tls->p_vaddr & (align - 1);

	return (tls->p_memsz - skew + align - 1) / align * align + skew;
}

static struct loaded *find_symbol(struct symbols *symbols, const char *name, struct symbol *ret)
{
	size_t nr_locals;

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (!loaded->seen || !loaded->image)
			continue;
		module_need_tables(loaded);
		if (loaded->dynsym.n &&
		    symtab_find(&loaded->dynsym, loaded->image, name, SYMBOL_DATA, ret, &nr_locals))
			return loaded;
	}
	return NULL;
}

// glibc describes its private structures to thread debuggers: { bits, elements, offset }, 32 bits
// each.
static bool link_map_field(struct symbols *symbols, uint64_t link_map, const char *field,
			   uint64_t *ret)
{
	struct symbol symbol;
	struct loaded *libc = find_symbol(symbols, field, &symbol);
	uint32_t descriptor[3];

	if (!libc || !link_map)
		return false;

	struct dc_error *err = memory_read(symbols->process, libc->module.bias + symbol.value,
					   descriptor, sizeof(descriptor));

	if (!err && descriptor[0] == 64)
		err = read_word(symbols, link_map + descriptor[2], ret);
	else if (!err)
		return false;
	dc_error_destroy(err);
	return !err;
}

// musl numbers modules with thread-local storage as it loads them.
static uint64_t number_by_order(struct symbols *symbols, const struct loaded *wanted)
{
	uint64_t number = 0;
	GElf_Phdr tls;

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (loaded->seen && loaded->image && image_segment_of(loaded->image, PT_TLS, &tls))
			number++;
		if (loaded == wanted)
			return number;
	}
	return 0;
}

static struct dc_error *from_vector(struct symbols *symbols, const struct variable *variable,
				    uint64_t fs_base, uint64_t number, unsigned int entry_size,
				    uint64_t *ret)
{
	uint64_t vector, block;
	struct dc_error *err = read_word(symbols, fs_base + 8, &vector);

	// The vector may be shorter than the number: it grows when the thread first asks. glibc
	// keeps its length before it.
	if (!err && entry_size == 16) {
		uint64_t length;

		err = read_word(symbols, vector - 16, &length);
		if (!err && number > length)
			return error_make(DC_VALUE, "the thread has no storage for \"%s\" yet (%s)",
					  variable->name, variable->module->name);
	}
	if (!err)
		err = read_word(symbols, vector + number * entry_size, &block);
	if (err)
		return err;
	if (!block || block == UINT64_MAX)
		return error_make(DC_VALUE, "the thread has no storage for \"%s\" yet (%s)",
				  variable->name, variable->module->name);
	*ret = block + variable->addr;
	return NULL;
}

struct dc_error *symbols_tls_address(struct symbols *symbols, const struct variable *variable,
				     uint64_t fs_base, uint64_t *ret)
{
	struct loaded *loaded = loaded_of(variable->module);
	uint64_t offset, number;
	GElf_Phdr tls;

	if (!fs_base)
		return error_make(DC_VALUE, "\"%s\" is thread-local, and there is no thread",
				  variable->name);
	if (!loaded->image || !image_segment_of(loaded->image, PT_TLS, &tls) ||
	    variable->addr >= tls.p_memsz)
		return error_make(DC_VALUE, "%s has no thread-local storage for \"%s\"",
				  loaded->module.name, variable->name);
	if (loaded->is_program) {
		*ret = fs_base - program_offset(&tls) + variable->addr;
		return NULL;
	}
	// Zero and all ones are how glibc says that the block is not below the thread pointer.
	if (link_map_field(symbols, loaded->link_map, "_thread_db_link_map_l_tls_offset",
			   &offset) &&
	    offset && offset < UINT64_MAX - 1) {
		*ret = fs_base - offset + variable->addr;
		return NULL;
	}
	if (link_map_field(symbols, loaded->link_map, "_thread_db_link_map_l_tls_modid", &number) &&
	    number)
		return from_vector(symbols, variable, fs_base, number, 16, ret);

	struct symbol symbol;

	// With glibc's own description missing, only musl's plain scheme is known.
	if (find_symbol(symbols, "gnu_get_libc_version", &symbol) ||
	    !(number = number_by_order(symbols, loaded)))
		return error_make(DC_REFUSED, "the thread-local storage of %s cannot be found",
				  loaded->module.name);
	return from_vector(symbols, variable, fs_base, number, 8, ret);
}
