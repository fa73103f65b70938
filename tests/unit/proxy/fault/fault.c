/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults: what their texts mean, which messages they are for, what is said of wrong ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/fault/mask.h"

#include "lib/util/util.h"

#define BACK true

/* A message that a fault is tried on. */
struct sample {
	enum vhu_channel channel;
	bool from_back_end;
	enum vhu_message_id id;
	uint32_t flags, size;
	uint64_t payload[6];
	unsigned fds;
};

static const struct vhu_context nothing_known;

/* Fill in what faults look at; @bytes is room for it. */
static struct vhu_fault_message look(const struct sample *sample, uint8_t bytes[64])
{
	struct vhu_header header = {vhu_messages[sample->id].request,
				    sample->flags ? sample->flags : VHU_FLAGS_VERSION,
				    sample->size};

	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	memcpy(bytes + VHU_HEADER_SIZE, sample->payload, sizeof(sample->payload));
	return (struct vhu_fault_message){
	    .session = 1,
	    .channel = sample->channel,
	    .from_back_end = sample->from_back_end,
	    .bytes = bytes,
	    .size = VHU_HEADER_SIZE + sample->size,
	    .fds = sample->fds,
	    .context = &nothing_known,
	};
}

/* Return whether the one fault @text applies to @sample. */
static bool applies(const char *text, const struct sample *sample)
{
	struct vhu_faults faults = {0};
	struct vhu_fault_memory memory = {0};
	struct vhu_fault *hit[VHU_FAULTS_MAX];
	char error[VHU_FAULT_ERROR] = "";
	uint8_t bytes[64] = {0};
	struct vhu_fault_message message = look(sample, bytes);
	unsigned hits;

	if (vhu_faults_add(&faults, text, error) < 0)
		fail_msg("%s: %s", text, error);
	hits = vhu_faults_match(&faults, &memory, &message, hit);
	if (hits)
		assert_true(vhu_faults_speak_of(&faults, sample->channel, sample->from_back_end,
						vhu_messages[sample->id].request));
	vhu_faults_clear(&faults);
	vhu_fault_memory_free(&memory);
	return hits == 1;
}

/* Vring 1's kick; the features offered; a table of two regions; a call by message; a GPU's. */
static const struct sample kick = {VHU_FRONT_END, !BACK, VHU_MSG_SET_VRING_KICK, 0, 8, {1}, 1};
static const struct sample offer = {VHU_FRONT_END, BACK, VHU_MSG_GET_PROTOCOL_FEATURES,
				    0x5,           8,    {0x10009}};
static const struct sample enable = {VHU_FRONT_END, !BACK, VHU_MSG_SET_VRING_ENABLE,
				     0x9,           8,     {UINT64_C(1) << 32 | 2}};
static const struct sample region = {
    VHU_FRONT_END, !BACK, VHU_MSG_ADD_MEM_REG, 0, 40, {0, 0x1000, 0x2000, 0x3000, 0x4000}, 1};
static const struct sample inband = {VHU_BACK_END, BACK, VHU_MSG_BACKEND_VRING_CALL, 0, 8, {1}};
static const struct sample inband_ack = {VHU_BACK_END, !BACK, VHU_MSG_BACKEND_VRING_CALL,
					 0x5,          8,     {0}};

