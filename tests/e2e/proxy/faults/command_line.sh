#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu proxy says of wrong faults and masks: one line, with the column, and nothing is started;
# and that docs/faults.md names all actions, and has no fault that vhu does not take.
. "$(dirname "$0")/../../../lib/common.sh"
work_open
docs=$top/docs

# The proxy refuses option $1 with argument $2, and its line has $3.
refuses() {
	status=0
	"$vhu" proxy "$1" "$2" front.sock back.sock >out 2>err || status=$?
	[ "$status" -eq 2 ] || fail "$1 '$2': status $status"
	[ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || fail "$1 '$2': not one line: $(cat err out)"
	grep -qF -- "$3" err || fail "$1 '$2': no \"$3\" in: $(cat err)"
	[ ! -e front.sock ] || fail "$1 '$2': it was started"
}

refuses --fault '' 'column 1: which message?'
refuses --fault 'SET_VRING_KIK: drop' 'column 1: no message SET_VRING_KIK (SET_VRING_KICK?)'
refuses --fault 'front SET_VRING_KICK' 'column 21: no ":"'
refuses --fault 'SET_VRING_KICK:' 'column 16: what is to be done: delay, '
refuses --fault 'SET_VRING_KICK: explode' 'column 17: no action explode: '
refuses --fault 'SET_VRING_KICK colour=1: drop' 'column 16: SET_VRING_KICK has no field colour'
refuses --fault 'SET_VRING_KICK vring=one: drop' 'column 22: one is no number'
refuses --fault 'SET_VRING_KICK nth=: drop' 'column 20: nth wants'
refuses --fault 'SET_VRING_KICK: delay 5m' 'column 23: delay wants a time'
refuses --fault 'SET_VRING_KICK: delay 9ms..1ms' 'column 23: delay wants a time'
refuses --fault 'SET_VRING_KICK: split 9,3' 'column 25: split wants'
refuses --fault 'SET_VRING_KICK: set vring=900' 'column 27: vring is at most 255'
refuses --fault 'kick: drop' 'column 7: no action drop on a kick or a call'
refuses --fault 'SET_FEATURES: set features=MQ' 'column 28: MQ is 22 for NET, 12 for BLOCK'
refuses --mask STATUS 'column 1: STATUS: mask what?'
refuses --mask protocol:STATUS,FOO 'column 17: no name FOO'
refuses --mask virtio:64 'column 8: 64 is no bit'
refuses --mask config:1 'column 8: config wants OFFSET=BYTE'
refuses --mask protocol: 'column 10: '
refuses --seed x 'x: not a number'
refuses --faults nowhere 'nowhere: No such file'
printf 'any: drop\n\n# why\nback GET_CONFIG: dorp # oops\n' >faults.txt
refuses --faults faults.txt 'faults.txt:4:18: no action dorp'
awk 'BEGIN { for (i = 0; i < 257; i++) print "any: drop" }' >faults.txt
refuses --faults faults.txt 'faults.txt:257: there are 256 faults already'
awk 'BEGIN { printf "any "; for (i = 0; i < 600; i++) printf "x "; print ": drop" }' >faults.txt
refuses --faults faults.txt 'faults.txt:1:1024: a fault has at most 1023 bytes'
refuses --faults /dev/zero '/dev/zero:1: not a file of faults'
awk 'BEGIN { for (i = 0; i < 600000; i++) print "#" }' >faults.txt
refuses --faults faults.txt 'faults.txt:524289: not a file of faults'

# The faults of the page are right: the proxy fails later, on a missing socket.
awk '/^```faults/ { faults = 1; next } /^```/ { faults = 0 } faults' "$docs/faults.md" >faults.txt
awk -F'`' '/^\| `.*`[^|]*\|.*\| `[A-Za-z]/ && NF > 3 && $(NF - 1) ~ /: / { print $(NF - 1) }' \
	"$docs/faults.md" >>faults.txt
[ "$(wc -l <faults.txt)" -ge 30 ] || fail "only $(wc -l <faults.txt) faults found in faults.md"
status=0
"$vhu" proxy --faults faults.txt no/front.sock no/back.sock >out 2>err || status=$?
[ "$status" -eq 1 ] && grep -q 'no such folder' err || fail "faults.md: $(cat err)"
"$vhu" proxy --fault 'any:' a b 2>&1 | sed 's/.*to be done: //; s/ (see .*//; s/, /\n/g' >actions
[ "$(wc -l <actions)" -ge 16 ] || fail "actions: $(cat actions)"
while read -r action; do
	grep -q "^| \`${action}[\` ]" "$docs/faults.md" || fail "faults.md lacks $action"
	grep -q "^\.B.* *$(echo "$action" | sed 's/-/\\\\-/')" "$docs/vhu-proxy.1" ||
		fail "vhu-proxy.1 lacks $action"
done <actions

# The proxy prints its random seed, unless --seed gives it.
for seed in "" "--seed 5"; do
	# shellcheck disable=SC2086 # two words, or none
	"$vhu" proxy $seed --fault 'any probability=1/2: drop' front.sock back.sock 2>err &
	pid=$!
	stage_hears $pid front.sock || fail "the proxy does not listen: $(cat err)"
	kill "$pid"
	wait "$pid" || :
	count=$(grep -c 'the seed of this run is [0-9]* (--seed repeats it)' err || :)
	[ "$count" -eq "$([ -n "$seed" ] && echo 0 || echo 1)" ] || fail "seed: $(cat err)"
done
