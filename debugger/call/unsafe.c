// SPDX-License-Identifier: MIT
// Code in which a thread must not be borrowed, as sorted address ranges.
// Names decide; in a libc without local symbols the gaps around the exported allocator belong to it.
#include "debugger/call/unsafe.h"

#include "debugger/cleanup.h"
#include "debugger/target/maps.h"
#include "debugger/target/memory.h"

#include <stdlib.h>
#include <string.h>

// Names are compared without leading underscores, "GI_", "libc_", and without what compilers and libc
// append: ".part.0", "_chk", "_unlocked", "64".

// In every module: programs bring allocators of their own.
static const char *const allocator_names[] = {
	"malloc", "free", "cfree", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc",
	"posix_memalign", "valloc", "pvalloc", "malloc_usable_size", "malloc_trim", "malloc_stats",
	"malloc_info", "mallopt", "mallinfo", "mallinfo2", "int_malloc", "int_free", "int_realloc",
	"int_memalign", "mid_memalign", "sysmalloc", "systrim", "sysmalloc_mmap",
	"malloc_consolidate", "default_morecore", "morecore", "heap_trim", "new_heap", "grow_heap",
	"shrink_heap", "munmap_chunk", "mremap_chunk", "unlink_chunk", "malloc_printerr",
	"alloc_perturb", "arena_get2", "arena_get_retry", "reused_arena", "get_free_list",
	"ptmalloc_init", "tcache_init", "tcache_get", "tcache_put", "tcache_thread_shutdown",
	"malloc_assert", "malloc_fork_lock_parent", "malloc_fork_unlock_parent",
	"malloc_fork_unlock_child", "malloc_arena_thread_freeres", "malloc_impl", "realloc_impl",
	"malloc_donate", "expand_heap", "simple_malloc", "memalign_impl",
	// Python's, above malloc
	"PyObject_Malloc", "PyObject_Calloc", "PyObject_Realloc", "PyObject_Free", "PyMem_Malloc",
	"PyMem_Calloc", "PyMem_Realloc", "PyMem_Free", "PyMem_RawMalloc", "PyMem_RawCalloc",
	"PyMem_RawRealloc", "PyMem_RawFree", "pymalloc_alloc", "pymalloc_free", "new_arena",
	"arena_map_get", "arena_map_mark_used", "arena_map_is_used",
	// Ruby's object slots and counters
	"objspace_xmalloc0", "objspace_xfree", "objspace_xrealloc", "newobj_alloc",
	"newobj_slowpath"
};

static const char *const allocator_prefixes[] = { "_Znw",
						  "_Zna",
						  "_Zdl",
						  "_Zda", // operator new and delete
						  "je_",
						  "_je_",
						  "tcmalloc",
						  "_ZN8tcmalloc",
						  "tc_malloc",
						  "tc_free",
						  "tc_calloc",
						  "tc_realloc",
						  "tc_new",
						  "tc_delete",
						  "mi_malloc",
						  "mi_free",
						  "mi_calloc",
						  "mi_realloc",
						  "mi_zalloc",
						  "mi_heap_",
						  "mi_page_",
						  "mi_segment_",
						  "_mi_",
						  "_ZN5scudo",
						  "scudo_",
						  "rpmalloc",
						  "rpfree",
						  "_ZN14partition_alloc",
						  "_ZN4base8internal13PartitionAlloc" };

// Modules that are nothing but allocator or dynamic linker.
static const char *const unsafe_modules[] = { "libjemalloc", "libtcmalloc", "libmimalloc",
					      "libscudo",    "libhoard",    "librpmalloc",
					      "libsnmalloc", "ld-linux",    "ld-2.",
					      "ld.so" };

