#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu check compares sessions of one device: it reports differences and nothing else.
. "$(dirname "$0")/../../lib/common.sh"
work_open

status=0

# Write session $1 of a description: front-end of pid $2, back-end's socket $3, features offered $4 and
# taken $5, number of queues $6, capacity $7, ring size $8, where the ring begins $9 and ends ${10}.
session()
{
	cat <<-END
		> $1 front-end opened peer:vmm:$2:/run/front.sock peer:device:50:$3
		> $1 front-end > 1 1
		> $1 front-end < 1 5 u64:$4
		> $1 front-end > 15 1
		> $1 front-end < 15 5 u64:0x201
		> $1 front-end > 16 1 u64:0x201
		> $1 front-end > 17 1
		> $1 front-end < 17 5 u64:$6
		> $1 front-end > 3 1
		> $1 front-end > 24 1 u32:0 u32:60 u32:0 zero:60
		> $1 front-end < 24 5 u32:0 u32:60 u32:0 u64:$7 zero:52
		> $1 front-end > 2 1 u64:$5
		> $1 front-end > 5 1 u32:1 u32:0 u64:0 u64:0x100000 u64:0x7f0000000000 u64:0 memfd:1048576:/memfd:ram
		> $1 front-end > 8 1 u32:0 u32:$8
		> $1 front-end > 10 1 u32:0 u32:$9
		> $1 front-end > 9 1 u32:0 u32:0 u64:0x7f0000000000 u64:0x7f0000010000 u64:0x7f0000008000 u64:0
		> $1 front-end > 12 1 u64:0 eventfd:3
		> $1 front-end > 18 1 u32:0 u32:1
		> $1 front-end > 18 1 u32:0 u32:0
		> $1 front-end > 11 1 u32:0 u32:0
		> $1 front-end < 11 5 u32:0 u32:${10}
		> $1 front-end closed front-end closed
	END
}

# Make capture $1 of the description on standard input.
capture()
{
	"$programs/dissector_capture" "$1"
}

# Expect that vhu check with arguments $2... finds in rules 320, 330 and 621 just what standard input says.
expect()
{
	name=$1
	shift
	cat >expected
	"$vhu" check --severity info --rule V621 --rule V320 --rule V330 "$@" >found 2>errors || [ $? = 1 ]
	sed '/likeliest cause/d' found >got
	diff expected got >difference && return
	echo "$name: found other (>) than expected (<):"
	cat difference
	status=1
}

# A back-end that came back as another one, under a driver that goes on. Bits: 30 and 32, 29 is
# RING_EVENT_IDX, 28 RING_INDIRECT_DESC, 9 FLUSH.
{
	session 1 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 500
	session 2 10 /run/a.sock 0x160000040 0x160000040 2 4096 128 400 600
} | capture reconnect
expect "reconnect" reconnect <<'END'
reconnect:25: warning V621 sessions-differ: virtio features offered are not those of session 1 (message 3): without FLUSH, RING_INDIRECT_DESC (session 2, see 3)
reconnect:30: warning V621 sessions-differ: the number of queues is 2; session 1 (message 8) had 4 (session 2, see 8)
reconnect:33: warning V621 sessions-differ: in the configuration Capacity is 4096; session 1 (message 11) had 2048 (session 2, see 11)
reconnect:34: warning V621 sessions-differ: virtio features taken are not those of session 1 (message 12): without FLUSH, RING_INDIRECT_DESC (session 2, see 12)
reconnect:36: warning V621 sessions-differ: the size of vring 0 is 128; session 1 (message 14) had 256 (session 2, see 14)
reconnect:37: warning V320 base-differs: vring 0 goes on at 0x190; in session 1 (message 21) it was stopped at 0x1f4 (session 2, see 21)
END

# The same one: nothing to tell.
{
	session 1 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 500
	session 2 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 500 600
} | capture same
expect "same" same </dev/null

# A back-end that crashed while a vring ran, and came back: no message says where the vring is. With an
# inflight area the back-end knows, and a restarted driver has nothing in flight.
crashed() {
	session 1 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 0 |
		sed '/ > 18 1 u32:0 u32:0$/d; / [<>] 11 /d; s/closed front-end closed/closed back-end closed/'
}
{
	crashed
	session 2 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 400 600
} | capture guessed
expect "guessed" guessed <<'END'
guessed:34: info V330 base-guessed: vring 0 goes on at 0x190, and in session 1 (message 17) it ran until the end: nothing told where it was, and there is no inflight area (session 2, see 17)
END
{
	crashed
	session 2 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 400 600 |
		sed '/ > 8 /i> 2 front-end > 32 1 u64:0x1000 u64:0 u32:0x1000001 u32:0 memfd:4096:/memfd:inflight'
} | capture tracked
expect "tracked" tracked </dev/null
{
	crashed
	session 2 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 600
} | capture restarted
expect "restarted" restarted </dev/null

