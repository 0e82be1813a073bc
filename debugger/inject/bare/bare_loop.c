// SPDX-License-Identifier: MIT
// Ticks and nanoseconds, deadlines of calls that nobody saw begin, and the times that the pad noted.
#include "debugger/inject/bare/bare_loop.h"

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/target/memory.h"

#include <string.h>

// ---- clocks ---------------------------------------------------------------------------------------

// Whoever is interrupted between the two clocks reads them once more.
static struct bare_moment read_clocks(void)
{
	enum { TRIES = 10 };
	struct bare_moment best = { 0 };
	int64_t shortest = INT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		int64_t time = tracer_now();
		uint64_t ticks = cpu_ticks();
		int64_t took = tracer_now() - time;

		if (took < shortest) {
			shortest = took;
			best = (struct bare_moment){ ticks, time + took / 2 };
		}
	}
	return best;
}

static double tick_ns(const struct bare *bare, const struct bare_moment *now)
{
	return (double)(now->time - bare->before.time) / (double)(now->ticks - bare->before.ticks);
}

void bare_loop_init(struct bare *bare)
{
	if (cpu_features()->has_steady_ticks)
		bare->before = read_clocks();
}

// ---- the slice ------------------------------------------------------------------------------------

void bare_loop_prepare(const struct bare *bare, const struct request *request,
		       struct pad_data *data)
{
	const struct loan *loan = bare->loan;
	uint64_t calls = request->n - request->done;

	data->calls = 1;
	// Where system calls are the handshake, each of a call would stop it.
	if (calls <= 1 || !bare->before.ticks || !loan->handshake || !loan->pad.may_loop)
		return;

	struct bare_moment now = read_clocks();

	data->calls = calls < PAD_TIMES_MAX ? calls : PAD_TIMES_MAX;
	data->slice = (uint64_t)((double)request->slice_ns / tick_ns(bare, &now));
}

bool bare_loop_look(struct bare *bare)
{
	struct bare_progress progress;

	if (memory_read_some(bare->tracee->process, bare->pad->base + PAD_DATA + PAD_RETURNED,
			     &progress, sizeof(progress)) != sizeof(progress))
		return false;
	bare->seen = progress;
	return true;
}

void bare_loop_renew_deadline(struct bare *bare, const struct request *request)
{
	if (!bare_loop_look(bare) || !bare->seen.loops || !bare->seen.started)
		return;

	struct bare_moment now = read_clocks();
	double age = (double)(int64_t)(now.ticks - bare->seen.started) * tick_ns(bare, &now);

	bare->deadline = now.time - (int64_t)age + request->timeout_ns;
}

struct dc_error *bare_loop_times(struct bare *bare, struct request *request)
{
	uint64_t n = bare->answered;
	int64_t *times;
	uint32_t *ticks;
	struct dc_error *err;

	if (!bare->seen.loops || !request->nanoseconds)
		return NULL;

	struct bare_moment now = read_clocks();
	double ns = tick_ns(bare, &now);

	// In the upper half of the room of their nanoseconds, which overtake them only at the end.
	times = request->nanoseconds + (request->done - n);
	ticks = (uint32_t *)times + n;
	err = memory_read(bare->tracee->process, bare->pad->base + PAD_TIMES, ticks,
			  n * sizeof(*ticks));
	if (err)
		return err;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t took;

		memcpy(&took, (char *)ticks + i * sizeof(took), sizeof(took));
		times[i] = (int64_t)((double)took * ns);
	}
	// Only the last may have been longer than the slice, and than its note can say.
	times[n - 1] = (int64_t)((double)(bare->seen.ended - bare->seen.started) * ns);
	return NULL;
}