// In libc, or in a program that holds its own.
static const char *const libc_names[] = {
	// the dynamic linker's side in libc
	"dlopen", "dlclose", "dlsym", "dlvsym", "dladdr", "dladdr1", "dlinfo", "dlmopen", "dlerror",
	"dl_iterate_phdr", "dlopen_mode", "do_dlopen", "do_dlsym", "do_dlclose",
	"tls_get_addr_slow",
	// threads that come and go
	"pthread_create", "pthread_create_2_1", "pthread_exit", "pthread_cancel", "allocate_stack",
	"create_thread", "nptl_deallocate_stack", "nptl_free_tcb", "nptl_deallocate_tsd",
	"nptl_stack_list_add", "nptl_free_stacks", "deallocate_tsd", "thread_freeres", "do_cancel",
	"pthread_unwind", "unwind_stop", "pthread_getattr_np", "pthread_setattr_default_np",
	"nptl_setxid", "setuid", "setgid", "seteuid", "setegid", "setreuid", "setregid",
	"setresuid", "setresgid", "setgroups", "do_setxid", "synccall",
	// processes that come and go
	"fork", "Fork", "vfork", "posix_spawn", "posix_spawnp", "spawni", "spawnix", "spawni_child",
	"run_fork_handlers", "run_prefork_handlers", "run_postfork_handlers", "register_atfork",
	"unregister_atfork", "pthread_atfork", "exit", "quick_exit", "run_exit_handlers", "atexit",
	"on_exit", "at_quick_exit", "cxa_atexit", "cxa_at_quick_exit", "cxa_finalize",
	"cxa_thread_atexit_impl", "call_tls_dtors", "new_exitfn", "internal_atexit", "abort",
	"funcs_on_exit", "funcs_on_quick_exit", "stdio_exit",
	// time zone
	"localtime", "localtime_r", "gmtime", "gmtime_r", "mktime", "mktime_internal", "timelocal",
	"timegm", "tzset", "tz_convert", "tzset_internal", "tzset_parse_tz", "tz_compute",
	"tzfile_read", "tzfile_compute", "ctime", "ctime_r", "strftime", "strftime_l", "wcsftime",
	"strptime", "strptime_l", "getdate", "getdate_r", "secs_to_zone", "zi_fetch", "do_tzset",
	// locale and translation
	"setlocale", "newlocale", "duplocale", "freelocale", "localeconv", "nl_langinfo",
	"nl_langinfo_l", "iconv_open", "iconv_close", "iconv", "bindtextdomain", "textdomain",
	"bind_textdomain_codeset", "dcgettext", "dcigettext", "dgettext", "gettext", "ngettext",
	"dngettext", "dcngettext", "get_locale", "strerror", "strsignal",
	// log
	"syslog", "vsyslog", "openlog", "closelog", "setlogmask", "vsyslog_internal",
	// names of hosts, users and services
	"getaddrinfo", "freeaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname2",
	"gethostbyname_r", "gethostbyname2_r", "gethostbyaddr", "gethostbyaddr_r", "gethostent",
	"getservbyname", "getservbyname_r", "getservbyport", "getservbyport_r", "getservent",
	"getprotobyname", "getprotobynumber", "getnetbyname", "getnetbyaddr", "getpwnam",
	"getpwnam_r", "getpwuid", "getpwuid_r", "getpwent", "getpwent_r", "setpwent", "endpwent",
	"getgrnam", "getgrnam_r", "getgrgid", "getgrgid_r", "getgrent", "getgrent_r", "setgrent",
	"endgrent", "getgrouplist", "initgroups", "innetgr", "getspnam", "getspnam_r", "getifaddrs",
	"if_nameindex", "gai_suspend", "getaddrinfo_a",
	// random numbers, environment
	"random", "srandom", "rand", "srand", "initstate", "setstate", "drand48", "lrand48",
	"mrand48", "erand48", "nrand48", "jrand48", "srand48", "seed48", "lcong48", "arc4random",
	"arc4random_buf", "arc4random_uniform", "setenv", "unsetenv", "putenv", "clearenv",
	"add_to_environ",
	// others that hold a lock of libc's own
	"backtrace", "backtrace_symbols", "backtrace_symbols_fd", "timer_create", "timer_delete",
	"mq_notify", "aio_read", "aio_write", "lio_listio", "aio_cancel", "sem_open", "sem_close",
	"getutent", "getutid", "getutline", "pututline", "setutent", "endutent", "updwtmp",
	"getmntent", "getttyent", "getpass", "mtrace", "muntrace", "lll_lock_wait_private",
	"libc_freeres", "freeres", "readdir", "readdir_r", "crypt"
};

static const char *const libc_prefixes[] = { "_dl_",   "__gconv", "_nl_",   "__nss_", "_nss_",
					     "__nscd", "res_",	  "__res_", "ns_",    "__resolv" };

