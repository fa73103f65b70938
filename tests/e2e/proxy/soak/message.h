/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said in a soak: the messages of each session and direction follow from the seed and
 * their numbers alone, so that whoever has received or recorded one can tell whether it is right.
 */
#ifndef VHU_TESTS_SOAK_MESSAGE_H
#define VHU_TESTS_SOAK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/lib/peer.h"

/* Whoever sends. */
enum { SOAK_FRONT, SOAK_BACK, SOAK_SIDES };

#define SOAK_PAYLOAD_MAX (400u * 1024)
#define SOAK_MESSAGE_MAX (PEER_HEADER_SIZE + SOAK_PAYLOAD_MAX)
/* Descriptors of a message. */
#define SOAK_FDS_MAX     4

/* A message; its payload begins with these three numbers. */
struct soak_message {
	uint32_t session; /* from 0, as the soak numbers them */
	uint32_t from;
	uint32_t number; /* from 0, in its direction */
	uint32_t size;   /* with its header */
	unsigned fds;
	unsigned fd[SOAK_FDS_MAX]; /* by number, for soak_fd */
};

/* Choose all that follows, and make what descriptors are sent of. */
void soak_seed(uint64_t seed);

/* Return a number that follows from the seed and the four that are given. */
uint64_t soak_hash(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* Return a number of a sequence that follows from the seed. */
uint64_t soak_random(void);

/* Return whether @session sends enough to fill the sockets of a side that does not read. */
bool soak_is_heavy(uint32_t session);

/* Return how many messages @from sends in @session, if no side ends it before. */
uint32_t soak_messages(uint32_t session, uint32_t from);

/* Say what message @number of @from in @session is. */
struct soak_message soak_message(uint32_t session, uint32_t from, uint32_t number);

/* Write all of it to @bytes, SOAK_MESSAGE_MAX of them. */
void soak_write(const struct soak_message *message, uint8_t *bytes);

/* Find the session and message that begin with @bytes: a header and SOAK_KEY more. */
#define SOAK_KEY 12
struct soak_message soak_read_key(const uint8_t *bytes);

/* Return the descriptor with a number; and whether @fd is another of the same. */
int soak_fd(unsigned number);
int soak_is_fd(unsigned number, int fd);

#endif
