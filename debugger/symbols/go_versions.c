// SPDX-License-Identifier: MIT
// As the debug information of programs by each of these compilers has it. Others are not guessed.
#include "debugger/symbols/go_versions.h"

static const struct {
	int minor;
	struct go_offsets at;
} versions[] = {
	{
		.minor = 19,
		.at = {
		.g = { .id = 152, .status = 144, .wait_reason = 176, .wait_since = 168, .m = 48, .locked_m = 232, .sched = 56, .pc = 296, .start_pc = 312, .labels = 360, .syscall_sp = 112, .syscall_pc = 120, .panic = 32, .defer = 40, .link = 160, .async = 180 },
		.saved = { .sp = 0, .pc = 8, .bp = 48 },
		.m = { .id = 232, .thread = 72, .current = 192, .next = 336, .g0 = 0, .gsignal = 80, .p = 208, .locks = 264 },
		.sweep = { .lock = 0, .g = 8, .parked = 16 },
		},
	},
	{
		.minor = 22,
		.at = {
		.g = { .id = 152, .status = 144, .wait_reason = 176, .wait_since = 168, .m = 48, .locked_m = 208, .sched = 56, .pc = 280, .start_pc = 296, .labels = 344, .syscall_sp = 112, .syscall_pc = 120, .parent = 272, .panic = 32, .defer = 40, .link = 160, .async = 180 },
		.saved = { .sp = 0, .pc = 8, .bp = 48 },
		.m = { .id = 232, .thread = 72, .current = 192, .next = 328, .g0 = 0, .gsignal = 80, .p = 208, .locks = 264 },
		.sweep = { .lock = 0, .g = 8, .parked = 16 },
		.has_parent = true,
		},
	},
	{
		.minor = 23,
		.at = {
		.g = { .id = 160, .status = 152, .wait_reason = 184, .wait_since = 176, .m = 48, .locked_m = 216, .sched = 56, .pc = 288, .start_pc = 304, .labels = 352, .syscall_sp = 112, .syscall_pc = 120, .parent = 280, .panic = 32, .defer = 40, .link = 168, .async = 188 },
		.saved = { .sp = 0, .pc = 8, .bp = 48 },
		.m = { .id = 232, .thread = 72, .current = 192, .next = 328, .g0 = 0, .gsignal = 80, .p = 208, .locks = 264 },
		.sweep = { .lock = 0, .g = 8, .parked = 16 },
		.has_parent = true,
		},
	},
	{
		.minor = 24,
		.at = {
		.g = { .id = 160, .status = 152, .wait_reason = 184, .wait_since = 176, .m = 48, .locked_m = 216, .sched = 56, .pc = 288, .start_pc = 304, .labels = 352, .syscall_sp = 112, .syscall_pc = 120, .parent = 280, .panic = 32, .defer = 40, .link = 168, .async = 188 },
		.saved = { .sp = 0, .pc = 8, .bp = 48 },
		.m = { .id = 232, .thread = 72, .current = 192, .next = 328, .g0 = 0, .gsignal = 80, .p = 208, .locks = 264 },
		.sweep = { .lock = 0, .g = 8, .parked = 16 },
		.has_parent = true,
		.has_label_lists = true,
		},
	},
	{
		.minor = 26,
		.at = {
		.g = { .id = 152, .status = 144, .wait_reason = 176, .wait_since = 168, .m = 48, .locked_m = 208, .sched = 56, .pc = 288, .start_pc = 304, .labels = 352, .syscall_sp = 104, .syscall_pc = 112, .parent = 280, .panic = 32, .defer = 40, .link = 160, .async = 180 },
		.saved = { .sp = 0, .pc = 8, .bp = 40 },
		.m = { .id = 232, .thread = 64, .current = 184, .next = 352, .g0 = 0, .gsignal = 72, .p = 208, .locks = 264 },
		.sweep = { .lock = 0, .g = 8, .parked = 16 },
		.has_parent = true,
		.has_label_lists = true,
		},
	},
	{
		.minor = 27,
		.at = {
		.g = { .id = 152, .status = 144, .wait_reason = 176, .wait_since = 168, .m = 48, .locked_m = 208, .sched = 56, .pc = 288, .start_pc = 304, .labels = 352, .syscall_sp = 104, .syscall_pc = 112, .parent = 280, .panic = 32, .defer = 40, .link = 160, .async = 180 },
		.saved = { .sp = 0, .pc = 8, .bp = 40 },
		.m = { .id = 232, .thread = 64, .current = 184, .next = 352, .g0 = 0, .gsignal = 72, .p = 208, .locks = 264 },
		.sweep = { .lock = 0, .g = 8, .parked = 16 },
		.has_parent = true,
		.has_label_lists = true,
		},
	},
};

const struct go_offsets *go_version_offsets(int minor)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (versions[i].minor == minor)
			return &versions[i].at;
	return NULL;
}