static const char *const stdio_names[] = { "printf",
					   "fprintf",
					   "vprintf",
					   "vfprintf",
					   "vfprintf_internal",
					   "dprintf",
					   "vdprintf",
					   "buffered_vfprintf",
					   "wprintf",
					   "fwprintf",
					   "vwprintf",
					   "vfwprintf",
					   "vfwprintf_internal",
					   "scanf",
					   "fscanf",
					   "vscanf",
					   "vfscanf",
					   "vfscanf_internal",
					   "wscanf",
					   "fwscanf",
					   "vfwscanf",
					   "fopen",
					   "fdopen",
					   "freopen",
					   "fopencookie",
					   "fmemopen",
					   "open_memstream",
					   "fclose",
					   "new_fclose",
					   "new_fopen",
					   "new_fdopen",
					   "new_popen",
					   "new_proc_open",
					   "fcloseall",
					   "fread",
					   "fwrite",
					   "fgets",
					   "fgetc",
					   "getc",
					   "getchar",
					   "gets",
					   "fputs",
					   "fputc",
					   "puts",
					   "putc",
					   "putchar",
					   "putw",
					   "getw",
					   "ungetc",
					   "fflush",
					   "fseek",
					   "fseeko",
					   "ftell",
					   "ftello",
					   "rewind",
					   "fgetpos",
					   "fsetpos",
					   "new_fgetpos",
					   "new_fsetpos",
					   "setbuf",
					   "setbuffer",
					   "setlinebuf",
					   "setvbuf",
					   "getline",
					   "getdelim",
					   "perror",
					   "popen",
					   "pclose",
					   "tmpfile",
					   "uflow",
					   "underflow",
					   "overflow",
					   "wuflow",
					   "wunderflow",
					   "woverflow",
					   "flockfile",
					   "ftrylockfile",
					   "fgetwc",
					   "getwc",
					   "getwchar",
					   "fgetws",
					   "fputwc",
					   "putwc",
					   "putwchar",
					   "fputws",
					   "ungetwc",
					   "error",
					   "error_at_line",
					   "err",
					   "errx",
					   "warn",
					   "warnx",
					   "verr",
					   "verrx",
					   "vwarn",
					   "vwarnx",
					   "psignal",
					   "psiginfo",
					   "putpwent",
					   "putgrent",
					   "fgetpwent",
					   "fgetgrent",
					   "assert_fail",
					   "assert_perror_fail",
					   "libc_message",
					   "fortify_fail",
					   "lockfile",
					   "toread",
					   "towrite" };

static const char *const stdio_prefixes[] = { "_IO_", "__stdio_", "__fseek", "__ftell", "__fopen" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// In a libc of which only the exported symbols are known, local functions lie between them. The
// allocator's are all in one object: from the exported function before its first to the one after
// its last. A few other exported functions end in a jump to a local one of their object.
static const char *const allocator_exports[] = { "malloc",
						 "free",
						 "cfree",
						 "calloc",
						 "realloc",
						 "memalign",
						 "aligned_alloc",
						 "posix_memalign",
						 "valloc",
						 "pvalloc",
						 "malloc_usable_size",
						 "malloc_trim",
						 "malloc_stats",
						 "malloc_info",
						 "mallopt",
						 "mallinfo",
						 "mallinfo2",
						 "default_morecore" };
static const char *const jumping_exports[] = { "tzset", "exit" };
static const char *const jumping_stdio_exports[] = { "vfprintf", "vfwprintf" };

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool any_prefix(const char *name, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_prefix(name, prefixes[i]))
			return true;
	return false;
}

bool unsafe_is_libc(const char *module)
{
	static const char *const names[] = { "libc.so",	   "libc-2.",	"libc.musl", "ld-musl",
					     "libpthread", "libresolv", "libnss_",   "libuClibc" };

	return any_prefix(module, names, COUNT(names));
}

static bool is_whole(const char *module)
{
	return any_prefix(module, unsafe_modules, COUNT(unsafe_modules));
}