/* A fault is for the messages that it names, and for no others. */
static void says_which(void **state)
{
	static const struct {
		const char *text;
		const struct sample *sample;
		bool applies;
	} row[] = {
	    {"SET_VRING_KICK: drop", &kick, true},
	    {"front SET_VRING_KICK: drop", &kick, true},
	    {"both VHOST_USER_SET_VRING_KICK request: drop", &kick, true},
	    {"back SET_VRING_KICK: drop", &kick, false},
	    {"SET_VRING_KICK reply: drop", &kick, false},
	    {"12: drop", &kick, true},
	    {"0xc channel=front-end: drop", &kick, true},
	    {"12 channel=back-end: drop", &kick, false},
	    {"any: drop", &kick, true},
	    {"back any: drop", &kick, false},
	    {"any channel=gpu: drop", &kick, false},
	    {"set_vring_kick vring=1: drop", &kick, true},
	    {"SET_VRING_KICK index=1: drop", &kick, true},
	    {"SET_VRING_KICK vring.index=0x1 vring.nofd=0: drop", &kick, true},
	    {"SET_VRING_KICK vring=0: drop", &kick, false},
	    {"SET_VRING_KICK vring!=0 vring<2 vring>0: drop", &kick, true},
	    {"SET_VRING_KICK fds=1: drop", &kick, true},
	    {"SET_VRING_KICK fds=0: drop", &kick, false},
	    {"SET_VRING_KICK header.size=8 header.need_reply=0: drop", &kick, true},
	    {"SET_VRING_KICK u8[0]=1 u64[0]=1: drop", &kick, true},
	    {"SET_VRING_KICK u64[1]=0: drop", &kick, false},
	    {"SET_VRING_KICK session=1: drop", &kick, true},
	    {"SET_VRING_KICK session=2: drop", &kick, false},
	    {"any vring=1: drop", &kick, true},
	    {"any vring=1: drop", &offer, false},
	    {"GET_PROTOCOL_FEATURES: drop", &offer, false},
	    {"back GET_PROTOCOL_FEATURES: drop", &offer, true},
	    {"GET_PROTOCOL_FEATURES reply protocol_features&STATUS|MQ: drop", &offer, true},
	    {"GET_PROTOCOL_FEATURES reply protocol_features&CONFIG: drop", &offer, false},
	    {"SET_VRING_ENABLE enable=enabled header.flags=9: drop", &enable, true},
	    {"SET_VRING_ENABLE vring=2 header.need_reply=1: drop", &enable, true},
	    {"ADD_MEM_REG region.size=0x2000: drop", &region, true},
	    {"ADD_MEM_REG region.size[0]=0x2000: drop", &region, true},
	    {"ADD_MEM_REG region.size[1]=0x2000: drop", &region, false},
	    {"SLAVE_VRING_CALL vring=1: drop", &inband, true},
	    {"4 channel=back-end: drop", &inband, true},
	    {"4: drop", &inband, false},
	    {"BACKEND_VRING_CALL: drop", &inband_ack, false},
	    {"front BACKEND_VRING_CALL ack=success: drop", &inband_ack, true},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (applies(row[i].text, row[i].sample) != row[i].applies)
			fail_msg("%s: %s", row[i].text,
				 row[i].applies ? "does not apply" : "applies");
}

/* Try a fault on 24 kicks of two sessions in turn; @expected has the session's digit for each kick
 * that it must apply to, and a dot for others. */
static void counts(const char *text, const char *expected)
{
	struct vhu_faults faults = {.seed = 7};
	struct vhu_fault_memory memory[2] = {{0}, {0}};
	struct vhu_fault *hit[VHU_FAULTS_MAX];
	char error[VHU_FAULT_ERROR], seen[25] = "";
	uint8_t bytes[64] = {0};
	struct vhu_fault_message message = look(&kick, bytes);

	assert_true(vhu_faults_add(&faults, text, error) > 0);
	for (unsigned i = 0; i < 24; i++) {
		message.session = 1 + i % 2;
		seen[i] = vhu_faults_match(&faults, &memory[i % 2], &message, hit)
			      ? (char)('1' + i % 2)
			      : '.';
	}
	assert_string_equal(seen, expected);
	assert_int_equal(faults.first->matched, 24);
	vhu_faults_clear(&faults);
	vhu_fault_memory_free(&memory[0]);
	vhu_fault_memory_free(&memory[1]);
}

/* What fits is counted in each session, or in all together. */
static void says_how_often(void **state)
{
	(void)state;
	counts("any nth=3: drop", "....12..................");
	counts("any nth=3..4: drop", "....1212................");
	counts("any nth=11..: drop", "....................1212");
	counts("any nth=..1: drop", "12......................");
	counts("any every=4: drop", "......12......12......12");
	counts("any nth=2..7 every=3: drop", "......12....12..........");
	counts("any nth=3 counted=all: drop", "..1.....................");
	counts("any every=5 counted=all: drop", "....1....2....1....2....");
	counts("any probability=0/1: drop", "........................");
	counts("any probability=100%: drop", "121212121212121212121212");
}

/* Chance depends on the seed alone: a session's draws do not depend on other sessions. */
static void repeats_chance(void **state)
{
	struct vhu_faults faults = {0};
	char error[VHU_FAULT_ERROR];
	uint64_t seen[3] = {0};
	uint8_t bytes[64] = {0};
	struct vhu_fault_message message = look(&kick, bytes);
	struct vhu_fault *hit[VHU_FAULTS_MAX];

	(void)state;
	for (unsigned run = 0; run < 3; run++) {
		struct vhu_fault_memory memory = {0}, other = {0};

		faults = (struct vhu_faults){.seed = run == 2 ? 5 : 4};
		assert_true(vhu_faults_add(&faults, "any probability=1/4: delay 1ms..2ms", error) >
			    0);
		assert_true(vhu_faults_by_chance(&faults));
		for (unsigned i = 0; i < 64; i++) {
			message.session = 2;
			for (unsigned j = 0; run && j < 3; j++)
				vhu_faults_match(&faults, &other, &message, hit);
			message.session = 1;
			if (vhu_faults_match(&faults, &memory, &message, hit)) {
				uint64_t ns = vhu_faults_delay(&faults, hit[0], hit[0]->action, 1);

				assert_in_range(ns, 1000000, 2000000);
				seen[run] |= UINT64_C(1) << i;
			}
		}
		vhu_faults_clear(&faults);
		vhu_fault_memory_free(&memory);
		vhu_fault_memory_free(&other);
	}
	assert_in_range(__builtin_popcountll(seen[0]), 5, 30);
	assert_true(seen[0] == seen[1]);
	assert_true(seen[0] != seen[2]);
}

/* Kicks and calls have faults of their own. */
static void says_what_befalls_kicks(void **state)
{
	struct vhu_faults faults = {0};
	struct vhu_fault_memory memory = {0};
	struct vhu_fault_effect effect;
	struct vhu_fault_event event = {.session = 1, .role = VHU_KICK, .vring = 1};
	struct vhu_fault *hit[VHU_FAULTS_MAX];
	char error[VHU_FAULT_ERROR];
	uint8_t bytes[64] = {0};
	struct vhu_fault_message message = look(&kick, bytes);

	(void)state;
	assert_int_equal(vhu_faults_add(&faults, "kick vring=1 every=2: lose", error), 1);
	assert_int_equal(vhu_faults_add(&faults, "kick: delay 5ms, repeat", error), 2);
	assert_int_equal(vhu_faults_add(&faults, "call vring=0: repeat 3", error), 3);
	assert_true(vhu_faults_event(&faults, &memory, &event, &effect));
	assert_false(effect.lose);
	assert_int_equal(effect.delay_ns, 5000000);
	assert_int_equal(effect.repeat, 1);
	assert_int_equal(effect.fault->id, 2);
	assert_true(vhu_faults_event(&faults, &memory, &event, &effect));
	assert_true(effect.lose);
	assert_int_equal(effect.fault->id, 1);
	event.role = VHU_CALL;
	assert_false(vhu_faults_event(&faults, &memory, &event, &effect));
	event.vring = 0;
	assert_true(vhu_faults_event(&faults, &memory, &event, &effect));
	assert_int_equal(effect.repeat, 3);
	assert_int_equal(vhu_faults_match(&faults, &memory, &message, hit), 0);
	assert_false(vhu_faults_speak_of(&faults, VHU_FRONT_END, false, 12));
	vhu_faults_clear(&faults);
	vhu_fault_memory_free(&memory);
}

/* Actions are read with what belongs to them. */
static void reads_actions(void **state)
{
	static const char text[] =
	    "front SET_VRING_ADDR: delay 1.5ms, hold 2s , drop, duplicate 3, split 4, 12,20 pause "
	    "1us, reorder, cut after, set vring.used=0x10 header.flags=9,lose-fd";
	static const struct {
		enum vhu_fault_verb command;
		uint64_t from;
	} expected[] = {
	    {VHU_FAULT_DELAY, 1500000},      {VHU_FAULT_HOLD, 2000000000}, {VHU_FAULT_DROP, 0},
	    {VHU_FAULT_DUPLICATE, 3},        {VHU_FAULT_SPLIT, 1000},      {VHU_FAULT_REORDER, 1},
	    {VHU_FAULT_CUT_AFTER, 0},        {VHU_FAULT_SET, 16},          {VHU_FAULT_SET, 9},
	    {VHU_FAULT_LOSE_FD, UINT64_MAX},
	};
	struct vhu_faults faults = {0};
	char error[VHU_FAULT_ERROR];

	(void)state;
	assert_int_equal(vhu_faults_add(&faults, text, error), 1);
	assert_string_equal(faults.first->text, text);
	assert_int_equal(faults.first->actions, VHU_ARRAY_SIZE(expected));
	for (unsigned i = 0; i < faults.first->actions; i++) {
		assert_int_equal(faults.first->action[i].command, expected[i].command);
		assert_int_equal(faults.first->action[i].from, expected[i].from);
	}
	assert_int_equal(faults.first->action[4].pieces, 3);
	assert_int_equal(faults.first->action[4].piece[2], 20);
	assert_string_equal(faults.first->action[7].field.path, "vring.used");
	assert_false(vhu_faults_by_chance(&faults));
	vhu_faults_clear(&faults);
}

/* What is wrong is said in a line, with the column. */
static void refuses(void **state)
{
	static const struct {
		const char *text, *error;
	} row[] = {
	    {"", "column 1: which message? a name, a number or any"},
	    {"front", "column 6: which message? a name, a number or any"},
	    {"front SET_VRING_KIK: drop", "column 7: no message SET_VRING_KIK (SET_VRING_KICK?)"},
	    {"side SET_VRING_KICK: drop", "column 1: no message side"},
	    {"SET_VRING_KICK drop", "column 16: drop: neither a condition nor \":\""},
	    {"SET_VRING_KICK vring=1", "column 23: no \":\", and so nothing to do"},
	    {"SET_VRING_KICK colour=1: drop", "column 16: SET_VRING_KICK has no field colour"},
	    {"SET_VRING_KICK vring=x: drop", "column 22: x is no number"},
	    {"SET_VRING_KICK vring!1: drop", "column 16: vring!1: neither a condition nor \":\""},
	    {"SET_VRING_KICK vring[x]=1: drop", "column 16: vring[x]: not NAME[NUMBER]"},
	    {"any size=1: drop", "column 5: size is several: write region.size or log.size"},
	    {"SEND_RARP mac=1: drop", "column 11: mac is no number: u8[OFFSET] reaches its bytes"},
	    {"SET_FEATURES features=MQ: drop",
	     "column 23: MQ is 22 for NET, 12 for BLOCK: write DEVICE.MQ or the number"},
	    {"SET_PROTOCOL_FEATURES protocol_features&FOO: drop",
	     "column 41: no name FOO, and no number"},
	    {"SET_VRING_KICK nth=0: drop", "column 20: nth wants N, N.., ..N or N..M, from 1"},
	    {"SET_VRING_KICK nth: drop", "column 16: nth wants =VALUE"},
	    {"SET_VRING_KICK every=0: drop", "column 22: every=N wants a number from 1"},
	    {"SET_VRING_KICK probability=2: drop",
	     "column 28: probability wants N/M or N%, at most 1"},
	    {"SET_VRING_KICK session=0: drop", "column 24: session=N wants a number from 1"},
	    {"SET_VRING_KICK channel=usb: drop",
	     "column 24: no channel usb: front-end, back-end or gpu"},
	    {"SET_VRING_KICK channel=gpu: drop",
	     "column 1: SET_VRING_KICK is not on the gpu channel"},
	    {"back SET_VRING_KICK request: drop",
	     "column 1: the back-end sends no requests on that channel"},
	    {"SET_VRING_KICK:",
	     "column 16: what is to be done: delay, hold, drop, duplicate, split, "
	     "reorder, truncate, resize, size, cut, set, reply, error, lose-fd, "
	     "extra-fd, need-reply"},
	    {"SET_VRING_KICK: delay 5m", "column 23: delay wants a time, or two: 50ms, 1ms..2s"},
	    {"SET_VRING_KICK: delay 1441min",
	     "column 23: delay wants a time, or two: 50ms, 1ms..2s"},
	    {"SET_VRING_KICK: drop,",
	     "column 22: what is to be done: delay, hold, drop, duplicate, "
	     "split, reorder, truncate, resize, size, cut, set, reply, error, "
	     "lose-fd, extra-fd, need-reply"},
	    {"SET_VRING_KICK: drop it", "column 22: it: too much for drop"},
	    {"SET_VRING_KICK: split 8,4", "column 25: split wants the bytes before which to split, "
					  "rising from 1"},
	    {"SET_VRING_KICK: cut here", "column 21: cut before or after the message"},
	    {"SET_VRING_KICK: set vring=256", "column 27: vring is at most 255"},
	    {"SET_VRING_KICK: set fds=0",
	     "column 21: fds is no field: lose-fd and extra-fd change them"},
	    {"SET_VRING_KICK: lose",
	     "column 17: no action lose: delay, hold, drop, duplicate, split, "
	     "reorder, truncate, resize, size, cut, set, reply, error, lose-fd, "
	     "extra-fd, need-reply"},
	    {"kick: drop", "column 7: no action drop on a kick or a call: delay, lose, repeat"},
	    {"kick size=1: lose", "column 6: a kick or a call has vring and no size"},
	    {"call reply: lose", "column 6: a kick or a call has no reply"},
	};
	struct vhu_faults faults = {0};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		char error[VHU_FAULT_ERROR] = "";

		assert_int_equal(vhu_faults_add(&faults, row[i].text, error), -EINVAL);
		assert_string_equal(error, row[i].error);
	}
	assert_int_equal(faults.count, 0);
}

