/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz a relay between real sockets: what its sender does, what its receiver does, and when it is
 * run.
 *
 * The first byte of the input is how it is set up, and then each step is a byte of what is done
 * and a byte or two of how. Whatever they are: all bytes come out that went in, in order, each
 * descriptor with its byte; whatever has arrived was recorded; what is held is bounded; and no
 * descriptor is left open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "lib/util/util.h"
#include "proxy/relay/relay.h"
#include "tests/fuzz/lib/fuzz.h"
#include "tests/fuzz/lib/relay_model.h"

/* Different things to send descriptors of; and one more, that is sent instead of some. */
#define POOL       4
#define INSTEAD    POOL
#define FDS_MAX    VHU_RECORD_FDS_MAX
/* More than any input has open. */
#define FDS_SEEN   2048
/* More than are open between inputs, and by one that has sent none. */
#define FDS_BEFORE 64
/* Of Linux 6.5. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* How the relay is set up. */
enum {
	SETUP_DESCRIBE = 1 << 0, /* someone wants records */
	SETUP_OPENS = 1 << 1,    /* messages with one descriptor open channels */
	SETUP_NARROW = 1 << 2,   /* little room towards the receiver */
	SETUP_BEHIND = 1 << 3,   /* little room towards the relay */
	SETUP_AHEAD = 1 << 4,    /* it may look ahead */
};

/* What a step does: its first byte modulo their number. */
enum step {
	STEP_SEND, /* how many bytes and descriptors */
	STEP_RUN,
	STEP_RECEIVE, /* how many bytes */
	STEP_TIMER,
	STEP_RUN_SHORT, /* how many descriptors may be opened */
	STEP_SHUT_DOWN,
	STEP_CLOSE_SENDER,
	STEP_RESET_SENDER,
	STEP_CLOSE_RECEIVER,
	STEP_DRAIN,
	STEP_ADD, /* what the socket adds to each message from now on */
	STEPS
};

/* A relay between two ends that the target holds, and what is known of it. */
struct bench {
	struct vhu_loop loop;
	struct vhu_relay relay;
	struct model model;
	int sender, receiver, inner[2];
	unsigned setup;
	unsigned recorded, passed;             /* messages */
	unsigned fds_passed;                   /* descriptors of those */
	bool replaced[MODEL_GROUPS * FDS_MAX]; /* descriptors that something was sent instead of */
	int taken;                             /* the last of them, which is ours now; -1 */
	uint64_t drained;                      /* the bytes sent before the relay began to drain */
	bool reset;                            /* the sender has closed, leaving a byte unread */
	bool limited;                          /* descriptors may have been lost */
};

static ino_t inode[POOL + 1];
static int pool[POOL + 1];

static const uint8_t *input, *input_end;

/* Return the input's next byte, 0 behind it. */
static unsigned next(void)
{
	return input < input_end ? *input++ : 0;
}

/* A message with one descriptor is about to pass: replace that, if so set up. */
static int on_opens(struct vhu_relay *relay)
{
	struct bench *bench = relay->context;
	int instead = -1;

	must(relay->fds == 1 && bench->taken < 0);
	if (bench->setup & SETUP_OPENS)
		instead = fcntl(pool[INSTEAD], F_DUPFD_CLOEXEC, 0);
	if (instead >= 0) {
		bench->taken = relay->fd[0];
		bench->replaced[bench->fds_passed] = true;
	}
	return instead;
}

/* A message is whole, or cut: the relay must report it as it was sent. */
static void on_received(struct vhu_relay *relay)
{
	static uint8_t expected[VHU_RELAY_KEEP];
	struct bench *bench = relay->context;
	const struct vhu_record *record = &relay->record;
	const struct model_message *message = &bench->model.message[bench->recorded];
	uint64_t size = model_end(&bench->model, bench->recorded) - message->start, sum = 0;

	must(bench->recorded++ == bench->passed);
	must(record->marks || record->message_sent == size);
	must(record->message_sent <= size && record->message_size <= record->message_sent);
	must(record->message_size == record->message_sent ||
	     record->message_size == sizeof(expected));
	model_write(&bench->model, message->start, expected, record->message_size);
	must(!memcmp(record->message, expected, record->message_size));
	for (unsigned i = 0; i < record->segments; i++)
		sum += record->segment[i];
	must(sum == record->message_sent);
	must(record->fds <= FDS_MAX && record->fds <= relay->all_fds);
	for (unsigned i = 0; i < record->fds; i++)
		must(record->marks & VHU_MARK_TRUNCATED || bench->limited ||
		     record->fd[i].inode == inode[(bench->fds_passed + i) % POOL]);
}

