#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# If nothing says where the vrings of a process are, vhu rings -p says what can be seen nevertheless: which side
# is stopped, which eventfds were signalled and not read.
. "$(dirname "$0")/lib.sh"

# Return whether vhu rings -p of party $1 fails and says the regular expressions $2....
says_of() {
	pid=$(stage_pid "$1")
	shift
	! "$vhu" rings -p "$pid" >out 2>err || return 1
	[ ! -s out ] && head -n 1 err | grep -q "process $pid: no vhu proxy and no vhu attach has recorded" || return 1
	for text in "$@"; do
		grep -q "seen: $text" err || return 1
	done
}

back --device blk
stage_start front "$front_end" --timeout 100s --device blk --operation read --rate 20 \
	--requests 100000 back.sock
names="$(stage_pid back) (vhu-sample-back) and $(stage_pid front) (vhu-sample-fron)"
works() {
	says_of back 'neither side is stopped or blocked, and none of the eventfds that they share waits to be read' && [ "$(wc -l <err)" -eq 2 ]
}
wait_for works || fail "of a session that works: $(cat err)"

kill -STOP "$(stage_pid back)"
wait_for says_of back "process $(stage_pid back) (vhu-sample-back) is stopped by a signal (T): let it continue" \
	"eventfd [0-9]*, which processes $names share, was signalled and not read (counter [1-9]" ||
	fail "of a back-end that is stopped: $(cat err)"
says_of front "process $(stage_pid back) (vhu-sample-back) is stopped by a signal (T)" ||
	fail "the other side says another thing: $(cat err)"
kill -CONT "$(stage_pid back)"

kill -STOP "$(stage_pid front)"
wait_for says_of back "process $(stage_pid front) (vhu-sample-fron) is stopped by a signal (T)" ||
	fail "of a front-end that is stopped: $(cat err)"
all_out

# A proxy that records nothing is named, by each of the three; so is one with a flight recorder, and how to have
# it write a file, by which its sessions are found then.
between() {
	back --device blk
	stage_start proxy "$vhu" proxy -q "$@" front.sock back.sock
	stage_listens proxy front.sock
	front --device blk --operation read --rate 20 --requests 100000
}
# Return whether vhu rings -p fails for each, and its first line has $1 for the proxy, $2 for the sides.
all_say() {
	for party in proxy front back; do
		[ $party = proxy ] && says=" is a vhu proxy that $1" || says=": its vhu proxy (pid $(stage_pid proxy)) $1"
		! "$vhu" rings -p "$(stage_pid $party)" >out 2>err || return 1
		head -n 1 err | grep -qF "process $(stage_pid $party)$says" || return 1
	done
}
# Return whether vhu rings -p finds vring 0 of each.
all_find() {
	for party in proxy front back; do
		rings -p "$(stage_pid $party)"
		[ "$(jq .vring out)" = 0 ] || return 1
	done
}
between --no-sandbox
wait_for all_say 'says nothing of its sessions: start it with --control or -w' || fail "a bare proxy: $(cat err)"
all_out
for how in '-w kept.pcapng' '--control ctl.sock' '--config proxy.conf'; do
	echo 'control ctl.sock' >proxy.conf
	# shellcheck disable=SC2086
	between $how
	wait_for all_find || fail "a proxy with $how: $(cat err)"
	all_out
done
for how in '-w vm.pcapng --flight-recorder' '--config proxy.conf'; do
	printf 'write vm.pcapng\nflight-recorder 1M\n' >proxy.conf
	# shellcheck disable=SC2086
	between $how
	wait_for all_say "keeps what passes in its flight recorder: \`kill -USR2 $(stage_pid proxy)\` makes it write" ||
		fail "a flight recorder, $how: $(cat err)"
	# What begins with the same word is another series.
	touch vm_2_00001_20990131235959.pcapng vm_00001_2099.pcapng
	kill -USR2 "$(stage_pid proxy)"
	wait_for all_find || fail "a file of a flight recorder, $how: $(cat err)"
	"$vhu" rings -p "$(stage_pid back)" >out 2>err || :
	grep -q "vm_00001_[0-9]*.pcapng: the flight recorder of process $(stage_pid proxy) wrote this .* ago" err ||
		fail "it does not say what it has read: $(cat err)"
	all_out
	rm -f vm*.pcapng
done

# The name of a process may hold anything, and does nothing to a terminal.
named=$(printf 'b\033[31m\377k')
cp "$back_end" "$named"
stage_start back "./$named" --device blk --socket-path=back.sock
stage_listens back back.sock
stage_start front "$front_end" --timeout 100s --device blk --rate 20 --requests 100000 back.sock
kill -STOP "$(stage_pid back)"
wait_for says_of back "process $(stage_pid back) (b?\[31m?k) is stopped by a signal (T)" ||
	fail "of a hostile name: $(cat -v err)"
! grep -q "$(printf '\033')" err || fail 'a terminal gets what a process is called'
"$vhu" attach --list >listed 2>&1 || :
! grep -q "$(printf '\033')" listed || fail 'vhu attach --list: a terminal gets what a process is called'
all_out

# Who may not look says so.
if [ "$(id -u)" -eq 0 ]; then
	cp "$vhu" vhu && chmod 711 . && chmod 755 vhu
	! setpriv --reuid=65534 --regid=65534 --clear-groups ./vhu rings -p $$ >out 2>err || fail 'another user may look'
	[ "$(wc -l <err)" -eq 1 ] && grep -q "cannot look into process $$: Permission denied: run as root" err ||
		fail "another user: $(cat err)"
fi