/* Note that something held was let go. */
static void let_go(struct vhu_fault_held *held)
{
	held->session += 100;
}

/* Faults come and go; what one holds goes with it. */
static void adds_and_removes(void **state)
{
	struct vhu_faults faults = {0};
	char error[VHU_FAULT_ERROR];
	struct vhu_fault_held held[3] = {
	    {1, 1, let_go, NULL, NULL}, {2, 2, let_go, NULL, NULL}, {2, 1, let_go, NULL, NULL}};

	(void)state;
	assert_int_equal(vhu_faults_add(&faults, "SET_OWNER: hold", error), 1);
	assert_int_equal(vhu_faults_add(&faults, "SET_VRING_ADDR: hold", error), 2);
	assert_true(vhu_faults_speak_of(&faults, VHU_FRONT_END, false, 3));
	for (unsigned i = 0; i < 3; i++)
		vhu_faults_hold(&faults, &held[i]);
	assert_int_equal(vhu_faults_release(&faults, 3, 0), 0);
	assert_int_equal(vhu_faults_release(&faults, 2, 1), 1);
	assert_int_equal(held[2].session, 102);
	assert_int_equal(vhu_faults_remove(&faults, 1), 0);
	assert_int_equal(held[0].session, 101);
	assert_int_equal(vhu_faults_remove(&faults, 1), -ENOENT);
	assert_false(vhu_faults_speak_of(&faults, VHU_FRONT_END, false, 3));
	vhu_faults_unhold(&held[1]);
	vhu_faults_unhold(&held[1]);
	assert_null(faults.held);
	assert_int_equal(vhu_faults_add(&faults, "SET_OWNER: drop", error), 3);
	vhu_faults_clear(&faults);
	assert_int_equal(faults.count, 0);
	for (unsigned i = 0; i < VHU_FAULTS_MAX; i++)
		assert_true(vhu_faults_add(&faults, "any: drop", error) > 0);
	assert_int_equal(vhu_faults_add(&faults, "any: drop", error), -ENOSPC);
	assert_string_equal(error, "there are 256 faults already");
	vhu_faults_clear(&faults);
}