/* A message has passed, or what there was of it. */
static void on_passed(struct vhu_relay *relay)
{
	struct bench *bench = relay->context;

	bench->passed++;
	bench->fds_passed += relay->all_fds;
	must(!relay->describe || bench->recorded == bench->passed);
	must(!vhu_relay_held(relay) && !relay->fds);
	if (bench->taken >= 0)
		close(bench->taken);
	bench->taken = -1;
}

/* The relay's timer fired. */
static void on_run(struct vhu_relay *relay)
{
	vhu_relay_run(relay);
}

/* Close *@fd, once. */
static void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Put a relay between two socket pairs. */
static void begin(struct bench *bench)
{
	static const struct vhu_relay_owner owner = {on_opens, on_received, on_passed, on_run};
	int in[2], out[2], narrow = 1;

	bench->setup = next();
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, in) && !socketpair(AF_UNIX, SOCK_STREAM, 0, out));
	bench->sender = in[0];
	bench->inner[0] = in[1];
	bench->inner[1] = out[0];
	bench->receiver = out[1];
	bench->taken = -1;
	if (bench->setup & SETUP_NARROW)
		setsockopt(out[0], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof(narrow));
	if (bench->setup & SETUP_BEHIND)
		setsockopt(in[0], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof(narrow));
	must(!vhu_loop_start(&bench->loop));
	must(!vhu_relay_start(&bench->relay, &bench->loop, in[1], out[0]));
	bench->relay.owner = &owner;
	bench->relay.context = bench;
	bench->relay.ahead = bench->setup & SETUP_AHEAD;
	bench->relay.describe = bench->setup & SETUP_DESCRIBE;
}

/* Return how much to send or receive: small numbers as they are, then what is at a limit. */
static size_t amount(unsigned byte, size_t rest)
{
	static const uint32_t sizes[] = {4083,  4084,  4085,   4096,   VHU_RELAY_KEEP - 12,
					 65536, 20000, 100000, 300000, VHU_RELAY_KEEP};

	if (byte < 128)
		return byte;
	if (byte < 192)
		return rest;
	return sizes[byte % VHU_ARRAY_SIZE(sizes)];
}

/* Begin a message behind those that are there. */
static void add_message(struct model *model)
{
	static const uint32_t sizes[] = {VHU_RELAY_KEEP - 12,
					 VHU_RELAY_KEEP - 11,
					 VHU_RELAY_KEEP + VHU_RELAY_WINDOW - 12,
					 VHU_RELAY_KEEP + VHU_RELAY_WINDOW,
					 4084,
					 4085,
					 1000000,
					 UINT32_MAX};
	unsigned how = next();
	uint32_t size = how < 224 ? how % 64 : sizes[how % VHU_ARRAY_SIZE(sizes)];

	model_add(model, (struct vhu_header){how, size * 2654435761u, size});
}

/* Send @size bytes with @fds descriptors, as far as they go. */
static void send_piece(struct bench *bench, size_t size, unsigned fds)
{
	static uint8_t bytes[VHU_RELAY_KEEP + VHU_RELAY_WINDOW];
	int fd[FDS_MAX];
	const struct vhu_piece piece = {bytes, size, fd, fds};
	struct model *model = &bench->model;
	ssize_t n;

	model_write(model, model->sent, bytes, size);
	for (unsigned i = 0; i < fds; i++)
		fd[i] = pool[(model->fds_sent + i) % POOL];
	n = vhu_piece_send(bench->sender, &piece, MSG_DONTWAIT);
	if (n > 0)
		model_sent(model, (size_t)n, fds);
}

