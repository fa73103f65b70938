#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings says in a line what keeps it from looking, and ends with 1; 2 if its options make no sense.
. "$(dirname "$0")/lib.sh"

# See that vhu rings with the options $3... ends with status $1 and says $2 in one line.
says() {
	wanted=$1 text=$2
	shift 2
	status=0
	"$vhu" rings "$@" >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || fail "$*: status $status"
	[ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line"
	grep -q -- "$text" err || fail "$*: does not say '$text'"
}

says 2 'not a process id' -p x
says 2 'one of -r, -s and --qmp' -r a -s b
says 2 'not a vring number' --vring 256
says 2 'not a time' --wait soon
says 2 'standard input' -r -
says 2 'unexpected argument' vm.pcapng
says 1 'No such file' -r nothing.pcapng
says 1 'name a capture' -s nothing.sock
says 1 'No such file' --qmp nothing.sock
says 1 'there is no process 4194305' -p 4194305
sleep 60 &
jobs=$!
says 1 "process $jobs: no vhu proxy and no vhu attach has recorded its sessions" -p "$jobs"
kill "$jobs"
echo no capture >bad.pcapng
says 1 'bad.pcapng' -r bad.pcapng
says 1 'no session is open' -r "$captures/qemu-blk.pcapng"

back --device rng
proxy
front --device rng --requests 100000 --rate 20
wait_for is_there
says 1 'no session 7' -r vm.pcapng --session 7
says 1 'no session of process 1 ' -r vm.pcapng -p 1
says 1 'no vring 5' -r vm.pcapng --vring 5
"$vhu" rings -p "$(stage_pid back)" >out || fail "the back-end's proxy is not found"
grep -q '^vring 0:' out || fail 'by the back-end: no vring'
# A proxy that writes no capture is found by its control socket, which its command line or its configuration names.
stage_end front TERM || :
stage_end proxy TERM || :
stage_start proxy "$vhu" proxy -q --control=ctl.sock front.sock back.sock
stage_listens proxy front.sock
front --device rng --requests 100000 --rate 20
by_pid() {
	"$vhu" rings -p "$(stage_pid "$1")" >out 2>err && grep -q '^vring 0:' out
}
wait_for by_pid back || fail "by a proxy's --control: $(cat out err)"
stage_end front TERM || :
stage_end proxy TERM || :
printf '# a proxy\n\tpair front.sock back.sock\n control  ctl.sock \n' >proxy.conf
stage_start proxy "$vhu" proxy -q --config proxy.conf
stage_listens proxy front.sock
front --device rng --requests 100000 --rate 20
wait_for by_pid front || fail "by a proxy's configuration: $(cat out err)"
stage_end front TERM || :
stage_end proxy TERM || :
proxy
front --device rng --requests 100000 --rate 20
wait_for is_there
"$vhu" rings -s ctl.sock --wait 300ms >out || fail "--wait: status $?"
[ ! -s out ] || fail '--wait shows a vring that does not hang'

# A proxy that is stopped does not answer.
kill -STOP "$(stage_pid proxy)"
stopped="the proxy does not answer: process $(stage_pid proxy) is stopped by a signal (T)"
says 1 "$stopped" -s ctl.sock &
jobs=$!
"$vhu" ctl -s ctl.sock sessions 2>ctl.err && fail 'vhu ctl: a proxy that is stopped answers'
grep -qF "$stopped" ctl.err || fail "vhu ctl: $(cat ctl.err)"
wait "$jobs" || fail 'a proxy that is stopped'
kill -CONT "$(stage_pid proxy)"

# Another user has no right to look; the line names the capability.
if [ "$(id -u)" -eq 0 ]; then
	chmod 711 . && chmod 644 vm.pcapng
	cp "$vhu" vhu && chmod 755 vhu
	status=0
	setpriv --reuid=65534 --regid=65534 --clear-groups ./vhu rings -r vm.pcapng >out 2>err || status=$?
	[ "$status" -eq 1 ] || fail "another user: status $status"
	[ "$(wc -l <err)" -eq 1 ] || fail 'another user: not one line'
	grep -q 'CAP_SYS_PTRACE' err || fail 'another user: no capability is named'
fi

# Killed all at once, the capture leaves the session open and its processes are gone.
back=$(stage_pid back)
kill -KILL "$(stage_pid proxy)" "$(stage_pid front)" "$back"
sleep 0.2
says 1 'its processes have ended' -r vm.pcapng
! grep -q 'root\|CAP_SYS_PTRACE' out err || fail "rights that help nothing: $(cat out err)"
grep -q 'could not be read: the session.s processes have ended$' out || fail "ended processes: $(cat out)"
# Nor is a process of the session what has the back-end's id now.
if [ -w /proc/sys/kernel/ns_last_pid ]; then
	wait "$back" 2>/dev/null || :
	# The clock may have been set meanwhile by less.
	sleep 2
	has_its_id() {
		echo $((back - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 1000 &
		other=$!
		[ "$other" = "$back" ] || { kill $other; return 1; }
	}
	wait_for has_its_id
	jobs="$jobs $back"
	says 1 'its processes have ended' -r vm.pcapng
fi
