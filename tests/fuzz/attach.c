/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes how vhu attach puts sessions together: whatever events come, in whatever order, nothing is
 * read beyond its bounds, every record is whole, and a session ends once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/attach/session.h"
#include "tests/fuzz/lib/fuzz.h"

/* What the input is taken from. */
struct attach_input {
	const uint8_t *bytes;
	size_t size;
};

/* Take a byte; 0 at the end. */
static uint8_t next(struct attach_input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->bytes++;
}

/* Look at a record as a sink would. */
static void see(void *context, const struct vhu_record *record)
{
	static uint8_t head[VHU_RECORD_HEAD_MAX];
	uint64_t *open = context;
	volatile uint8_t sum = 0;

	must(record->session > 0 && record->message_size <= record->message_sent);
	must(vhu_record_encode(record, head) <= sizeof(head));
	for (uint32_t i = 0; i < record->message_size; i++)
		sum = (uint8_t)(sum + record->message[i]);
	if (record->channel != VHU_FRONT_END)
		return;
	if (record->type == VHU_RECORD_OPENED)
		++*open;
	if (record->type == VHU_RECORD_CLOSED)
		must((*open)-- > 0);
}

static void identify(void *context, uint64_t id, uint64_t name, struct vhu_attach_end end[2])
{
	(void)context;
	(void)id;
	(void)name;
	(void)end;
}

/* Every other socket is closed. */
static int look(void *context, struct vhu_attach_state **state)
{
	(void)context;
	*state = calloc(64, sizeof(**state));
	for (unsigned i = 0; *state && i < 64; i++)
		(*state)[i] = (struct vhu_attach_state){
		    .socket = i, .address = i + 1, .open = i / 2 % 2, .sent = i % 8, .begun = 1};
	return *state ? 64 : -1;
}

static void forget(void *context, uint64_t id, uint64_t address, bool ignore)
{
	(void)context;
	(void)id;
	(void)address;
	(void)ignore;
}

/* Make an event of the input, and feed it to the sessions. */
static void feed(struct vhu_attach_sessions *sessions, struct attach_input *input,
		 uint32_t numbers[2][64])
{
	uint8_t bytes[sizeof(struct vhu_attach_file) + 4096] = {0};
	uint8_t what = next(input), socket = next(input) % 64, flags = next(input);
	struct vhu_attach_event event = {
	    .time_ns = 1,
	    .what = what % 6,
	    .socket = socket,
	    .address = socket + 1u,
	    .buffer = next(input) % 8,
	    .parent = flags & 1 ? 2 : 0,
	    .guessed = flags >> 1 & 1,
	    .fds = flags >> 2 & 3,
	    .begun = 1u + (what == 0xff),
	    .who.pid = 1u + socket % 4,
	};
	size_t most = event.what == VHU_ATTACH_FD ? sizeof(struct vhu_attach_file) : 4096;
	size_t size = (size_t)next(input) + (flags & 0x40 ? 256u * next(input) : 0);

	size = size > most ? most : size;
	size = size > input->size ? input->size : size;
	memcpy(bytes, input->bytes, size);
	input->bytes += size;
	input->size -= size;
	event.copied = event.what <= VHU_ATTACH_TAKEN ? (uint32_t)size : 0;
	event.consumed = event.what == VHU_ATTACH_TAKEN && size ? next(input) % (uint32_t)size : 0;
	event.length = event.copied - event.consumed + (flags & 0x80 ? next(input) : 0u);
	if (event.what <= VHU_ATTACH_TAKEN)
		event.number = numbers[event.what][socket] += 1u + (flags >> 4 & 3 ? 0 : what >> 6);
	vhu_attach_sessions_take(sessions, &event, bytes);
}

/* Settle a socket. */
static void settle(struct vhu_attach_sessions *sessions, struct attach_input *input)
{
	struct vhu_attach_state state[4];

	for (unsigned i = 0; i < 4; i++)
		state[i] = (struct vhu_attach_state){.socket = next(input) % 64,
						     .address = 1,
						     .open = next(input) & 1,
						     .sent = next(input),
						     .begun = 1};
	vhu_attach_sessions_settle(sessions, state, 4, 1, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vhu_attach_sessions_owner owner = {
	    .record = see, .identify = identify, .look = look, .forget = forget};
	struct attach_input input = {data, size};
	uint32_t numbers[2][64] = {{0}};
	uint64_t open = 0;
	struct vhu_attach_sessions *sessions =
	    vhu_attach_sessions_new(&owner, &open, next(&input) & 1, next(&input) & 1);
	struct vhu_attach_found found = {.id = 8, .queued = {next(&input) % 4, 0}};

	if (!sessions)
		return 0;
	vhu_attach_sessions_found(sessions, &found);
	while (input.size) {
		if (next(&input) % 16 == 15)
			settle(sessions, &input);
		else
			feed(sessions, &input, numbers);
	}
	vhu_attach_sessions_end(sessions, 3);
	must(open == vhu_attach_sessions_running(sessions));
	vhu_attach_sessions_free(sessions);
	return 0;
}
