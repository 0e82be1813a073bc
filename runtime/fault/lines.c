// SPDX-License-Identifier: MIT
// .debug_line, versions 2 to 5, read straight through: for a process that has nothing else left to
// do.
#include "runtime/fault/image.h"
#include "runtime/fault/cursor.h"

static const char *string(struct cursor *c)
{
	const char *s = (const char *)c->p;

	while (c->p < c->end)
		if (!*c->p++)
			return s;
	return "";
}

static const char *string_at(struct span s, uint64_t off)
{
	struct cursor c = { s.p + off, s.p + s.n };

	return off < s.n ? string(&c) : "";
}

enum {
	FORM_DATA2 = 0x05,
	FORM_STRING = 0x08,
	FORM_BLOCK = 0x09,
	FORM_DATA1 = 0x0b,
	FORM_STRP = 0x0e,
	FORM_UDATA = 0x0f,
	FORM_DATA16 = 0x1e,
	FORM_LINE_STRP = 0x1f,
	CONTENT_PATH = 1,
	CONTENT_DIR = 2,
};

// A unit's header: where its tables of directories and files begin.
struct unit {
	const struct image *image;
	struct cursor tables, program;
	const uint8_t *lengths; // operands of the standard opcodes
	unsigned version, min_inst, opcode_base, line_range, offset_size;
	int line_base;
};

static uint64_t skip_form(const struct unit *u, struct cursor *c, uint64_t form, const char **s)
{
	switch (form) {
	case FORM_STRING: *s = string(c); return 0;
	case FORM_LINE_STRP: *s = string_at(u->image->line_str, take(c, u->offset_size)); return 0;
	case FORM_STRP: *s = string_at(u->image->str, take(c, u->offset_size)); return 0;
	case FORM_DATA1: return take(c, 1);
	case FORM_DATA2: return take(c, 2);
	case FORM_UDATA: return uleb(c);
	case FORM_DATA16: take(c, 8); return take(c, 8);
	case FORM_BLOCK: {
		uint64_t n = uleb(c);
		c->p = n > (size_t)(c->end - c->p) ? c->end : c->p + n;
		return 0;
	}
	}
	c->p = c->end;
	return 0;
}

// Reads one table of version 5 and leaves c behind it. Entry index goes to *path and *dir.
static void table5(const struct unit *u, struct cursor *c, uint64_t index, const char **path,
		   uint64_t *dir)
{
	unsigned formats = (unsigned)take(c, 1);
	struct cursor format = *c, f;

	for (unsigned i = 0; i < formats; i++) {
		uleb(c);
		uleb(c);
	}
	uint64_t n = uleb(c);
	for (uint64_t i = 0; i < n && c->p < c->end; i++) {
		f = format;
		for (unsigned j = 0; j < formats; j++) {
			uint64_t content = uleb(&f), form = uleb(&f), v;
			const char *s = NULL;
			v = skip_form(u, c, form, &s);
			if (i != index)
				continue;
			if (content == CONTENT_PATH)
				*path = s;
			else if (content == CONTENT_DIR)
				*dir = v;
		}
	}
}

static void file_name(const struct unit *u, uint64_t file, const char **dir, const char **path)
{
	struct cursor c = u->tables;
	uint64_t dir_index = 0;

	*dir = NULL;
	*path = "?";
	if (u->version >= 5) {
		struct cursor dirs = c;
		uint64_t unused;
		const char *ignored = NULL;
		table5(u, &c, UINT64_MAX, &ignored, &unused);
		table5(u, &c, file, path, &dir_index);
		table5(u, &dirs, dir_index, dir, &unused);
		return;
	}
	struct cursor dirs = c;
	while (c.p < c.end && *c.p)
		string(&c);
	take(&c, 1);
	for (uint64_t i = 1; c.p < c.end && *c.p; i++) {
		const char *s = string(&c);
		uint64_t d = uleb(&c);
		uleb(&c);
		uleb(&c);
		if (i == file) {
			*path = s;
			dir_index = d;
		}
	}
	for (uint64_t i = 1; dirs.p < dirs.end && *dirs.p; i++) {
		const char *s = string(&dirs);
		if (i == dir_index)
			*dir = s;
	}
}