/* The sender sends a piece, whose ends may be anywhere. */
static void step_send(struct bench *bench)
{
	static const unsigned counts[16] = {[8] = 1, 1, 1, 2, 3, 8, 9, FDS_MAX};
	struct model *model = &bench->model;
	unsigned how = next(), with = next(), fds = counts[with % 16], number;
	size_t size, room = VHU_RELAY_KEEP + VHU_RELAY_WINDOW;

	if (bench->sender < 0 || model->groups == MODEL_GROUPS)
		return;
	number = model_find(model, model->sent);
	if (number == model->messages) {
		if (number == MODEL_MESSAGES)
			return;
		add_message(model);
	}
	if (model_end(model, number) - model->sent < room)
		room = (size_t)(model_end(model, number) - model->sent);
	size = amount(how, room);
	/* Messages may follow at once. */
	while (size > room && with & 16 && model->messages < MODEL_MESSAGES) {
		add_message(model);
		room = (size_t)(model_end(model, model->messages - 1) - model->sent);
		if (room > VHU_RELAY_KEEP + VHU_RELAY_WINDOW)
			room = VHU_RELAY_KEEP + VHU_RELAY_WINDOW;
	}
	size = size < room ? size : room;
	if (size)
		send_piece(bench, size, fds);
}

/* Look at what is held, after the relay has run. */
static void check_bounds(const struct bench *bench)
{
	const struct vhu_relay *relay = &bench->relay;

	must(relay->room <= VHU_RELAY_KEEP + VHU_RELAY_WINDOW);
	must(vhu_relay_held(relay) <= relay->room);
	must(relay->fds <= 2 * FDS_MAX && relay->room_described <= FDS_MAX);
	must(relay->in_flight <= VHU_RELAY_IN_FLIGHT_MAX);
	must(relay->wants == VHU_RELAY_ENDED || !relay->end || relay->wants == VHU_RELAY_WRITE ||
	     relay->wants == VHU_RELAY_PAUSE);
	must(relay->end != VHU_RELAY_FAILED);
	must(relay->end != VHU_RELAY_TRUNCATED || bench->limited);
}

