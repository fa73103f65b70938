/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static probes (USDT) for tracers: vhu:queue_pop when a request is taken from a vring,
 * vhu:queue_push when it is given back. They cost nothing while no tracer is attached.
 *
 *	bpftrace -e 'usdt:./vhu-sample-backend:vhu:queue_pop { @[arg0] = count(); }'
 */
#ifndef VHU_SAMPLES_BACKEND_USDT_H
#define VHU_SAMPLES_BACKEND_USDT_H

#ifdef VHU_HAVE_SDT
#include <sys/sdt.h>
/* @vring: its index. @id: the first descriptor or the buffer id. */
#define VHU_USDT_POP(vring, id)           DTRACE_PROBE2(vhu, queue_pop, vring, id)
/* @written: bytes that the device wrote. */
#define VHU_USDT_PUSH(vring, id, written) DTRACE_PROBE3(vhu, queue_push, vring, id, written)
#else
#define VHU_USDT_POP(vring, id)           ((void)0)
#define VHU_USDT_PUSH(vring, id, written) ((void)0)
#endif

#endif