static bool parse_header(struct unit *u, struct cursor *c)
{
	uint64_t len = take(c, 4), header;

	u->offset_size = 4;
	if (len == 0xffffffff) {
		len = take(c, 8);
		u->offset_size = 8;
	}
	if (!len || len > (size_t)(c->end - c->p)) {
		c->p = c->end;
		return false;
	}
	struct cursor in = { c->p, c->p + len };
	c->p += len;
	u->version = (unsigned)take(&in, 2);
	if (u->version < 2 || u->version > 5)
		return false;
	if (u->version >= 5)
		take(&in, 2); // sizes of addresses and segment selectors
	header = take(&in, u->offset_size);
	if (header > (size_t)(in.end - in.p))
		return false;
	u->program = (struct cursor){ in.p + header, in.end };
	in.end = in.p + header;
	u->min_inst = (unsigned)take(&in, 1);
	if (u->version >= 4)
		take(&in, 1); // operations per instruction
	take(&in, 1); // default is_stmt
	u->line_base = (int8_t)take(&in, 1);
	u->line_range = (unsigned)take(&in, 1);
	u->opcode_base = (unsigned)take(&in, 1);
	u->lengths = in.p;
	for (unsigned i = 1; i < u->opcode_base; i++)
		take(&in, 1);
	u->tables = in;
	return u->line_range && u->opcode_base && in.p < in.end;
}

struct row {
	uint64_t addr, file;
	int64_t line;
	bool valid;
};

struct search {
	const uint64_t *addr;
	unsigned n;
	gort__line_found *found;
	void *arg;
};

static unsigned first_at(const struct search *s, uint64_t addr)
{
	unsigned lo = 0, hi = s->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (s->addr[mid] < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void emit(const struct unit *u, const struct search *s, struct row *last,
		 const struct row *now, bool end)
{
	// Discarded sections leave sequences at address 0.
	if (last->valid && last->addr)
		for (unsigned i = first_at(s, last->addr); i < s->n && s->addr[i] < now->addr;
		     i++) {
			const char *dir, *path;
			file_name(u, last->file, &dir, &path);
			s->found(s->arg, i, dir, path, (unsigned)last->line);
		}
	*last = *now;
	last->valid = !end;
}

static void run(const struct unit *u, const struct search *s)
{
	const struct row begin = { .file = 1, .line = 1, .valid = true };
	struct row row = begin, last = { .valid = false };
	struct cursor c = u->program;

	while (c.p < c.end) {
		unsigned op = *c.p++;
		if (op >= u->opcode_base) {
			op -= u->opcode_base;
			row.addr += op / u->line_range * u->min_inst;
			row.line += u->line_base + (int)(op % u->line_range);
			emit(u, s, &last, &row, false);
			continue;
		}
		switch (op) {
		case 0: {
			uint64_t len = uleb(&c);
			if (!len || len > (size_t)(c.end - c.p))
				return;
			struct cursor e = { c.p, c.p + len };
			c.p += len;
			switch (take(&e, 1)) {
			case 1:
				emit(u, s, &last, &row, true);
				row = begin;
				break;
			case 2: row.addr = take(&e, 8); break;
			}
			break;
		}
		case 1: emit(u, s, &last, &row, false); break;
		case 2: row.addr += uleb(&c) * u->min_inst; break;
		case 3: row.line += sleb(&c); break;
		case 4: row.file = uleb(&c); break;
		case 8: row.addr += (255 - u->opcode_base) / u->line_range * u->min_inst; break;
		case 9: row.addr += take(&c, 2); break;
		default:
			for (unsigned i = u->lengths[op - 1]; i; i--)
				uleb(&c);
		}
	}
}

void gort__image_lines(const struct image *image, const uint64_t *addr, unsigned n,
		       gort__line_found *found, void *arg)
{
	const struct search s = { addr, n, found, arg };
	struct cursor c = { image->line.p, image->line.p + image->line.n };

	while (c.p < c.end) {
		struct unit u = { .image = image };
		if (parse_header(&u, &c))
			run(&u, &s);
	}
}
