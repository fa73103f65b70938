/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A queue of requests whose two functions are made like those of libvhost-user. */
#ifndef VHU_TESTS_BPF_QUEUE_H
#define VHU_TESTS_BPF_QUEUE_H

#include <stddef.h>

#define QUEUE_SIZE 16

struct queue {
	unsigned number, left; /* of the queue; requests that can be taken */
	struct queue_request {
		unsigned id;
	} request[QUEUE_SIZE];
};

/* Take a request off @queue. Returns it; NULL for none. */
struct queue_request *library_queue_pop(void *device, struct queue *queue, size_t size);
/* Give a request back to @queue. */
void library_queue_push(void *device, struct queue *queue, struct queue_request *request,
			unsigned length);

#endif
