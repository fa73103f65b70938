#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu probe --conformance finds in back-ends that do wrong, what becomes of those that die of it,
# and the report in each form.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq xmllint
work_open
bad=$programs/probe_bad_backend

# Run cases with the options $1 on a back-end that does as $3 and following say: status $2. Only what
# does not come is waited for in vain.
wait=10s
conform() {
	options=$1 wanted=$2
	shift 2
	status=0
	rm -f b.sock
	# shellcheck disable=SC2086 # options are several words
	timeout 120 "$vhu" probe --conformance --timeout $wait $options b.sock -- "$bad" b.sock \
		device=3 protocol=0x50009 told=0 "$@" >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || fail "$options of $*: status $status, not $wanted"
}

# The case $1 has the result $2, and says $3 (a pattern).
case_is() {
	line=$(grep "^$2  *$1 " out) || fail "$1 is not $2"
	echo "$line" | grep -q "$3" || fail "$1 does not say: $3"
}

# One that only answers passes what is judged by answers.
conform '--case get-early --case pipelined --case header-apart --case need-reply-get
	--case need-reply-set --case without-ack --case base-unused --case features-again' 0
[ "$(grep -c '^pass ' out)" -eq 8 ] || fail "not all of 8 cases pass"
grep -q '^8 passed, 0 failed, 0 not applicable$' out || fail "the sum is wrong"

# What it does wrong is found, with the rule.
conform '--case base-kept' 1
case_is base-kept fail 'base 3 was set, the reply says 0 (violates the specification: V319 base-lost)'
wait=1s
conform '--case base-twice' 1 silent:GET_VRING_BASE
case_is base-twice fail 'no answer to GET_VRING_BASE in 1000 ms (violates the specification: V402 no-reply)'
conform '--case need-reply-set' 1 silent:SET_VRING_KICK
case_is need-reply-set fail 'no answer to SET_VRING_KICK'
wait=10s
conform '--case need-reply-set' 1 nack:SET_VRING_CALL
case_is need-reply-set fail 'SET_VRING_CALL was refused with 1 (violates the specification: V402 no-reply)'
conform '--case features-again' 1 close:SET_VRING_NUM
case_is features-again fail 'closed the connection instead of answering SET_VRING_NUM (violates the specification: VHOST_USER_SET_FEATURES)'
conform '--case without-ack' 0
conform '--case index-beyond' 1
case_is index-beyond fail 'acknowledges that vring 4 has a size (accepts nonsense: V309'
conform '--case base-twice' 1 fds:GET_VRING_BASE
case_is base-twice fail 'carries 3 descriptors, not 0 (violates the specification: V501'
# Requests that are not served.
wait=1s
conform '--case stop-and-go --case poll-call --case kick-early' 1 device=2
case_is kick-early fail 'a request did not come back in 1000 ms (violates the specification: V302'
case_is stop-and-go fail 'a request did not come back in 1000 ms'
case_is poll-call fail 'a request did not come back in 1000 ms'
wait=10s
# What it has not is not asked of it.
conform '--case config-part --case reset-device --case enable-order --case poll-kick' 0 queues=1 protocol=0x40009
case_is config-part 'not applicable' 'CONFIG is not offered'
case_is reset-device 'not applicable' 'RESET_DEVICE is not offered'
case_is enable-order 'not applicable' 'it has one ring'
case_is poll-kick 'not applicable' 'no request to its device is known'

# One that was ended because it hung, or died, ended at that case alone.
wait=1s
conform '--case base-twice --case index-beyond' 1 protocol=0x50008 deaf=3
case_is base-twice fail 'the back-end does not serve another front-end: no answer to GET_FEATURES'
case_is index-beyond 'not applicable' 'it does not say how many rings it has'
conform '--case size-short' 1 deaf=3
case_is size-short fail '(does not survive nonsense: V410'
wait=10s
conform '--case base-twice --case index-beyond' 1 protocol=0x50008 die:GET_VRING_BASE
case_is base-twice fail 'the back-end died of signal 6'
case_is index-beyond 'not applicable' 'it does not say how many rings it has'

