// SPDX-License-Identifier: MIT
// The command gcore: the process as it is, as a core file that gdb and lldb read. Memory, registers
// and the kernel's notes; what files hold unchanged is left to them, as the kernel does.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/values.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

enum { PAGE = 4096, STEP = 1 << 20 };

struct area {
	uint64_t start, end, offset;
	uint32_t access; // PF_R …
	uint64_t dumped; // bytes of it
	char *path; // NULL: no file's
};

struct core {
	struct shell *shell;
	int fd;
	struct area *areas;
	size_t nr_areas;
	pid_t *tid; // that stand
	size_t nr_tids;
	char *notes;
	size_t notes_size;
	FILE *out; // the notes, while they are written
};

static void core_deinit(struct core *core)
{
	for (size_t i = 0; i < core->nr_areas; i++)
		free(core->areas[i].path);
	free(core->areas);
	free(core->tid);
	if (core->out)
		fclose(core->out);
	free(core->notes);
	if (core->fd >= 0)
		close(core->fd);
}

// ---- memory ---------------------------------------------------------------------------------------

// "Anonymous" tells whether there is anything that the file has not; "dd" that it is not to be dumped.
struct smap {
	struct area area;
	bool is_known; // a mapping has begun
	uint64_t anonymous;
	bool is_excluded;
};

static bool add_area(struct core *core, struct smap *smap)
{
	struct area *area = &smap->area, *more;
	bool is_special = area->path && !strncmp(area->path, "[v", 2);

	if (!smap->is_known)
		return true;
	smap->is_known = false;
	if (smap->is_excluded || (is_special && strcmp(area->path, "[vdso]") != 0)) {
		free(area->path);
		return true;
	}

	bool is_file = area->path && *area->path == '/';

	area->dumped = area->end - area->start;
	// The first page tells a debugger which file it was.
	if (is_file && !smap->anonymous)
		area->dumped = area->offset ? 0 : PAGE;
	if (!(area->access & PF_R))
		area->dumped = 0;
	more = reallocarray(core->areas, core->nr_areas + 1, sizeof(*more));
	if (!more)
		return false;
	core->areas = more;
	more[core->nr_areas++] = *area;
	return true;
}

static bool begin_area(const char *line, struct smap *smap)
{
	unsigned long start, end, offset;
	char access[5];
	int at = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &start, &end, access, &offset, &at) < 4 ||
	    !at)
		return false;
	*smap = (struct smap){ .is_known = true,
			       .area = { .start = start, .end = end, .offset = offset } };
	smap->area.access = (access[0] == 'r' ? (uint32_t)PF_R : 0) |
			    (access[1] == 'w' ? (uint32_t)PF_W : 0) |
			    (access[2] == 'x' ? (uint32_t)PF_X : 0);
	if (line[at])
		smap->area.path = strndup(line + at, strcspn(line + at, "\n"));
	return true;
}

static int find_areas(struct core *core)
{
	char path[48], *line = NULL;
	size_t room = 0;
	struct smap smap = { 0 };
	bool good = true;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/smaps", core->shell->pid);
	in = fopen(path, "re");
	if (!in)
		return report_message(core->shell->out, DC_SYSTEM, "cannot read %s: %s", path,
				      strerror(errno));
	while (good && getline(&line, &room, in) >= 0) {
		struct smap next;
		unsigned long kilobytes;

		if (begin_area(line, &next)) {
			good = add_area(core, &smap);
			smap = next;
		} else if (sscanf(line, "Anonymous: %lu", &kilobytes) == 1) {
			smap.anonymous = kilobytes;
		} else if (!strncmp(line, "VmFlags:", 8)) {
			smap.is_excluded = strstr(line, " dd") || strstr(line, " io");
		}
	}
	good = good && add_area(core, &smap);
	free(line);
	fclose(in);
	return good ? 0 : report_memory(core->shell->out);
}

