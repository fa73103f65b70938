/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine under KVM that kicks, and waits for the interrupt that answers, again and
 * again. The kernel itself signals the kick's eventfd (ioeventfd), and takes the call's (irqfd).
 */
#ifndef VHU_TESTS_BPF_MACHINE_H
#define VHU_TESTS_BPF_MACHINE_H

/* How often it does. */
#define MACHINE_KICKS 100

/* Run it to its end, somebody else being the back-end. @kvm: /dev/kvm. Ends the program where that
 * fails. Returns how many interrupts it had. */
unsigned machine_run(int kvm, int kick, int call);

#endif
