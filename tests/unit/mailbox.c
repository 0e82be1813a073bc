// SPDX-License-Identifier: MIT
// What in a mailbox is believed, and what is not.
#include "protocol/mailbox.h"
#include "tests/harness/test.h"

static struct mailbox_header good_header(void)
{
	return (struct mailbox_header){ .magic = MAILBOX_MAGIC,
					.version = MAILBOX_VERSION,
					.slots = MAILBOX_SLOTS,
					.slot_size = MAILBOX_SLOT_SIZE };
}

TEST("a mailbox is one by its magic, version and sizes")
{
	struct mailbox_header header = good_header();

	expect(!mailbox_unfit(&header, MAILBOX_SIZE));
	expect(mailbox_unfit(&header, MAILBOX_SIZE - 1));
	expect(mailbox_unfit(&header, (uint64_t)MAILBOX_SIZE + 1));
	header.magic++;
	expect(mailbox_unfit(&header, MAILBOX_SIZE));
	header = good_header();
	header.version++;
	expect(mailbox_unfit(&header, MAILBOX_SIZE));
	header = good_header();
	header.slots = UINT32_MAX;
	expect(mailbox_unfit(&header, MAILBOX_SIZE));
	header = good_header();
	header.slot_size = 0;
	expect(mailbox_unfit(&header, MAILBOX_SIZE));
}

TEST("the slots lie in the file, one behind the other")
{
	static struct mailbox_header header;
	char *first = (char *)mailbox_slot(&header, 0);

	equal(first - (char *)&header, MAILBOX_HEADER_SIZE);
	equal((char *)mailbox_slot(&header, MAILBOX_SLOTS) - (char *)&header, MAILBOX_SIZE);
}

TEST("a record stays within the data, whatever its numbers are")
{
	static const uint32_t numbers[] = { 0,
					    1,
					    MAILBOX_DATA - 1,
					    MAILBOX_DATA,
					    MAILBOX_DATA + 1,
					    UINT32_MAX / 2,
					    UINT32_MAX - 1,
					    UINT32_MAX };
	enum { N = sizeof(numbers) / sizeof(*numbers) };

	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			struct mailbox_call stack = { .stack = numbers[i],
						      .stack_size = numbers[j] };
			struct mailbox_call result = { .result = numbers[i],
						       .result_size = numbers[j] };
			bool is_in = (uint64_t)numbers[i] + numbers[j] <= MAILBOX_DATA;

			equal(!mailbox_call_unfit(&stack), is_in);
			equal(!mailbox_call_unfit(&result), is_in);
		}
	}
}

TEST("alignments are powers of two, and vectors are those that there are")
{
	for (uint32_t i = 0; i < 10000; i++) {
		struct mailbox_call stack = { .stack_align = i }, result = { .result_align = i };
		struct mailbox_call width = { .vector_width = i }, al = { .al = i };
		bool is_power = !(i & (i - 1));

		equal(!mailbox_call_unfit(&stack), is_power && i <= 64);
		equal(!mailbox_call_unfit(&result), is_power && i <= 4096);
		equal(!mailbox_call_unfit(&width), i == 0 || i == 16 || i == 32 || i == 64);
		equal(!mailbox_call_unfit(&al), i <= 8);
	}
}