static bool put_at(int fd, const void *bytes, size_t n, uint64_t offset)
{
	const char *at = bytes;

	while (n) {
		ssize_t put = pwrite(fd, at, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		n -= (size_t)put;
		offset += (size_t)put;
	}
	return true;
}

static bool is_zero(const char *bytes, size_t n)
{
	return !*bytes && !memcmp(bytes, bytes + 1, n - 1);
}

// What cannot be read, and what is zero, is a hole.
static bool put_area(struct core *core, const struct area *area, uint64_t offset, char *bytes)
{
	for (uint64_t done = 0; done < area->dumped;) {
		size_t n = area->dumped - done < STEP ? (size_t)(area->dumped - done) : STEP, got;
		struct dc_error *err = dc_read_memory(core->shell->session, area->start + done,
						      bytes, n, &got);

		if (err) {
			dc_error_destroy(err);
			got = 0;
		}
		for (size_t at = 0; at < got; at += PAGE) {
			size_t part = got - at < PAGE ? got - at : PAGE;

			if (!is_zero(bytes + at, part) &&
			    !put_at(core->fd, bytes + at, part, offset + done + at))
				return false;
		}
		done += got ? got : PAGE;
	}
	return true;
}

// ---- registers ------------------------------------------------------------------------------------

static void get_register(struct core *core, pid_t tid, const char *name, void *to, size_t size)
{
	struct shell *shell = core->shell;
	struct scope_kept before = shell_keep_scope(shell);
	struct dc_result result = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "$%s", name);
	strcpy(shell->frame, "0");
	shell->usual.scope = (struct dc_scope){ .thread = tid, .frame = shell->frame };
	memset(to, 0, size);
	// One that the thread has not is zero.
	dc_error_destroy(shell_evaluate(shell, text, &result));
	if (result.value && result.value->bytes)
		memcpy(to, result.value->bytes,
		       result.value->type.size < size ? result.value->type.size : size);
	dc_result_deinit(&result);
	shell_restore_scope(shell, &before);
}

// In the order of struct user_regs_struct.
static const char *const general[] = { "r15",	  "r14",      "r13", "r12", "rbp",    "rbx", "r11",
				       "r10",	  "r9",	      "r8",  "rax", "rcx",    "rdx", "rsi",
				       "rdi",	  "orig_rax", "rip", "cs",  "eflags", "rsp", "ss",
				       "fs_base", "gs_base",  "ds",  "es",  "fs",     "gs" };

// of: who defines the type, up to seven characters.
static void put_note_of(struct core *core, const char *of, uint32_t type, const void *bytes,
			size_t n)
{
	static const char zeros[4];
	char name[8] = { 0 };
	const Elf64_Nhdr head = { .n_namesz = (uint32_t)strlen(of) + 1,
				  .n_descsz = (uint32_t)n,
				  .n_type = type };

	memcpy(name, of, strlen(of));
	fwrite(&head, sizeof(head), 1, core->out);
	fwrite(name, sizeof(name), 1, core->out);
	fwrite(bytes, 1, n, core->out);
	fwrite(zeros, 1, -n & 3, core->out);
}

static void put_note(struct core *core, uint32_t type, const void *bytes, size_t n)
{
	put_note_of(core, "CORE", type, bytes, n);
}

// XSAVE's standard format (Intel SDM volume 1, 13.4) up to the upper halves of the ymm registers: so
// far it is the same on every processor. What was saved is where the kernel, too, tells debuggers.
static void put_vectors(struct core *core, pid_t tid, const struct user_fpregs_struct *fp)
{
	struct {
		struct user_fpregs_struct legacy;
		uint64_t saved, header[7];
		unsigned char upper[16][16];
	} xsave = { .legacy = *fp };
	static const uint64_t x87_sse_avx = 7;
	enum { XCR0_AT = 464 };
	unsigned char ymm[32];
	char name[8];

	_Static_assert(sizeof(xsave) == 832, "XSAVE with AVX");
	if (!__builtin_cpu_supports("avx"))
		return;
	xsave.saved = x87_sse_avx;
	memcpy((char *)&xsave.legacy + XCR0_AT, &x87_sse_avx, sizeof(x87_sse_avx));
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "ymm%d", i);
		get_register(core, tid, name, ymm, sizeof(ymm));
		memcpy(xsave.upper[i], ymm + 16, sizeof(xsave.upper[i]));
	}
	put_note_of(core, "LINUX", NT_X86_XSTATE, &xsave, sizeof(xsave));
}