static void plain_name(const char *name, char *plain, size_t size)
{
	static const char *const heads[] = { "GI_", "libc_", "isoc99_", "isoc23_" };
	static const char *const tails[] = { "_chk", "_unlocked", "64" };

	for (bool again = true; again;) {
		again = false;
		name += strspn(name, "_");
		for (size_t i = 0; i < COUNT(heads); i++) {
			if (has_prefix(name, heads[i])) {
				name += strlen(heads[i]);
				again = true;
			}
		}
	}

	size_t length = strcspn(name, ".@");

	for (size_t i = 0; i < COUNT(tails); i++) {
		size_t tail = strlen(tails[i]);

		if (length > tail && !strncmp(name + length - tail, tails[i], tail))
			length -= tail;
	}
	if (length >= size)
		length = size - 1;
	memcpy(plain, name, length);
	plain[length] = '\0';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The name lists, sorted for the search that each symbol of each module goes through.
struct dictionary {
	const char *allocator[COUNT(allocator_names)];
	const char *libc[COUNT(libc_names)];
	const char *stdio[COUNT(stdio_names)];
	bool is_static; // no libc module: the program holds one
	const char *program;
};

#define SORTED(dictionary, list)                                                          \
	memcpy((dictionary)->list, list##_names, sizeof(list##_names));                   \
	qsort((dictionary)->list, COUNT((dictionary)->list), sizeof(*(dictionary)->list), \
	      compare_names)
#define HAS(dictionary, list, name)                                                      \
	(bsearch(&(const char *){ name }, (dictionary)->list, COUNT((dictionary)->list), \
		 sizeof(*(dictionary)->list), compare_names) != NULL)

static bool holds_libc(const struct dictionary *dictionary, const struct module *module)
{
	return unsafe_is_libc(module->name) ||
	       (dictionary->is_static && !strcmp(module->name, dictionary->program));
}

static bool pick_unsafe(const struct module *module, const char *name, void *arg)
{
	const struct dictionary *dictionary = arg;
	char plain[64];

	plain_name(name, plain, sizeof(plain));
	if (any_prefix(name, allocator_prefixes, COUNT(allocator_prefixes)) ||
	    HAS(dictionary, allocator, plain))
		return true;
	return holds_libc(dictionary, module) &&
	       (any_prefix(name, libc_prefixes, COUNT(libc_prefixes)) ||
		HAS(dictionary, libc, plain));
}

static bool pick_stdio(const struct module *module, const char *name, void *arg)
{
	const struct dictionary *dictionary = arg;
	char plain[64];

	if (!holds_libc(dictionary, module))
		return false;
	plain_name(name, plain, sizeof(plain));
	return any_prefix(name, stdio_prefixes, COUNT(stdio_prefixes)) ||
	       HAS(dictionary, stdio, plain);
}

static bool pick_libc(const struct module *module, const char *name, void *arg)
{
	(void)name;
	return holds_libc(arg, module);
}

static bool pick_trivial(const struct module *module, const char *name, void *arg)
{
	(void)arg;
	// Every access to a thread-local variable passes here; what takes time is elsewhere.
	return is_whole(module->name) && !strcmp(name, "__tls_get_addr");
}

struct builder {
	struct symbols *symbols;
	const struct module *const *modules;
	size_t nr_modules;
	struct unsafe_range *ranges;
	size_t n, room;
};

static bool add(struct builder *builder, uint64_t start, uint64_t end, enum unsafe_kind kind,
		const char *what, const char *module)
{
	if (start >= end)
		return true;
	if (builder->n == builder->room) {
		size_t room = builder->room ? builder->room * 2 : 256;
		struct unsafe_range *grown = realloc(builder->ranges, room * sizeof(*grown));

		if (!grown)
			return false;
		builder->ranges = grown;
		builder->room = room;
	}
	builder->ranges[builder->n++] = (struct unsafe_range){ start, end, kind, what, module };
	return true;
}

static const struct module *module_at(const struct builder *builder, uint64_t addr)
{
	for (size_t i = 0; i < builder->nr_modules; i++)
		if (addr - builder->modules[i]->start <
		    builder->modules[i]->end - builder->modules[i]->start)
			return builder->modules[i];
	return NULL;
}

static struct dc_error *add_picked(struct builder *builder, struct dictionary *dictionary,
				   bool (*pick)(const struct module *, const char *, void *),
				   enum unsafe_kind kind)
{
	_cleanup_free_ struct range *ranges = NULL;
	size_t n;
	struct dc_error *err = symbols_ranges(builder->symbols, pick, dictionary, &ranges, &n);

	for (size_t i = 0; i < n && !err; i++) {
		const struct module *module = module_at(builder, ranges[i].start);

		if (module && !add(builder, ranges[i].start, ranges[i].end, kind, ranges[i].what,
				   module->name))
			err = &dc_out_of_memory;
	}
	return err;
}

static bool in_list(const char *name, const char *const *list, size_t n)
{
	char plain[64];

	plain_name(name, plain, sizeof(plain));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(plain, list[i]))
			return true;
	return false;
}

static uint64_t code_end(const struct maps *maps, uint64_t addr)
{
	const struct mapping *mapping = maps_find(maps, addr);

	return mapping ? mapping->end : addr;
}

// ranges: all functions of one libc, sorted. Those of the list, and what lies between them and their
// neighbours that are not.
static bool add_with_gaps(struct builder *builder, const struct maps *maps,
			  const struct range *ranges, size_t n, const char *const *list,
			  size_t nr_list, enum unsafe_kind kind, const char *module)
{
	for (size_t i = 0; i < n; i++) {
		if (!in_list(ranges[i].what, list, nr_list))
			continue;

		uint64_t start = i ? ranges[i - 1].end : ranges[i].start;
		uint64_t end = i + 1 < n ? ranges[i + 1].start : code_end(maps, ranges[i].start);

		if (!add(builder, start, end, kind, ranges[i].what, module))
			return false;
	}
	return true;
}

static struct dc_error *add_gaps(struct builder *builder, struct dictionary *dictionary,
				 const struct maps *maps)
{
	_cleanup_free_ struct range *ranges = NULL;
	size_t n, end;
	struct dc_error *err = symbols_ranges(builder->symbols, pick_libc, dictionary, &ranges, &n);

	if (err)
		return err;
	for (size_t start = 0; start < n; start = end) {
		const struct module *module = module_at(builder, ranges[start].start);
		const struct range *first = &ranges[start];

		for (end = start + 1; end < n && module && ranges[end].start < module->end;)
			end++;
		if (!module)
			continue;
#define ADD(list, kind) \
	add_with_gaps(builder, maps, first, end - start, list, COUNT(list), kind, module->name)
		if (!ADD(allocator_exports, UNSAFE_ALWAYS) ||
		    !ADD(jumping_exports, UNSAFE_ALWAYS) ||
		    !ADD(jumping_stdio_exports, UNSAFE_STDIO))
			return &dc_out_of_memory;
#undef ADD
	}
	return NULL;
}

// All code of a module but its trivial functions.
static bool add_whole(struct builder *builder, const struct maps *maps, const struct module *module,
		      const struct range *trivial, size_t nr_trivial)
{
	const char *what = has_prefix(module->name, "ld") ? "the dynamic linker" : "the allocator";

	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *mapping = &maps->map[i];
		uint64_t start = mapping->start;

		if (!mapping->executable || mapping->start < module->start ||
		    mapping->end > module->end)
			continue;
		for (size_t j = 0; j < nr_trivial; j++) {
			if (trivial[j].start < start || trivial[j].end > mapping->end)
				continue;
			if (!add(builder, start, trivial[j].start, UNSAFE_ALWAYS, what,
				 module->name))
				return false;
			start = trivial[j].end;
		}
		if (!add(builder, start, mapping->end, UNSAFE_ALWAYS, what, module->name))
			return false;
	}
	return true;
}

