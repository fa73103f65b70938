/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said in a soak. */
#include "tests/e2e/proxy/soak/message.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/protocol/protocol.h"

/* Different things to send descriptors of. */
#define POOL 5

static uint64_t seed, state;
static int pool[POOL];
static struct stat told[POOL];

/* Mix @value well (splitmix64's last steps). */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

void soak_seed(uint64_t chosen)
{
	seed = state = chosen;
	for (int i = 0; i < POOL; i++) {
		pool[i] = memfd_create("soak", MFD_CLOEXEC);
		peer_check(pool[i] >= 0 && !fstat(pool[i], &told[i]), "memfd: %s", strerror(errno));
	}
}

uint64_t soak_hash(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return mix(mix(mix(mix(seed + a) + b) + c) + d);
}

uint64_t soak_random(void)
{
	return mix(state += UINT64_C(0x9e3779b97f4a7c15));
}

bool soak_is_heavy(uint32_t session)
{
	return soak_hash(session, 0, 0, 'h') % 128 == 0;
}

uint32_t soak_messages(uint32_t session, uint32_t from)
{
	uint64_t hash = soak_hash(session, from, 0, 'm');

	/* The first of the front-end tells who it is. */
	return soak_is_heavy(session) ? 50 : (uint32_t)(1 + hash % 10);
}

/* Return the size of a payload in @session: mostly what messages have; now and then a page and
 * more; rarely what streams through. */
static uint32_t payload_size(uint32_t session, uint64_t hash)
{
	uint32_t least = SOAK_KEY, at_random = (uint32_t)(hash >> 32);

	if (hash % 512 == 0)
		return least + at_random % (SOAK_PAYLOAD_MAX - least);
	if (soak_is_heavy(session) || hash % 32 == 1)
		return least + at_random % 20000;
	return least + at_random % 200;
}

struct soak_message soak_message(uint32_t session, uint32_t from, uint32_t number)
{
	uint64_t hash = soak_hash(session, from, number, 's');
	struct soak_message message = {
	    .session = session,
	    .from = from,
	    .number = number,
	    .size = PEER_HEADER_SIZE + payload_size(session, hash),
	};

	hash = mix(hash);
	if (hash % 8 == 0)
		message.fds = 1 + (unsigned)(hash >> 8) % SOAK_FDS_MAX;
	for (unsigned i = 0; i < message.fds; i++)
		message.fd[i] = (unsigned)(hash >> 16 >> 4 * i) % POOL;
	return message;
}

/* Return a request that is passed on and recorded as it is: any but those with keys. */
static uint32_t request_of(uint64_t hash)
{
	struct vhu_secret secret[VHU_SECRETS_MAX];
	uint32_t request = (uint32_t)(hash % 48);

	return vhu_message_secrets(VHU_FRONT_END, request, UINT32_MAX, secret) ? 0 : request;
}

void soak_write(const struct soak_message *message, uint8_t *bytes)
{
	uint64_t hash = soak_hash(message->session, message->from, message->number, 'b');
	struct peer_header header = {
	    .request = request_of(hash),
	    .flags = message->from == SOAK_FRONT ? 1 : 5,
	    .size = message->size - PEER_HEADER_SIZE,
	};
	uint32_t key[3] = {message->session, message->from, message->number};

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), key, sizeof(key));
	for (uint32_t i = PEER_HEADER_SIZE + SOAK_KEY; i < message->size; i++)
		bytes[i] = (uint8_t)((hash >> 8 * (i % 8)) + i + (i >> 8));
}

struct soak_message soak_read_key(const uint8_t *bytes)
{
	uint32_t key[3];

	memcpy(key, bytes + PEER_HEADER_SIZE, sizeof(key));
	return (struct soak_message){.session = key[0], .from = key[1], .number = key[2]};
}

int soak_fd(unsigned number)
{
	return pool[number];
}

int soak_is_fd(unsigned number, int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == told[number].st_ino &&
	       st.st_dev == told[number].st_dev;
}