static void put_thread(struct core *core, pid_t tid)
{
	struct elf_prstatus status = { .pr_pid = tid };
	struct user_fpregs_struct fp = { 0 };
	char name[8];

	for (size_t i = 0; i < sizeof(general) / sizeof(*general); i++)
		get_register(core, tid, general[i], &status.pr_reg[i], sizeof(status.pr_reg[i]));
	status.pr_fpvalid = 1;
	put_note(core, NT_PRSTATUS, &status, sizeof(status));
	get_register(core, tid, "fctrl", &fp.cwd, sizeof(fp.cwd));
	get_register(core, tid, "fstat", &fp.swd, sizeof(fp.swd));
	get_register(core, tid, "mxcsr", &fp.mxcsr, sizeof(fp.mxcsr));
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "st%d", i);
		get_register(core, tid, name, (char *)fp.st_space + 16 * i, 10);
	}
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "xmm%d", i);
		get_register(core, tid, name, (char *)fp.xmm_space + 16 * i, 16);
	}
	put_note(core, NT_FPREGSET, &fp, sizeof(fp));
	put_vectors(core, tid, &fp);
}

// ---- the kernel's notes ---------------------------------------------------------------------------

static size_t read_proc(pid_t pid, const char *name, char *bytes, size_t size)
{
	char path[48];
	size_t n;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	in = fopen(path, "re");
	if (!in)
		return 0;
	n = fread(bytes, 1, size, in);
	fclose(in);
	return n;
}

static void put_process(struct core *core)
{
	struct elf_prpsinfo info = { .pr_pid = core->shell->pid, .pr_sname = 'R' };
	char auxv[4096], comm[32] = "", args[sizeof(info.pr_psargs)] = "";
	size_t n = read_proc(core->shell->pid, "comm", comm, sizeof(comm) - 1);
	struct stat stat;
	char path[32];

	comm[strcspn(comm, "\n")] = '\0';
	memcpy(info.pr_fname, comm, sizeof(info.pr_fname) - 1);
	n = read_proc(core->shell->pid, "cmdline", args, sizeof(args) - 1);
	for (size_t i = 0; i + 1 < n; i++)
		args[i] = args[i] ? args[i] : ' ';
	memcpy(info.pr_psargs, args, sizeof(args));
	snprintf(path, sizeof(path), "/proc/%d", core->shell->pid);
	if (!lstat(path, &stat)) {
		info.pr_uid = stat.st_uid;
		info.pr_gid = stat.st_gid;
	}
	info.pr_pgrp = getpgid(core->shell->pid);
	info.pr_sid = getsid(core->shell->pid);
	put_note(core, NT_PRPSINFO, &info, sizeof(info));
	n = read_proc(core->shell->pid, "auxv", auxv, sizeof(auxv));
	put_note(core, NT_AUXV, auxv, n);
}

// NT_FILE: count, page size, then start, end and page of each, then all names.
static bool put_files(struct core *core)
{
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);
	uint64_t n = 0, page = PAGE;

	if (!out)
		return false;
	for (size_t i = 0; i < core->nr_areas; i++)
		n += core->areas[i].path && *core->areas[i].path == '/';
	fwrite(&n, sizeof(n), 1, out);
	fwrite(&page, sizeof(page), 1, out);
	for (size_t i = 0; i < core->nr_areas; i++) {
		const struct area *area = &core->areas[i];
		const uint64_t row[] = { area->start, area->end, area->offset / PAGE };

		if (area->path && *area->path == '/')
			fwrite(row, sizeof(row), 1, out);
	}
	for (size_t i = 0; i < core->nr_areas; i++) {
		if (core->areas[i].path && *core->areas[i].path == '/')
			fwrite(core->areas[i].path, strlen(core->areas[i].path) + 1, 1, out);
	}
	if (fclose(out)) {
		free(bytes);
		return false;
	}
	put_note(core, NT_FILE, bytes, size);
	free(bytes);
	return true;
}

// ---- the file -------------------------------------------------------------------------------------