# One that dies is started again for the next case,
conform '--case base-unused --case get-early --case base-twice --case size-short' 1 die:GET_VRING_BASE
case_is base-unused fail 'the back-end died of signal 6 (Aborted)'
case_is get-early pass ''
case_is base-twice fail 'the back-end died of signal 6'
case_is size-short pass ''
# and so is one that serves one front-end and ends.
conform '--case get-early --case pipelined --case size-huge --case unknown-id' 0 clients=1
conform '--case base-unused' 1 clients=1 die:GET_VRING_BASE
case_is base-unused fail 'the back-end died of signal 6'
# Where it is not ours to start, it is lost from there on.
"$bad" d.sock device=3 protocol=0x50009 told=0 die:GET_VRING_BASE &
back_end=$!
jobs=$back_end
# It has that name once it listens.
until [ -S d.sock ]; do sleep 0.05; done
status=0
timeout 60 "$vhu" probe --conformance --timeout 10s --case get-early --case base-unused \
	--case base-twice --case size-short d.sock >out 2>err || status=$?
[ "$status" -eq 1 ] || fail "a back-end that is lost: status $status"
case_is get-early pass ''
case_is base-unused fail 'the back-end does not serve another front-end: '
case_is base-twice 'not run' 'the back-end was lost at base-unused'
case_is size-short 'not run' 'the back-end was lost at base-unused'
grep -q '^1 passed, 1 failed, 0 not applicable, 2 not run$' out || fail "the sum is wrong"
# One that ends after a case, and did not after the first connection.
conform '--case get-early' 1 clients=3
case_is get-early fail 'ended with status 0'

# Every case once, in each form; the names are those of --list.
"$vhu" probe --list >list
[ "$(wc -l <list)" -ge 30 ] || fail "--list has few cases"
[ "$(awk '{ print $1 }' list | sort | uniq -d | wc -l)" -eq 0 ] || fail "a case's name is there twice"
wait=300ms
conform '' 1
awk 'NR == FNR { name[$1]; next } /^(pass|fail|not)/ { sub(/^(not applicable|not run|pass|fail) */, ""); print $1 }' \
	list out >ran
awk '{ print $1 }' list | diff - ran >/dev/null || fail "not every case was run once and in order"
conform '--tap -w it.pcapng' 1
[ "$(sed -n 2p out)" = "1..$(wc -l <list)" ] || fail "TAP: the plan is wrong"
[ "$(grep -cE '^(not )?ok [0-9]+ - ' out)" -eq "$(wc -l <list)" ] || fail "TAP: not a line a case"
grep -q '^not ok .* - base-kept: ' out || fail "TAP: base-kept does not fail"
grep -q '^  message: "base 3 was set, the reply says 0"$' out || fail "TAP: does not say why"
grep -q '^ok .* # SKIP no request to its device is known' out || fail "TAP: nothing is skipped"
"$vhu" dump it.pcapng >dump || fail "the capture cannot be read"
[ "$(grep -c 'session opened' dump)" -ge "$(wc -l <list)" ] || fail "the capture lacks connections"
conform '--junit' 1
xmllint --noout out 2>err || fail "JUnit: not well-formed"
[ "$(xmllint --xpath 'count(//testcase)' out)" -eq "$(wc -l <list)" ] || fail "JUnit: cases are missing"
[ "$(xmllint --xpath 'string(//testcase[@name="base-kept"]/failure/@type)' out)" = "V319 base-lost" ] ||
	fail "JUnit: base-kept does not fail by V319"
conform '--json' 1
schemas_fit out >fit || fail "JSON: $(cat fit)"
jq -e --argjson cases "$(wc -l <list)" '(.cases | length == $cases)
	and (.passed + .failed + .not_applicable + .not_run == $cases)
	and any(.cases[]; .name == "base-kept" and .result == "fail" and .rule == "V319" and .kind == "violates")
	and any(.cases[]; .name == "index-beyond" and .kind == "accepts-nonsense")' out >/dev/null ||
	fail "JSON: does not add up"

# A command line that makes no sense.
for options in '--tap' '--junit' '--case get-early' '--conformance --tap --json' \
	'--conformance --case nothing-like-it' '--conformance --expect nothing' '--timeout soon' '--timeout 0s'; do
	status=0
	# shellcheck disable=SC2086 # options are several words
	"$vhu" probe $options b.sock >out 2>err || status=$?
	[ "$status" -eq 2 ] || fail "$options: status $status"
done
echo "all cases tell what they should"