# The machine was started again: its driver may take other features and set up other rings.
{
	session 1 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 500
	session 2 10 /run/a.sock 0x170000240 0x140000000 4 2048 128 0 600
	session 3 11 /run/a.sock 0x170000240 0x170000040 4 2048 64 300 600
} | capture restarted
expect "restarted" restarted </dev/null

# What the back-end offers may not change, whoever the front-end is; a session between the two that
# saw nothing of it, and one of another device, make no difference.
{
	session 1 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 500
	session 2 10 /run/b.sock 0x140000000 0x140000000 1 512 64 0 100
	printf '> 3 front-end opened peer:vmm:12:/run/front.sock peer:device:50:/run/a.sock\n'
	printf '> 3 front-end closed front-end closed\n'
	session 4 11 /run/a.sock 0x170000240 0x170000040 3 2048 64 300 600
} | capture offer
expect "offer" offer <<'END'
offer:54: warning V621 sessions-differ: the number of queues is 3; session 1 (message 8) had 4 (session 4, see 8)
END

# Two captures, the ends of a migration: whatever differs counts, but that the source logs.
session 7 10 /run/source.sock 0x174000240 0x174000240 4 2048 256 0 500 | capture source.pcapng
session 1 20 /run/destination.sock 0x174000240 0x170000240 4 2048 256 0 600 | capture other.pcapng
expect "migration" --compare source.pcapng other.pcapng <<'END'
other.pcapng:15: warning V320 base-differs: vring 0 goes on at 0x0; in session 7 of source.pcapng (message 21) it was stopped at 0x1f4 (session 1)
END
session 1 20 /run/destination.sock 0x174000240 0x170000240 4 2048 256 500 600 | capture right.pcapng
expect "migration that is right" --compare source.pcapng right.pcapng </dev/null
[ "$(cat errors)" = "no findings in 2 files, 2 sessions, 40 messages" ] ||
	{ echo "migration that is right: $(cat errors)"; status=1; }

# Several devices: those of one socket belong together, in whatever order they are.
{
	session 1 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 0
	session 2 10 /run/b.sock 0x170000240 0x170000240 2 1024 256 0 0
	session 3 10 /run/c.sock 0x170000240 0x170000240 1 512 256 0 0
} | capture before
{
	session 1 10 /run/b.sock 0x170000240 0x170000240 2 1024 256 0 0
	session 2 10 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 0
	session 3 10 /run/d.sock 0x170000240 0x170000240 1 514 256 0 0
} | capture after
expect "devices" --compare before after <<'END'
after:55: warning V621 sessions-differ: in the configuration Capacity is 514; session 3 of before (message 55) had 512 (session 3)
END

# A disk and a network card (bits 5, 15, 16 and 17 are its own) are two devices: nothing more is compared.
session 1 20 /run/c.sock 0x140038020 0x140038020 1 512 64 0 600 | capture card.pcapng
expect "another device" --compare source.pcapng card.pcapng <<'END'
card.pcapng:3: warning V621 sessions-differ: the device is NET (1); session 7 of source.pcapng (message 3) had BLOCK (2): another device is not compared (session 1)
END

# Of several sessions the last of the one goes on in the first of the other.
{
	session 1 10 /run/a.sock 0x170000240 0x140000000 4 2048 256 0 400
	session 2 11 /run/a.sock 0x170000240 0x170000240 4 2048 256 0 500
} | capture earlier
{
	session 1 12 /run/a.sock 0x170000240 0x170000240 4 2048 256 500 600
	session 2 13 /run/a.sock 0x170000240 0x140000000 4 2048 64 0 700
} | capture later
expect "last and first" --compare earlier later </dev/null

# A capture without a device's answers cannot be compared.
printf '> 1 front-end opened peer:vmm:1:/a peer:device:2:/b\n' | capture nothing
if "$vhu" check --compare nothing after >got 2>errors || [ $? != 1 ] ||
	! grep -q "^vhu check: nothing: no session to compare" errors; then
	echo "nothing: $(cat errors)"
	status=1
fi
exit $status