static bool put_heads(struct core *core, uint64_t *end)
{
	size_t n = core->nr_areas + 1;
	Elf64_Phdr *heads = calloc(n, sizeof(*heads));
	const Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(head),
		.e_ehsize = sizeof(head),
		.e_phentsize = sizeof(*heads),
		.e_phnum = (Elf64_Half)n,
	};
	uint64_t at = sizeof(head) + n * sizeof(*heads);
	bool good;

	if (!heads)
		return false;
	heads[0] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = at, .p_filesz = core->notes_size, .p_align = 4
	};
	at = (at + core->notes_size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	for (size_t i = 0; i < core->nr_areas; i++) {
		const struct area *area = &core->areas[i];

		heads[i + 1] = (Elf64_Phdr){ .p_type = PT_LOAD,
					     .p_flags = area->access,
					     .p_offset = at,
					     .p_vaddr = area->start,
					     .p_filesz = area->dumped,
					     .p_memsz = area->end - area->start,
					     .p_align = PAGE };
		at += area->dumped;
	}
	*end = at;
	good = put_at(core->fd, &head, sizeof(head), 0) &&
	       put_at(core->fd, heads, n * sizeof(*heads), sizeof(head)) &&
	       put_at(core->fd, core->notes, core->notes_size, heads[0].p_offset);
	free(heads);
	return good;
}

static bool put_all(struct core *core)
{
	uint64_t end, at;
	char *bytes = malloc(STEP);
	bool good = bytes && put_heads(core, &end);

	at = good ? end : 0;
	for (size_t i = core->nr_areas; good && i-- > 0;) {
		at -= core->areas[i].dumped;
		good = put_area(core, &core->areas[i], at, bytes);
	}
	free(bytes);
	return good && !ftruncate(core->fd, (off_t)end);
}

static int write_core(struct core *core)
{
	int status = find_areas(core);

	if (status)
		return status;
	// More headers than a core's number of them can say.
	if (core->nr_areas >= PN_XNUM - 1)
		return report_message(core->shell->out, DC_REFUSED,
				      "the process has more mappings than a core can hold");
	core->out = open_memstream(&core->notes, &core->notes_size);
	if (!core->out)
		return report_memory(core->shell->out);
	for (size_t i = 0; i < core->nr_tids; i++) {
		put_thread(core, core->tid[i]);
		// The kernel's order, which readers count on: the process behind its first thread.
		if (!i)
			put_process(core);
		if (!i && !put_files(core))
			return report_memory(core->shell->out);
	}

	bool lost = fclose(core->out) != 0;

	core->out = NULL;
	if (lost)
		return report_memory(core->shell->out);
	return put_all(core) ? 0
			     : report_message(core->shell->out, DC_SYSTEM,
					      "the core cannot be written: %s", strerror(errno));
}

static bool add_tid(const struct dc_thread *thread, void *arg)
{
	struct core *core = arg;
	pid_t *more = reallocarray(core->tid, core->nr_tids + 1, sizeof(*more));

	if (!more)
		return false;
	core->tid = more;
	more[core->nr_tids++] = thread->tid;
	// The one that is meant comes first: it is what a reader of the core looks at.
	if (thread->tid == shell_thread(core->shell)) {
		more[core->nr_tids - 1] = more[0];
		more[0] = thread->tid;
	}
	return true;
}

int command_gcore(struct dc_session *session, const struct words *words, struct records *out)
{
	__attribute__((cleanup(core_deinit))) struct core core = { .shell = words->shell };
	struct standstill still;
	struct stat stat;
	char usual[32];
	const char *name = words->nr ? words->operands[0] : usual;
	struct dc_error *err;
	int status;

	snprintf(usual, sizeof(usual), "core.%d", words->shell->pid);
	core.fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (core.fd < 0)
		return report_message(out, DC_USAGE, "cannot write %.200s: %s", name,
				      strerror(errno));
	// What is no file is nothing to be written over, and least of all to be taken away.
	if (fstat(core.fd, &stat) || !S_ISREG(stat.st_mode))
		return report_message(out, DC_USAGE, "%.200s is no file", name);
	err = shell_stand_still(words->shell, &still);
	if (!err)
		err = dc_threads(session, add_tid, &core);
	status = err ? report_failure(out, NULL, err) : write_core(&core);
	err = shell_move_on(words->shell, &still);
	if (err)
		status = report_failure(out, NULL, err);
	if (status) {
		unlink(name);
		return status;
	}
	record_begin(out, "core");
	record_text(out, "file", name);
	record_count(out, "threads", core.nr_tids);
	record_end(out);
	return 0;
}
