/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages in short, to be sent and as they were received:
 *
 *	SET_VRING_KICK=1+1	a name of the table, or a number; a u64 of payload; 1 descriptor
 *	ADD_MEM_REG=0,0x10,2	three u64 of payload
 *	SET_FEATURES=1!9	with these flags (hexadecimal); 1 without
 *	GET_CONFIG=0/12		the payload cut or filled up to 12 bytes
 *
 * Descriptors that are sent are new memfds, named a, b, c... in a session; what is received tells
 * them by their names: SET_VRING_KICK=1+a. What is received and is no whole message stands at the
 * end, as bytes: ~0c000000.
 */
#ifndef VHU_TESTS_PROXY_SCRIPT_H
#define VHU_TESTS_PROXY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/protocol/protocol.h"

#define SCRIPT_TEXT_MAX 4096

/* Send the messages of @text, separated by blanks; *@fds counts the descriptors that were made so
 * far. Stops where the other side is closed. */
void script_send(int fd, const char *text, unsigned int *fds);

/* Wait until just @size bytes have come that were not received. */
void script_await(int fd, size_t size);

/* Receive until the other side ends, or until @most bytes came (0: until it ends). Returns what
 * came, as messages of @channel; lasts until the next call but one. */
const char *script_receive(int fd, enum vhu_channel channel, size_t most);

/* End the test unless @got is @expected. @what: says what differs. */
void script_expect(const char *what, const char *got, const char *expected);

#endif
