// SPDX-License-Identifier: MIT
// Symbol tables: of mapped files, and of loaded modules as the dynamic linker sees them.
#include "runtime/fault/image.h"
#include "runtime/base/raw.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { IMAGES = 2, NEAR = 4096 };

static struct image images[IMAGES]; // the program, libgort.so
static char program_path[1024];

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

// ---- files --------------------------------------------------------------------------------------

static struct span section(const struct image *image, const Elf64_Shdr *sh)
{
	const struct span *file = &image->file;
	struct span none = { NULL, 0 };

	if (sh->sh_type == SHT_NOBITS || sh->sh_flags & SHF_COMPRESSED || sh->sh_offset > file->n ||
	    sh->sh_size > file->n - sh->sh_offset)
		return none;
	return (struct span){ file->p + sh->sh_offset, sh->sh_size };
}

static void find_sections(struct image *image)
{
	const Elf64_Ehdr *eh = (const void *)image->file.p;
	const Elf64_Shdr *sh;
	struct span names;
	const struct {
		const char *name;
		struct span *span;
	} wanted[] = {
		{ ".symtab", &image->symtab },		 { ".strtab", &image->strtab },
		{ ".debug_line", &image->line },	 { ".debug_str", &image->str },
		{ ".debug_line_str", &image->line_str },
	};

	if (image->file.n < sizeof(*eh) || eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_shentsize != sizeof(*sh) || eh->e_shoff > image->file.n || eh->e_shoff % 8 ||
	    (image->file.n - eh->e_shoff) / sizeof(*sh) < eh->e_shnum ||
	    eh->e_shstrndx >= eh->e_shnum)
		return;
	sh = (const void *)(image->file.p + eh->e_shoff);
	names = section(image, &sh[eh->e_shstrndx]);
	if (!names.n || names.p[names.n - 1])
		return;
	for (unsigned i = 0; i < eh->e_shnum; i++)
		for (unsigned j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++)
			if (sh[i].sh_name < names.n &&
			    same((const char *)names.p + sh[i].sh_name, wanted[j].name))
				*wanted[j].span = section(image, &sh[i]);
	if (!image->strtab.n || image->strtab.p[image->strtab.n - 1])
		image->symtab.n = 0;
}

bool gort__image_open(struct image *image, const char *path, const void *map)
{
	long fd = gort__raw(SYS_open, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0, 0);
	struct stat st;
	long mem = -1;

	if (fd < 0)
		return false;
	if (!gort__raw(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) && st.st_size > 0)
		mem = gort__raw(SYS_mmap, 0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	gort__raw(SYS_close, fd, 0, 0, 0, 0, 0);
	if (mem < 0 && mem >= -GORT__ERRNO_MAX)
		return false;
	*image = (struct image){ .file = { (const uint8_t *)mem, (size_t)st.st_size }, .map = map };
	find_sections(image);
	image->bias = map ? ((const struct link_map *)map)->l_addr : 0;
	return true;
}

// ---- looking symbols up -------------------------------------------------------------------------

struct best {
	const Elf64_Sym *sym;
	uint64_t value;
	bool inside; // its size covers the address
};

static void consider(struct best *best, const Elf64_Sym *sym, uint64_t addr)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);
	bool inside;

	if ((type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC) ||
	    sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE || !sym->st_name ||
	    sym->st_value > addr)
		return;
	inside = addr - sym->st_value < sym->st_size;
	// Labels of assembly have no size: the nearest one below counts.
	if (!inside && (sym->st_size || addr - sym->st_value > NEAR))
		return;
	if (best->sym &&
	    (best->inside > inside || (best->inside == inside && best->value >= sym->st_value)))
		return;
	*best = (struct best){ sym, sym->st_value, inside };
}