/* Let the relay pass on what there is, while it may open no more than @more descriptors. */
static void step_run_short(struct bench *bench, unsigned more)
{
	struct rlimit before, limit;
	int lowest = fcntl(pool[0], F_DUPFD_CLOEXEC, 0);

	must(lowest >= 0 && !close(lowest));
	must(!getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = (rlim_t)lowest + more;
	must(!setrlimit(RLIMIT_NOFILE, &limit));
	bench->limited = true;
	vhu_relay_run(&bench->relay);
	must(!setrlimit(RLIMIT_NOFILE, &before));
}

/* See that a descriptor that came is the one that was sent. */
static void check_fd(const struct bench *bench, int fd, unsigned number)
{
	struct stat st;

	must(!fstat(fd, &st));
	must(st.st_ino == inode[bench->replaced[number] ? INSTEAD : number % POOL]);
}

/* The receiver makes one call. Returns whether something came. */
static bool step_receive(struct bench *bench, size_t size)
{
	static uint8_t bytes[VHU_RELAY_KEEP + VHU_RELAY_WINDOW];
	int fd[FDS_MAX];
	struct vhu_piece piece = {
	    .bytes = bytes,
	    .size = size < sizeof(bytes) ? size : sizeof(bytes),
	    .fd = fd,
	    .fds_max = FDS_MAX,
	};
	ssize_t n;

	if (bench->receiver < 0 || !size)
		return false;
	n = vhu_piece_receive(bench->receiver, &piece, MSG_DONTWAIT);
	if (n <= 0)
		return false;
	must(!piece.fds_lost);
	for (unsigned i = 0; i < piece.fds; i++) {
		check_fd(bench, fd[i], bench->model.fds_received + i);
		close(fd[i]);
	}
	model_received(&bench->model, bytes, (size_t)n, piece.fds);
	/* What has arrived whole was recorded before. */
	must(!bench->relay.describe ||
	     model_find(&bench->model, bench->model.received) <= bench->recorded);
	return true;
}

/* Let the relay's timer fire, if it is set. Returns whether it was. */
static bool step_timer(struct bench *bench)
{
	struct vhu_timer *timer = &bench->relay.timer;

	if (!timer->link)
		return false;
	vhu_loop_unset(timer);
	timer->fire(timer);
	return true;
}

/* Let the socket that the relay reads from add something to each message. */
static void step_add(struct bench *bench)
{
	static const int additions[] = {SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD};
	unsigned how = next();
	int on = how & 1;

	setsockopt(bench->inner[0], SOL_SOCKET, additions[how / 2 % 3], &on, sizeof(on));
}

/* Do what the input's next byte says. */
static void step(struct bench *bench)
{
	enum step what = next() % STEPS;

	switch (what) {
	case STEP_SEND:
		step_send(bench);
		break;
	case STEP_RECEIVE:
		step_receive(bench, amount(next(), SIZE_MAX));
		break;
	case STEP_TIMER:
		step_timer(bench);
		break;
	case STEP_ADD:
		step_add(bench);
		break;
	case STEP_RUN_SHORT:
		step_run_short(bench, next() % 16);
		break;
	case STEP_SHUT_DOWN:
		if (bench->sender >= 0)
			shutdown(bench->sender, SHUT_WR);
		break;
	case STEP_RESET_SENDER:
		if (bench->sender >= 0)
			bench->reset = send(bench->inner[0], "", 1, MSG_NOSIGNAL) == 1;
		/* fall through */
	case STEP_CLOSE_SENDER:
		hang_up(&bench->sender);
		break;
	case STEP_CLOSE_RECEIVER:
		hang_up(&bench->receiver);
		break;
	case STEP_DRAIN:
		if (!bench->relay.draining)
			bench->drained = bench->model.sent;
		bench->relay.draining = bench->model.pieces = true;
		break;
	default:
		vhu_relay_run(&bench->relay);
	}
	check_bounds(bench);
}

/* Let the sender close, and all of it come to its end: nothing may be missing then. */
static void finish(struct bench *bench)
{
	const struct vhu_relay *relay = &bench->relay;
	const struct model *model = &bench->model;
	bool lossy = bench->receiver < 0;
	unsigned pauses = 0;

	hang_up(&bench->sender);
	do {
		vhu_relay_run(&bench->relay);
		pauses = relay->wants == VHU_RELAY_PAUSE ? pauses + 1 : 0;
		/* Those that the sender has under way are too many for the same user to send more,
		 * unless that is root. */
		if (pauses > 100)
			return;
	} while (step_receive(bench, SIZE_MAX) || step_timer(bench));
	check_bounds(bench);
	must(relay->wants == VHU_RELAY_ENDED);
	if (relay->end == VHU_RELAY_TRUNCATED || lossy)
		return;
	must(relay->end == VHU_RELAY_SENDER_CLOSED || relay->end == VHU_RELAY_SENDER_RESET);
	must(relay->end != VHU_RELAY_SENDER_RESET || bench->reset);
	if (relay->draining) {
		must(model->received >= bench->drained);
		return;
	}
	must(model->received == model->sent && model->fds_received == model->fds_sent);
	must(bench->passed == model_find(model, model->sent - 1) + 1 || !model->sent);
}

/* Note which of the first @count descriptors are open. */
static void look_at_fds(bool *is_open, unsigned count)
{
	static struct pollfd ask[FDS_SEEN];

	for (unsigned i = 0; i < count; i++)
		ask[i].fd = (int)i;
	must(poll(ask, count, 0) >= 0);
	for (unsigned i = 0; i < count; i++)
		is_open[i] = ask[i].revents != POLLNVAL;
}

/* Make what is sent, once. */
static void make_pool(void)
{
	struct rlimit limit = {FDS_SEEN, FDS_SEEN};
	struct stat st;

	must(!setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i <= POOL; i++) {
		pool[i] = memfd_create("pool", MFD_CLOEXEC);
		must(pool[i] >= 0 && !fstat(pool[i], &st));
		inode[i] = st.st_ino;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	static bool before[FDS_SEEN], after[FDS_SEEN];
	unsigned count;

	if (!pool[0]) {
		make_pool();
		look_at_fds(before, FDS_SEEN);
	}
	input = data;
	input_end = data + size;
	memset(&bench, 0, sizeof(bench));
	begin(&bench);
	while (input < input_end)
		step(&bench);
	finish(&bench);

	vhu_relay_close(&bench.relay);
	must(!bench.loop.timers);
	vhu_loop_end(&bench.loop);
	hang_up(&bench.taken);
	hang_up(&bench.receiver);
	close(bench.inner[0]);
	close(bench.inner[1]);
	/* One that is left open has the lowest number that was free. */
	count = FDS_BEFORE + bench.model.fds_sent;
	if (count > FDS_SEEN)
		count = FDS_SEEN;
	look_at_fds(after, count);
	must(!memcmp(after, before, count * sizeof(after[0])));
	return 0;
}
