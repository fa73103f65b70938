/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session of a soak. */
#include "tests/e2e/proxy/soak/session.h"
#include "lib/protocol/message_io.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends and receives of one side in one turn. */
#define AT_A_TIME 4
/* Turns within which somebody dies. */
#define LIFE      60
/* Turns for which somebody does not read. */
#define SLOW      300

/* Return message @number of @from, and in *@bytes all of it. */
static struct soak_message whole(uint32_t session, uint32_t from, uint32_t number,
				 const uint8_t **bytes)
{
	/* By who sends, as a message is often looked at again. */
	static uint8_t written[SOAK_SIDES][SOAK_MESSAGE_MAX];
	static struct soak_message last[SOAK_SIDES];
	struct soak_message *message = &last[from];

	if (!message->size || message->session != session || message->number != number) {
		*message = soak_message(session, from, number);
		soak_write(message, written[from]);
	}
	*bytes = written[from];
	return *message;
}

void soak_session_begin(struct soak_session *session, uint32_t number, int front, bool lossy,
			struct soak_outcome *outcome, uint64_t *full)
{
	/* Four in eight part when all is said. */
	static const enum soak_plan plans[8] = {
	    SOAK_FRONT_CLOSES, SOAK_FRONT_CLOSES, SOAK_BACK_CLOSES, SOAK_HALF_CLOSE,
	    SOAK_FRONT_DIES,   SOAK_FRONT_DIES,   SOAK_BACK_DIES,   SOAK_BOTH_DIE};

	*session = (struct soak_session){
	    .number = number,
	    .plan = plans[soak_random() % 8],
	    .turns = (unsigned)(soak_random() % LIFE),
	    .lossy = lossy,
	    .side = {{.fd = front}, {.fd = -1}},
	    .outcome = outcome,
	    .full = full,
	};
	if (!soak_is_heavy(number))
		return;
	session->side[SOAK_FRONT].slow = session->side[SOAK_BACK].slow = SLOW;
	session->turns += SLOW;
}

void soak_session_meet(struct soak_session *session, int back)
{
	peer_check(!session->met, "session %u has two back-ends", session->number);
	session->met = true;
	session->side[SOAK_BACK].fd = back;
}

bool soak_session_over(const struct soak_session *session)
{
	return session->side[SOAK_FRONT].fd < 0 && session->side[SOAK_BACK].fd < 0;
}

bool soak_session_wake(struct soak_session *session)
{
	for (unsigned from = 0; from < SOAK_SIDES; from++) {
		if (session->side[from].fd >= 0 && session->side[from].slow) {
			session->side[from].slow = 0;
			return true;
		}
	}
	return false;
}

/* Return whether @from has sent all that it has to say. */
static bool said_all(const struct soak_session *session, unsigned from)
{
	return session->side[from].number == soak_messages(session->number, from);
}

/* Return whether @from may send, and has something to. */
static bool may_send(const struct soak_session *session, unsigned from)
{
	const struct soak_side *side = &session->side[from];

	return side->fd >= 0 && !side->deaf && !side->shut_down && !said_all(session, from);
}

short soak_session_waits(const struct soak_session *session, unsigned from)
{
	const struct soak_side *side = &session->side[from];
	short waits = 0;

	if (side->fd >= 0 && !side->end_seen)
		waits |= POLLIN;
	if (may_send(session, from))
		waits |= POLLOUT;
	return waits;
}

/* Close @from's socket, whatever is unread or unsent. */
static void leave(struct soak_session *session, unsigned from)
{
	if (session->side[from].fd >= 0)
		close(session->side[from].fd);
	session->side[from].fd = -1;
}

/* Return how much of the @rest of a message goes at once. */
static size_t piece_of(size_t rest, bool begins)
{
	switch (soak_random() % 8) {
	case 0:
		return 1 + (size_t)soak_random() % rest;
	case 1:
	case 2:
		return begins ? PEER_HEADER_SIZE : rest;
	default:
		return rest;
	}
}

/* Let @from send a piece. Returns whether it went. */
static bool send_piece(struct soak_session *session, unsigned from)
{
	struct soak_side *side = &session->side[from];
	const uint8_t *bytes;
	struct soak_message message = whole(session->number, from, side->number, &bytes);
	int fd[SOAK_FDS_MAX];
	const struct vhu_piece piece = {
	    .bytes = (void *)(bytes + side->offset),
	    .size = piece_of(message.size - side->offset, !side->offset),
	    .fd = fd,
	    .fds = side->offset ? 0 : message.fds,
	};
	ssize_t n;

	for (unsigned i = 0; i < piece.fds; i++)
		fd[i] = soak_fd(message.fd[i]);
	n = vhu_piece_send(side->fd, &piece, MSG_DONTWAIT);
	if (n < 0) {
		/* ETOOMANYREFS: too many descriptors of this user are under way. */
		side->deaf = n != -EAGAIN && n != -ETOOMANYREFS;
		*session->full += n == -EAGAIN;
		return side->deaf;
	}
	side->out += (uint64_t)n;
	side->offset += (uint32_t)n;
	if (side->offset == message.size) {
		side->number++;
		side->offset = 0;
		session->outcome->sent[from]++;
	}
	return true;
}

