// SPDX-License-Identifier: MIT
// What in a mailbox is to be believed.
#include "protocol/mailbox.h"

#include <stddef.h>

const char *mailbox_unfit(const struct mailbox_header *header, uint64_t file_size)
{
	if (header->magic != MAILBOX_MAGIC)
		return "it is no mailbox";
	if (header->version != MAILBOX_VERSION)
		return "its agent speaks another version of the protocol";
	if (header->slots != MAILBOX_SLOTS || header->slot_size != MAILBOX_SLOT_SIZE ||
	    file_size != MAILBOX_SIZE)
		return "its size is not what it says";
	return NULL;
}

static bool is_power_up_to(uint32_t n, uint32_t max)
{
	return (n & (n - 1)) == 0 && n <= max;
}

static bool is_in_data(uint32_t start, uint32_t size)
{
	return start <= MAILBOX_DATA && size <= MAILBOX_DATA - start;
}

const char *mailbox_call_unfit(const struct mailbox_call *call)
{
	enum { PAGE = 4096 };

	if (!is_in_data(call->stack, call->stack_size) ||
	    !is_in_data(call->result, call->result_size))
		return "arguments or result lie outside of the data";
	if (!is_power_up_to(call->stack_align, MAILBOX_VECTOR_BYTES) ||
	    !is_power_up_to(call->result_align, PAGE))
		return "an alignment is none";
	if (call->al > MAILBOX_VECTORS || (call->vector_width != 0 && call->vector_width != 16 &&
					   call->vector_width != 32 && call->vector_width != 64))
		return "there are no such vector registers";
	return NULL;
}
