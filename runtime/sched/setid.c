// SPDX-License-Identifier: MIT
// The ids of the process. libc's own calls reach all of its threads, ours too: there must be one mechanism for them, or a
// later call of libc's would disagree about what the ids are. What it lacks is that nobody looks meanwhile.
#include "runtime/gort.h"
#include "runtime/sched/core.h"
#include "runtime/sched/gather.h"

#include <grp.h>
#include <unistd.h>

struct ids {
	int which;
	uid_t id[3];
	size_t n;
	const gid_t *groups;
	int ret;
};

enum { SETUID, SETGID, SETREUID, SETREGID, SETRESUID, SETRESGID, SETGROUPS, SETEUID, SETEGID };

static void set_ids(void *arg)
{
	struct ids *s = arg;
	int ret = -1, tid;

	gort__gather(gort__self(), false, &tid);
	switch (s->which) {
	case SETUID: ret = setuid(s->id[0]); break;
	case SETGID: ret = setgid(s->id[0]); break;
	case SETREUID: ret = setreuid(s->id[0], s->id[1]); break;
	case SETREGID: ret = setregid(s->id[0], s->id[1]); break;
	case SETRESUID: ret = setresuid(s->id[0], s->id[1], s->id[2]); break;
	case SETRESGID: ret = setresgid(s->id[0], s->id[1], s->id[2]); break;
	case SETGROUPS: ret = setgroups(s->n, s->groups); break;
	case SETEUID: ret = seteuid(s->id[0]); break;
	case SETEGID: ret = setegid(s->id[0]); break;
	}
	s->ret = ret ? -*gort__self()->errno_addr : 0;
	gort__gather_release();
}

static int set_all(struct ids s)
{
	gort__enter("gort_set*id");
	gort__stop_threads();
	gort__system(set_ids, &s);
	gort__start_threads();
	gort__leave();
	return s.ret;
}

int gort_setuid(uid_t uid)
{
	return set_all((struct ids){ .which = SETUID, .id = { uid } });
}

int gort_setgid(gid_t gid)
{
	return set_all((struct ids){ .which = SETGID, .id = { gid } });
}

int gort_setreuid(uid_t ruid, uid_t euid)
{
	return set_all((struct ids){ .which = SETREUID, .id = { ruid, euid } });
}

int gort_setregid(gid_t rgid, gid_t egid)
{
	return set_all((struct ids){ .which = SETREGID, .id = { rgid, egid } });
}

int gort_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	return set_all((struct ids){ .which = SETRESUID, .id = { ruid, euid, suid } });
}

int gort_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
{
	return set_all((struct ids){ .which = SETRESGID, .id = { rgid, egid, sgid } });
}

int gort_setgroups(size_t n, const gid_t *groups)
{
	return set_all((struct ids){ .which = SETGROUPS, .n = n, .groups = groups });
}

int gort_seteuid(uid_t euid)
{
	return set_all((struct ids){ .which = SETEUID, .id = { euid } });
}

int gort_setegid(gid_t egid)
{
	return set_all((struct ids){ .which = SETEGID, .id = { egid } });
}