/* @to has seen the end of what @to's peer sends: it must have come to it as it should. */
static void check_end(const struct soak_session *session, unsigned to)
{
	const struct soak_side *side = &session->side[to], *other = &session->side[!to];

	if (session->lossy)
		return;
	peer_check(session->met, "session %u was ended before it began", session->number);
	peer_check(other->fd < 0 || other->shut_down,
		   "session %u was ended, though both sides were there", session->number);
	peer_check(side->in == other->out,
		   "session %u: %llu bytes of the %s were sent, %llu arrived", session->number,
		   (unsigned long long)other->out, to ? "front-end" : "back-end",
		   (unsigned long long)side->in);
}

/* See that the descriptors that came with a piece of @message are its own; close them. */
static void check_fds(const struct soak_session *session, const struct soak_message *message,
		      bool begins, const struct vhu_piece *piece)
{
	peer_check(!piece->fds_lost, "the soak itself has no descriptors left");
	peer_check(piece->fds == (begins ? message->fds : 0),
		   "session %u: %u descriptors came with message %u, which had %u", session->number,
		   piece->fds, message->number, message->fds);
	for (unsigned i = 0; i < piece->fds; i++) {
		peer_check(soak_is_fd(message->fd[i], piece->fd[i]),
			   "session %u: descriptor %u of message %u is another", session->number, i,
			   message->number);
		close(piece->fd[i]);
	}
}

/* Let @to receive a piece. Returns whether something came. */
static bool receive_piece(struct soak_session *session, unsigned to)
{
	static uint8_t came[SOAK_MESSAGE_MAX];
	struct soak_side *side = &session->side[to];
	const uint8_t *bytes;
	struct soak_message message = whole(session->number, !to, side->expects, &bytes);
	int fd[PEER_FDS_MAX];
	struct vhu_piece piece = {
	    .bytes = came,
	    .size = (side->have < PEER_HEADER_SIZE ? PEER_HEADER_SIZE : message.size) - side->have,
	    .fd = fd,
	    .fds_max = PEER_FDS_MAX,
	};
	ssize_t n = vhu_piece_receive(side->fd, &piece, MSG_DONTWAIT);

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		side->end_seen = true;
		check_end(session, to);
		return true;
	}
	check_fds(session, &message, !side->have, &piece);
	peer_check(!memcmp(came, bytes + side->have, (size_t)n),
		   "session %u: message %u of the %s is another", session->number, side->expects,
		   to ? "front-end" : "back-end");
	side->in += (uint64_t)n;
	side->have += (uint32_t)n;
	if (side->have == message.size) {
		side->expects++;
		side->have = 0;
		session->outcome->arrived[!to]++;
	}
	return true;
}

/* Let @from send and receive for its turn. Returns whether anything moved. */
static bool side_turn(struct soak_session *session, unsigned from)
{
	struct soak_side *side = &session->side[from];
	bool moved = false;

	for (int i = 0; i < AT_A_TIME && may_send(session, from); i++) {
		if (!send_piece(session, from))
			break;
		moved = true;
	}
	if (side->slow) {
		side->slow--;
		return moved;
	}
	if (soak_random() % 64 == 0)
		side->slow = (unsigned)(soak_random() % SLOW);
	for (int i = 0; i < 2 * AT_A_TIME && side->fd >= 0 && !side->end_seen; i++) {
		if (!receive_piece(session, from))
			break;
		moved = true;
	}
	return moved;
}

/* Return whether each side has all that the other has to say. */
static bool all_arrived(const struct soak_session *session)
{
	for (unsigned from = 0; from < SOAK_SIDES; from++) {
		if (session->side[!from].expects != soak_messages(session->number, from))
			return false;
	}
	return true;
}

/* Let those die whose time has come. Returns whether somebody did. */
static bool die(struct soak_session *session)
{
	bool front = session->plan == SOAK_FRONT_DIES || session->plan == SOAK_BOTH_DIE;
	bool back = session->plan == SOAK_BACK_DIES || session->plan == SOAK_BOTH_DIE;

	if ((!front && !back) || !session->met || session->turns--)
		return false;
	if (front)
		leave(session, SOAK_FRONT);
	if (back)
		leave(session, SOAK_BACK);
	/* The other one goes on as if nothing was. */
	session->plan = SOAK_FRONT_CLOSES;
	return true;
}

/* Let those go who have nothing more to wait for. Returns whether somebody did. */
static bool part(struct soak_session *session)
{
	struct soak_side *front = &session->side[SOAK_FRONT], *back = &session->side[SOAK_BACK];
	bool half = session->plan == SOAK_HALF_CLOSE, moved = false;

	if (half && front->fd >= 0 && !front->shut_down && said_all(session, SOAK_FRONT)) {
		shutdown(front->fd, SHUT_WR);
		front->shut_down = moved = true;
	}
	if (!half && front->fd >= 0 && back->fd >= 0 && all_arrived(session)) {
		leave(session, session->plan == SOAK_BACK_CLOSES ? SOAK_BACK : SOAK_FRONT);
		moved = true;
	}
	for (unsigned from = 0; from < SOAK_SIDES; from++) {
		struct soak_side *side = &session->side[from];
		bool other_listens = session->side[!from].fd >= 0 && !session->side[!from].end_seen;

		if (side->fd < 0 || !side->end_seen)
			continue;
		/* Its peer has only shut down sending: it has its say yet. */
		if (other_listens && may_send(session, from) && !session->lossy)
			continue;
		leave(session, from);
		moved = true;
	}
	return moved;
}

bool soak_session_turn(struct soak_session *session)
{
	bool moved = false;

	for (unsigned from = 0; from < SOAK_SIDES; from++) {
		if (session->side[from].fd >= 0)
			moved |= side_turn(session, from);
	}
	moved |= die(session);
	moved |= part(session);
	return moved;
}