static struct dc_error *add_modules(struct builder *builder, const struct maps *maps)
{
	_cleanup_free_ struct range *trivial = NULL;
	size_t n;
	struct dc_error *err = symbols_ranges(builder->symbols, pick_trivial, NULL, &trivial, &n);

	for (size_t i = 0; i < builder->nr_modules && !err; i++)
		if (is_whole(builder->modules[i]->name) &&
		    !add_whole(builder, maps, builder->modules[i], trivial, n))
			err = &dc_out_of_memory;
	return err;
}

// Where signal handlers return to: code of libc that no symbol names, known by its bytes.
static struct dc_error *add_restorers(struct builder *builder, const struct dictionary *dictionary,
				      struct process *process, const struct maps *maps)
{
	static const unsigned char long_form[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	static const unsigned char short_form[] = { 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	enum { MAX_TEXT = 16 << 20 };

	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *mapping = &maps->map[i];
		const struct module *module = mapping->executable
						      ? module_at(builder, mapping->start)
						      : NULL;
		size_t size = mapping->end - mapping->start;

		if (!module || size > MAX_TEXT || !holds_libc(dictionary, module))
			continue;

		_cleanup_free_ unsigned char *text = malloc(size);

		if (!text)
			return &dc_out_of_memory;
		size = memory_read_some(process, mapping->start, text, size);
		for (unsigned char *at = text, *found; at < text + size; at = found + 1) {
			unsigned char *other;
			size_t rest = (size_t)(text + size - at);

			found = memmem(at, rest, long_form, sizeof(long_form));
			other = memmem(at, rest, short_form, sizeof(short_form));
			if (!found || (other && other < found))
				found = other;
			if (!found)
				break;

			// One byte wide: only the address itself is returned to.
			uint64_t addr = mapping->start + (uint64_t)(found - text);

			if (!add(builder, addr - 1, addr, UNSAFE_RESTORER, "a signal handler",
				 module->name))
				return &dc_out_of_memory;
		}
	}
	return NULL;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct unsafe_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : 0;
}

// Sorts, cuts overlaps and finds the spans.
static void finish(struct builder *builder, struct unsafe_table *ret)
{
	enum { NEAR = 16 << 20 };
	size_t n = 0;

	if (builder->n)
		qsort(builder->ranges, builder->n, sizeof(*builder->ranges), compare_ranges);
	for (size_t i = 0; i < builder->n; i++) {
		struct unsafe_range range = builder->ranges[i];

		if (n && range.start < builder->ranges[n - 1].end)
			range.start = builder->ranges[n - 1].end;
		if (range.start < range.end)
			builder->ranges[n++] = range;
	}
	*ret = (struct unsafe_table){ .ranges = builder->ranges, .n = n };
	for (size_t i = 0; i < n; i++) {
		size_t last = ret->nr_clusters - 1;

		if (ret->nr_clusters && (ret->nr_clusters == UNSAFE_CLUSTERS ||
					 ret->ranges[i].start - ret->clusters[last].end < NEAR)) {
			ret->clusters[last].end = ret->ranges[i].end;
		} else {
			ret->clusters[ret->nr_clusters].start = ret->ranges[i].start;
			ret->clusters[ret->nr_clusters++].end = ret->ranges[i].end;
		}
	}
}

static struct dc_error *build(struct builder *builder, struct dictionary *dictionary,
			      struct process *process)
{
	struct maps maps;
	struct dc_error *err = maps_read(process, &maps);