const char *gort__image_name(const struct image *image, uint64_t addr, uint64_t *off)
{
	const Elf64_Sym *sym = (const void *)image->symtab.p;
	struct best best = { 0 };

	for (size_t i = 0; i < image->symtab.n / sizeof(*sym); i++)
		consider(&best, &sym[i], addr);
	if (!best.sym || best.sym->st_name >= image->strtab.n)
		return NULL;
	*off = addr - best.value;
	return (const char *)image->strtab.p + best.sym->st_name;
}

// glibc relocates the addresses in a library's dynamic section in place; those of the vdso stay as
// they were.
static const void *dynamic_ptr(const struct link_map *map, uint64_t value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

static size_t count_gnu(const uint32_t *hash)
{
	uint32_t nbuckets = hash[0], base = hash[1], bloom = hash[2], last = 0;
	const uint32_t *buckets = hash + 4 + bloom * 2, *chain = buckets + nbuckets;

	for (uint32_t i = 0; i < nbuckets; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < base)
		return base;
	while (!(chain[last - base] & 1))
		last++;
	return last + 1;
}

static const char *dynamic_name(const struct link_map *map, uint64_t addr, uint64_t *off)
{
	const Elf64_Sym *sym = NULL;
	const char *strings = NULL;
	struct best best = { 0 };
	size_t n = 0;

	for (const Elf64_Dyn *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB: sym = dynamic_ptr(map, d->d_un.d_ptr); break;
		case DT_STRTAB: strings = dynamic_ptr(map, d->d_un.d_ptr); break;
		case DT_HASH: n = ((const uint32_t *)dynamic_ptr(map, d->d_un.d_ptr))[1]; break;
		case DT_GNU_HASH:
			if (!n)
				n = count_gnu(dynamic_ptr(map, d->d_un.d_ptr));
		}
	}
	if (!sym || !strings)
		return NULL;
	for (size_t i = 0; i < n; i++)
		consider(&best, &sym[i], addr);
	if (!best.sym)
		return NULL;
	*off = addr - best.value;
	return strings + best.sym->st_name;
}

// ---- modules ------------------------------------------------------------------------------------

const char *gort__module_path(const void *map)
{
	const struct link_map *m = map;

	return m && m->l_name && *m->l_name ? m->l_name : program_path;
}

const struct image *gort__image_of(const void *map)
{
	for (unsigned i = 0; i < IMAGES; i++)
		if (images[i].file.n && images[i].map == map)
			return &images[i];
	return NULL;
}

void gort__place(struct place *place, uint64_t pc, uint64_t lookup)
{
	struct dl_find_object object;
	const struct link_map *map;
	const struct image *image;
	const char *slash;

	*place = (struct place){ .module_off = pc };
	if (_dl_find_object((void *)lookup, &object))
		return;
	map = object.dlfo_link_map;
	place->module = slash = gort__module_path(map);
	for (; *slash; slash++)
		if (*slash == '/' && slash[1])
			place->module = slash + 1;
	if (!map)
		return;
	place->module_off = pc - map->l_addr;
	image = gort__image_of(map);
	if (image)
		place->name = gort__image_name(image, lookup - map->l_addr, &place->name_off);
	if (!place->name)
		place->name = dynamic_name(map, lookup - map->l_addr, &place->name_off);
	if (place->name)
		place->name_off += pc - lookup;
}

void gort__image_init(void)
{
	struct dl_find_object object;
	long n = gort__raw(SYS_readlink, (long)"/proc/self/exe", (long)program_path,
			   sizeof(program_path) - 1, 0, 0, 0);
	const void *program = NULL;

	program_path[n > 0 ? n : 0] = '\0';
	if (!_dl_find_object((void *)getauxval(AT_ENTRY), &object)) {
		program = object.dlfo_link_map;
		gort__image_open(&images[0], "/proc/self/exe", program);
	}
	if (!_dl_find_object((void *)gort__image_init, &object) && object.dlfo_link_map != program)
		gort__image_open(&images[1], gort__module_path(object.dlfo_link_map),
				 object.dlfo_link_map);
}
