// SPDX-License-Identifier: MIT
// The names of functions in which a thread must not be borrowed.
// Every symbol of every module is asked about, so a look-up is one hash and few comparisons.
#include "debugger/inject/safepoint/unsafe_names.h"

#include <string.h>

// Names are compared without leading underscores, "GI_", "libc_" and the like, and without what
// compilers and libc append: ".part.0", "_chk", "_unlocked", "64".

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
static const char *const jumping_exports[] = { "tzset", "exit", "vfprintf", "vfwprintf" };

struct prefix {
	const char *text;
	unsigned bits;
};

// By the raw name. All begin with an underscore or with one of "jtmsr".
static const struct prefix prefixes[] = {
	{ "_Znw", NAME_ALLOCATOR }, // operator new and delete
	{ "_Zna", NAME_ALLOCATOR },
	{ "_Zdl", NAME_ALLOCATOR },
	{ "_Zda", NAME_ALLOCATOR },
	{ "je_", NAME_ALLOCATOR },
	{ "_je_", NAME_ALLOCATOR },
	{ "tcmalloc", NAME_ALLOCATOR },
	{ "_ZN8tcmalloc", NAME_ALLOCATOR },
	{ "tc_malloc", NAME_ALLOCATOR },
	{ "tc_free", NAME_ALLOCATOR },
	{ "tc_calloc", NAME_ALLOCATOR },
	{ "tc_realloc", NAME_ALLOCATOR },
	{ "tc_new", NAME_ALLOCATOR },
	{ "tc_delete", NAME_ALLOCATOR },
	{ "mi_malloc", NAME_ALLOCATOR },
	{ "mi_free", NAME_ALLOCATOR },
	{ "mi_calloc", NAME_ALLOCATOR },
	{ "mi_realloc", NAME_ALLOCATOR },
	{ "mi_zalloc", NAME_ALLOCATOR },
	{ "mi_heap_", NAME_ALLOCATOR },
	{ "mi_page_", NAME_ALLOCATOR },
	{ "mi_segment_", NAME_ALLOCATOR },
	{ "_mi_", NAME_ALLOCATOR },
	{ "_ZN5scudo", NAME_ALLOCATOR },
	{ "_ZN6__asan", NAME_ALLOCATOR },
	{ "scudo_", NAME_ALLOCATOR },
	{ "rpmalloc", NAME_ALLOCATOR },
	{ "rpfree", NAME_ALLOCATOR },
	{ "_ZN14partition_alloc", NAME_ALLOCATOR },
	{ "_ZN4base8internal13PartitionAlloc", NAME_ALLOCATOR },
	{ "_dl_", NAME_LIBC },
	{ "__gconv", NAME_LIBC },
	{ "_nl_", NAME_LIBC },
	{ "__nss_", NAME_LIBC },
	{ "_nss_", NAME_LIBC },
	{ "__nscd", NAME_LIBC },
	{ "res_", NAME_LIBC },
	{ "__res_", NAME_LIBC },
	{ "__resolv", NAME_LIBC },
	{ "_IO_", NAME_STDIO },
	{ "__stdio_", NAME_STDIO },
	{ "__fseek", NAME_STDIO },
	{ "__ftell", NAME_STDIO },
	{ "__fopen", NAME_STDIO },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool has_prefix(const char *name, const char *prefix)
{
	while (*prefix && *prefix == *name) {
		prefix++;
		name++;
	}
	return !*prefix;
}

static bool any_prefix(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_prefix(name, list[i]))
			return true;
	return false;
}

bool unsafe_names_libc_module(const char *module)
{
	static const char *const names[] = { "libc.so",	   "libc-2.",	"libc.musl", "ld-musl",
					     "libpthread", "libresolv", "libnss_",   "libuClibc" };

	return any_prefix(module, names, COUNT(names));
}

bool unsafe_names_whole_module(const char *module)
{
	static const char *const names[] = { "libjemalloc", "libtcmalloc", "libmimalloc",
					     "libscudo",    "libhoard",	   "librpmalloc",
					     "libsnmalloc", "ld-linux",	   "ld-2.",
					     "ld.so" };

	return any_prefix(module, names, COUNT(names));
}

bool unsafe_names_sanitizer_module(const char *module)
{
	static const char *const names[] = { "libasan", "libtsan", "liblsan", "libhwasan" };

	return any_prefix(module, names, COUNT(names));
}

// The part of a symbol that lists compare; *length of it.
static const char *plain_name(const char *name, size_t *length)
{
	static const char *const heads[] = { "GI_", "libc_", "isoc99_", "isoc23_", "interceptor_" };
	static const char *const tails[] = { "_chk", "_unlocked", "64" };

	for (bool again = true; again;) {
		again = false;
		while (*name == '_')
			name++;
		for (size_t i = 0; i < COUNT(heads); i++) {
			if (has_prefix(name, heads[i])) {
				name += strlen(heads[i]);
				again = true;
			}
		}
	}
	*length = 0;
	while (name[*length] && name[*length] != '.' && name[*length] != '@')
		++*length;
	for (size_t i = 0; i < COUNT(tails); i++) {
		size_t tail = strlen(tails[i]);

		if (*length > tail && !memcmp(name + *length - tail, tails[i], tail))
			*length -= tail;
	}
	return name;
}

static size_t slot_of(const char *name, size_t length)
{
	uint32_t hash = 2166136261u; // FNV-1a

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return hash % UNSAFE_NAME_SLOTS;
}

static void add(struct unsafe_names *names, const char *const *list, size_t n, unsigned bits)
{
	for (size_t i = 0; i < n; i++) {
		size_t slot = slot_of(list[i], strlen(list[i]));

		while (names->slots[slot].name && strcmp(names->slots[slot].name, list[i]))
			slot = (slot + 1) % UNSAFE_NAME_SLOTS;
		names->slots[slot].name = list[i];
		names->slots[slot].bits |= bits;
	}
}

void unsafe_names_init(struct unsafe_names *names)
{
	_Static_assert(COUNT(allocator_names) + COUNT(libc_names) + COUNT(stdio_names) <
			       UNSAFE_NAME_SLOTS / 2,
		       "the table must stay sparse");
	memset(names, 0, sizeof(*names));
	add(names, allocator_names, COUNT(allocator_names), NAME_ALLOCATOR);
	add(names, libc_names, COUNT(libc_names), NAME_LIBC);
	add(names, stdio_names, COUNT(stdio_names), NAME_STDIO);
	add(names, allocator_exports, COUNT(allocator_exports), NAME_ALLOCATOR_EXPORT);
	add(names, jumping_exports, COUNT(jumping_exports), NAME_JUMPS);
}

unsigned unsafe_names_match(const struct unsafe_names *names, const char *symbol)
{
	unsigned bits = 0;
	size_t length;

	if (strchr("_jtmsr", symbol[0]))
		for (size_t i = 0; i < COUNT(prefixes); i++)
			if (has_prefix(symbol, prefixes[i].text))
				bits |= prefixes[i].bits;
	// Mangled names are not in the lists.
	if (symbol[0] == '_' && symbol[1] == 'Z')
		return bits;

	const char *name = plain_name(symbol, &length);
	size_t slot = slot_of(name, length);

	for (; names->slots[slot].name; slot = (slot + 1) % UNSAFE_NAME_SLOTS) {
		const char *listed = names->slots[slot].name;

		if (!strncmp(listed, name, length) && !listed[length])
			return bits | names->slots[slot].bits;
	}
	return bits;
}