	if (err)
		return err;
	err = add_picked(builder, dictionary, pick_unsafe, UNSAFE_ALWAYS);
	if (!err)
		err = add_picked(builder, dictionary, pick_stdio, UNSAFE_STDIO);
	if (!err)
		err = add_gaps(builder, dictionary, &maps);
	if (!err)
		err = add_modules(builder, &maps);
	if (!err)
		err = add_restorers(builder, dictionary, process, &maps);
	maps_deinit(&maps);
	return err;
}

struct dc_error *unsafe_table_create(struct process *process, struct symbols *symbols,
				     struct unsafe_table *ret)
{
	struct builder builder = { .symbols = symbols };
	struct dictionary dictionary = { .is_static = true, .program = "" };
	const struct module *const *modules;

	builder.nr_modules = symbols_modules(symbols, &modules);
	builder.modules = modules;
	SORTED(&dictionary, allocator);
	SORTED(&dictionary, libc);
	SORTED(&dictionary, stdio);
	for (size_t i = 0; i < builder.nr_modules; i++)
		if (unsafe_is_libc(builder.modules[i]->name))
			dictionary.is_static = false;
	if (builder.nr_modules)
		dictionary.program = builder.modules[0]->name;

	struct dc_error *err = build(&builder, &dictionary, process);

	if (err) {
		free(builder.ranges);
		return err;
	}
	finish(&builder, ret);
	ret->is_blind = true;
	for (size_t i = 0; i < ret->n; i++)
		if (in_list(ret->ranges[i].what, (const char *const[]){ "malloc" }, 1))
			ret->is_blind = false;
	return NULL;
}

void unsafe_table_deinit(struct unsafe_table *table)
{
	free(table->ranges);
	*table = (struct unsafe_table){ 0 };
}

const struct unsafe_range *unsafe_find(const struct unsafe_table *table, uint64_t addr)
{
	size_t low = 0, high = table->n, i;

	for (i = 0; i < table->nr_clusters; i++)
		if (addr - table->clusters[i].start <
		    table->clusters[i].end - table->clusters[i].start)
			break;
	if (i == table->nr_clusters)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->ranges[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->n && table->ranges[low].start <= addr ? &table->ranges[low] : NULL;
}