/* A file is read as a whole or not at all. */
static void reads_files(void **state)
{
	char path[] = "/tmp/vhu-test-XXXXXX", error[VHU_FAULT_ERROR], expected[VHU_FAULT_ERROR];
	int fd = mkstemp(path);
	static const char good[] = "# first\n\nany: drop # why\r\n\t SET_OWNER: delay 1ms\n",
			  bad[] = "kick: lose\nany:\n";
	struct vhu_faults faults = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, good, sizeof(good) - 1), sizeof(good) - 1);
	assert_int_equal(vhu_faults_load(&faults, path, error), 2);
	assert_string_equal(faults.first->text, "any: drop");
	assert_int_equal(write(fd, bad, sizeof(bad) - 1), sizeof(bad) - 1);
	assert_int_equal(vhu_faults_load(&faults, path, error), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:6:5: what is to be done: ", path);
	assert_memory_equal(error, expected, strlen(expected));
	assert_int_equal(faults.count, 2);
	assert_int_equal(vhu_faults_load(&faults, "/nowhere/rules", error), -ENOENT);
	assert_string_equal(error, "/nowhere/rules: No such file or directory");
	assert_int_equal(vhu_faults_load(&faults, "/", error), -EISDIR);
	assert_int_equal(faults.count, 2);
	vhu_faults_clear(&faults);
	close(fd);
	unlink(path);
}

