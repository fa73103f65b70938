#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu latency says where it can watch nothing: one line that names what is missing.
. "$(dirname "$0")/../lib/common.sh"
work_open
bin=$build/bin capture=$captures/qemu-blk.pcapng

failed=0

# Run vhu latency with $3 and so on; it must end with status $1 and a line that holds $2.
refused() {
	wanted=$1 text=$2
	shift 2
	status=0
	timeout 100 "$vhu" latency --json "$@" >"$work/out" 2>"$work/err" || status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -qF -- "$text" "$work/err" ||
		[ "$(wc -l <"$work/err")" -ne 1 ]; then
		echo "vhu latency $*: status $status, said: $(cat "$work/err")"
		echo "  wanted: status $wanted, $text"
		failed=1
	fi
}

refused 2 'which vrings?'
refused 2 'which vrings?' -p 1 -r "$capture"
refused 2 '-f follows a capture' --eventfd kick=1 -f
refused 2 'wants the path of a socket' --socket ''
refused 1 "vhu latency: $0: not a socket" --socket "$0"
refused 2 'which vrings' --socket back -p 1
refused 2 'not a process id' -p none
refused 2 'a third process' -p 1 -p 2 -p 3
refused 2 'use vhu attach --latency -w -' -p 1 -w -
refused 2 'no such set of hooks' -p 1 --hooks none
refused 2 'not a time' -p 1 --interval soon
refused 2 '0: not a time above 0: without --duration there is no limit' -p 1 --duration 0
refused 2 'not of the form' --eventfd kick=x
refused 2 'not of the form' --eventfd kick=1,kick=2
for place in back-end back-end: :symbol back-end::probe; do
	refused 2 'not of the form' -p 1 --pop $place
done

if [ "$(id -u)" -ne 0 ]; then
	refused 1 'CAP_BPF and CAP_PERFMON are missing' -p $$
	exit $failed
fi
if command -v setpriv >/dev/null; then
	lacking() {
		lacks=$1
		shift
		setpriv --bounding-set "$lacks" --inh-caps "$lacks" "$@"
	}
	for row in '-bpf,-sys_admin CAP_BPF is missing' '-perfmon,-sys_admin CAP_PERFMON is missing' \
		'-bpf,-perfmon,-sys_admin CAP_BPF and CAP_PERFMON are missing'; do
		text=$(lacking "${row%% *}" "$vhu" latency -p $$ 2>&1) && failed=1
		case $text in
		*"${row#* }"*) ;;
		*)
			echo "without ${row%% *}: $text"
			failed=1
			;;
		esac
	done
fi
# Where the kernel tells nothing of its structures.
if unshare -m true 2>/dev/null; then
	text=$(unshare -m sh -c "mount -t tmpfs none /sys/kernel/btf && '$bin/vhu' latency -p $$" 2>&1) &&
		failed=1
	case $text in
	*/sys/kernel/btf/vmlinux*"the kernel's BTF is needed"*) ;;
	*)
		echo "without BTF: $text"
		failed=1
		;;
	esac
fi
[ $failed -eq 0 ] || exit 1
need_probes
refused 1 'no such process' -p 4194304
refused 1 'shares no eventfd' -p 1
refused 1 'share no eventfd' -p 1 -p $$
refused 1 'No such file' -r "$work/none"
refused 1 'not a capture' -r "$0"
refused 1 "none of its vrings' eventfds is open" -r "$capture"
"$vhu" proxy -w "$work/empty.pcapng" "$work/front" "$work/back" 2>/dev/null &
proxy=$!
jobs=$proxy
wait_for test -s "$work/empty.pcapng"
kill $proxy
wait $proxy || :
refused 1 'no session told of a vring' -r "$work/empty.pcapng"
refused 1 'No such file' -w "$work/none/file" --eventfd kick=1

refused 1 'empty' -r /dev/null
head -c 3000 "$capture" >"$work/cut.pcapng"
refused 1 "$work/cut.pcapng" -r "$work/cut.pcapng"
refused 1 'no static probe none:none' --pop "$bin/vhu:none:none" --eventfd kick=1
refused 1 'no function none' --push "$bin/vhu:none" --eventfd kick=1
refused 1 'No such file' --pop "$work/none:none" --eventfd kick=1
if command -v setpriv >/dev/null; then
	# What needs no right is not asked for.
	text=$(lacking -sys_resource "$vhu" latency --json --eventfd kick=4294967295 2>&1) && failed=1
	[ "$text" = "vhu latency: eventfd 4294967295: not open in any process" ] || {
		echo "without CAP_SYS_RESOURCE: $text"
		failed=1
	}
fi

# Two at once watch the same, each for itself. A back-end that is killed meanwhile ends both, and not
# in failure.
"$bin/vhu-sample-backend" --device rng --socket-path="$work/sock" 2>/dev/null &
back=$!
jobs=$back
wait_for stage_has_listener $back "$work/sock"
"$bin/vhu-sample-frontend" --device rng --rate 1000 --duration 280s "$work/sock" >/dev/null 2>&1 &
jobs="$jobs $!"
wait_for "$vhu" latency --json --duration 1ms -p $back
for name in one two; do
	"$vhu" latency --json --cumulative --interval 100ms -p $back >"$work/$name" 2>"$work/$name.err" &
	eval "$name=$!"
	jobs="$jobs $!"
done
counts() {
	tail -n 1 "$work/$1" | grep -q '"kicks":[1-9]'
}
wait_for counts one
wait_for counts two
kill -9 $back
wait $one || { echo "one: status $?"; failed=1; }
wait $two || { echo "two: status $?"; failed=1; }
for name in one two; do
	grep -q 'the back-end ended' "$work/$name.err" || { echo "$name: $(cat "$work/$name.err")"; failed=1; }
done
exit $failed
