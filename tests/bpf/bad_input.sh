#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu latency says where it can watch nothing: one line that names what is missing.
#
#	sh bad_input.sh BIN CAPTURE
set -eu
bin=$1 capture=$2
. "$(dirname "$0")/../../samples/stage.sh"
folder=$(mktemp -d "${TMPDIR:-/tmp}/latency-bad.XXXXXX")
jobs=
trap 'for job in $jobs; do kill "$job" 2>/dev/null || :; done; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
failed=0

# Wait until the command $* succeeds, for long, not for ever.
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || { echo "waited in vain for: $*"; exit 1; }
		sleep 0.05
	done
}

# Run vhu latency with $3 and so on; it must end with status $1 and a line that holds $2.
refused() {
	wanted=$1 text=$2
	shift 2
	status=0
	timeout 100 "$bin/vhu" latency --json "$@" >"$folder/out" 2>"$folder/err" || status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -qF -- "$text" "$folder/err" ||
		[ "$(wc -l <"$folder/err")" -ne 1 ]; then
		echo "vhu latency $*: status $status, said: $(cat "$folder/err")"
		echo "  wanted: status $wanted, $text"
		failed=1
	fi
}

refused 2 'which rings?'
refused 2 'which rings?' -p 1 -r "$capture"
refused 2 '-f follows a capture' -p 1 -f
refused 2 'no process id' -p none
refused 2 'a third process' -p 1 -p 2 -p 3
refused 2 'no such set of hooks' -p 1 --hooks none
refused 2 'no duration' -p 1 --interval soon
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
		text=$(lacking "${row%% *}" "$bin/vhu" latency -p $$ 2>&1) && failed=1
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
lacks=$("$bin/vhu" latency --json --eventfd kick=4294967295 2>&1) || :
case $lacks in
*"no process has it open"*) ;;
*)
	echo "lacks probes: $lacks"
	exit 77
	;;
esac
refused 1 'no such process' -p 4194304
refused 1 'shares no eventfd' -p 1
refused 1 'share no eventfd' -p 1 -p $$
refused 1 'No such file' -r "$folder/none"
refused 1 'not a capture' -r "$0"
refused 1 "none of its vrings' eventfds is open" -r "$capture"
"$bin/vhu" proxy -w "$folder/empty.pcapng" "$folder/front" "$folder/back" 2>/dev/null &
proxy=$!
jobs=$proxy
wait_for test -s "$folder/empty.pcapng"
kill $proxy
wait $proxy || :
refused 1 'no session told of a vring' -r "$folder/empty.pcapng"
refused 1 'No such file' -w "$folder/none/file" --eventfd kick=1

refused 1 'empty' -r /dev/null
head -c 3000 "$capture" >"$folder/cut.pcapng"
refused 1 "$folder/cut.pcapng" -r "$folder/cut.pcapng"
refused 1 'no static probe none:none' --pop "$bin/vhu:none:none" --eventfd kick=1
refused 1 'no function none' --push "$bin/vhu:none" --eventfd kick=1
refused 1 'No such file' --pop "$folder/none:none" --eventfd kick=1
if command -v setpriv >/dev/null; then
	# What needs no right is not asked for.
	text=$(lacking -sys_resource "$bin/vhu" latency --json --eventfd kick=4294967295 2>&1) && failed=1
	[ "$text" = "vhu latency: eventfd 4294967295: no process has it open" ] || {
		echo "without CAP_SYS_RESOURCE: $text"
		failed=1
	}
fi

# Two at once watch the same, each for itself. A back-end that is killed meanwhile ends both, and not
# in failure.
"$bin/vhu-sample-backend" --device rng --socket-path="$folder/sock" 2>/dev/null &
back=$!
jobs=$back
wait_for stage_has_listener $back "$folder/sock"
"$bin/vhu-sample-frontend" --device rng --rate 1000 --duration 280s "$folder/sock" >/dev/null 2>&1 &
jobs="$jobs $!"
wait_for "$bin/vhu" latency --json --duration 1ms -p $back
for name in one two; do
	"$bin/vhu" latency --json --interval 100ms -p $back >"$folder/$name" 2>"$folder/$name.err" &
	eval "$name=$!"
	jobs="$jobs $!"
done
counts() {
	tail -n 1 "$folder/$1" | grep -q '"kicks":[1-9]'
}
wait_for counts one
wait_for counts two
kill -9 $back
wait $one || { echo "one: status $?"; failed=1; }
wait $two || { echo "two: status $?"; failed=1; }
for name in one two; do
	grep -q 'the back-end ended' "$folder/$name.err" || { echo "$name: $(cat "$folder/$name.err")"; failed=1; }
done
exit $failed