/* A mask is given by names, numbers and sets. */
static void reads_masks(void **state)
{
	static const struct {
		const char *text, *error;
		uint64_t virtio, protocol;
		unsigned configs;
	} row[] = {
	    {"protocol:STATUS", "", 0, 1 << 16, 0},
	    {"protocol:MQ,SLAVE_REQ,3", "", 0, 0x29, 0},
	    {"virtio:RING_PACKED", "", UINT64_C(1) << 34, 0, 0},
	    {"0x3,protocol:0x10,virtio:NET.MQ", "", 3 | 1 << 22, 0x10, 0},
	    {"config:8=0,0x10=255", "", 0, 0, 2},
	    {"virtio:net.mq,config:1=1,virtio:63", "", UINT64_C(1) << 63 | 1 << 22, 0, 1},
	    {"", "column 1: : mask what? virtio:, protocol: or config:", 0, 0, 0},
	    {"STATUS", "column 1: STATUS: mask what? virtio:, protocol: or config:", 0, 0, 0},
	    {"virtio:x", "column 8: no name x, and no number", 0, 0, 0},
	    {"protocol:MQ,,", "column 13: no name , and no number", 0, 0, 0},
	    {"virtio:64", "column 8: 64 is no bit: they are 0 to 63", 0, 0, 0},
	    {"config:1=256", "column 8: config wants OFFSET=BYTE, the byte at most 255", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct vhu_mask mask = {0};
		char error[VHU_FAULT_ERROR] = "";

		assert_int_equal(vhu_mask_add(&mask, row[i].text, error),
				 *row[i].error ? -EINVAL : 0);
		assert_string_equal(error, row[i].error);
		assert_true(mask.virtio == row[i].virtio && mask.protocol == row[i].protocol);
		assert_int_equal(mask.configs, row[i].configs);
		/* Sets are spoken of by who offers and by who sets. */
		assert_int_equal(vhu_mask_speaks_of(&mask, VHU_FRONT_END, BACK, 1),
				 row[i].virtio != 0);
		assert_int_equal(vhu_mask_speaks_of(&mask, VHU_FRONT_END, !BACK, 16),
				 row[i].protocol != 0);
		assert_int_equal(vhu_mask_speaks_of(&mask, VHU_FRONT_END, BACK, 24),
				 row[i].configs != 0);
		assert_false(vhu_mask_speaks_of(&mask, VHU_FRONT_END, !BACK, 12));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_which),       cmocka_unit_test(says_how_often),
	    cmocka_unit_test(repeats_chance),   cmocka_unit_test(says_what_befalls_kicks),
	    cmocka_unit_test(reads_actions),    cmocka_unit_test(refuses),
	    cmocka_unit_test(adds_and_removes), cmocka_unit_test(reads_files),
	    cmocka_unit_test(reads_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
