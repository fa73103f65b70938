#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu probe on files that are not sockets, and on back-ends that are silent, close, or answer
# something else: one line that says what, and exit status 1, in time.
. "$(dirname "$0")/../../lib/common.sh"
work_open
bad=$programs/probe_bad_backend

count=0

# vhu probe $@ must end with status 1 and say one line, which ends with $1 (a pattern). It is given
# up long after it should have ended. Nothing is waited for in vain.
says() {
	line=$1
	shift
	status=0
	timeout 60 "$vhu" probe --timeout 10s "$@" >out 2>err || status=$?
	said "$@"
}

# It has ended with $status, and was called with $@.
said() {
	[ "$status" -eq 1 ] || fail "vhu probe $*: status $status"
	[ "$(wc -l <err)" -eq 1 ] || fail "vhu probe $*: says other than one line"
	# shellcheck disable=SC2254 # it is a pattern
	case $(cat err) in
	"vhu probe: "$line) ;;
	*) fail "vhu probe $*: does not say: $line" ;;
	esac
	count=$((count + 1))
}

# A back-end that does as $2 and following say makes it say $1.
bad() {
	line=$1
	shift
	says "b.sock: $line" b.sock -- "$bad" b.sock "$@"
	rm -f b.sock
}

# The same where something is waited for in vain: they all wait at the same time, each in its folder,
# longer than anything else takes. They have ended, and are looked at, when waited is called.
waits() {
	waiting=$((waiting + 1))
	mkdir "waits$waiting"
	echo "b.sock: $1" >"waits$waiting/line"
	shift
	echo "$*" >"waits$waiting/called"
	(
		cd "waits$waiting"
		status=0
		timeout 60 "$vhu" probe --timeout 3s b.sock -- "$bad" b.sock "$@" >out 2>err || status=$?
		echo "$status" >status
	) &
}
waiting=0
waited() {
	wait
	for turn in $(seq "$waiting"); do
		cd "$work/waits$turn"
		read -r line <line
		read -r called <called
		read -r status <status
		said "$called"
	done
	cd "$work"
}

# No back-end at all.
: >file
mkdir folder
says "none.sock: there is no such socket: is the back-end running?" none.sock
says "file: connection refused: is the back-end running?" file
says "folder: connection refused: is the back-end running?" folder
says "$(printf '%0120d' 0): the path is too long for a socket's, which has 107 bytes" "$(printf '%0120d' 0)"
says "b.sock: true ended with status 0 before it listened there" b.sock -- true
says "b.sock: no-such-command-here ended with status 127 before it listened there" b.sock -- no-such-command-here
"$bad" dead.sock clients=0
says "dead.sock: connection refused: is the back-end running?" dead.sock
says "/no/such/folder/x.pcapng: cannot write a capture: No such file or directory" -w /no/such/folder/x.pcapng none.sock

# A back-end that is not there for us.
waits "no answer to GET_FEATURES in 3000 ms" not-there
waits "takes no connection in 3000 ms: others wait there" busy
# One that closes before its first answer may serve the next connection: that is tried until the time
# is up, and no longer than a back-end of ours lives.
waits "closed the connection *GET_FEATURES" hang-up
bad "closed the connection *GET_FEATURES" clients=2 away=2
for away in 1 4; do
	"$vhu" probe --timeout 10s b.sock -- "$bad" b.sock away=$away >out 2>err ||
		fail "a back-end that turns $away away: $(cat err)"
	[ ! -s err ] || fail "says something of a back-end that turns $away away"
	grep -q V411 out && fail "a connection that was turned away is found to break a rule"
done

# Silent, or closing, at each step.
for message in GET_FEATURES GET_PROTOCOL_FEATURES SET_OWNER GET_QUEUE_NUM GET_MAX_MEM_SLOTS \
	GET_STATUS GET_CONFIG; do
	waits "no answer to $message in 3000 ms" "silent:$message"
	case $message in
	GET_FEATURES) waits "closed the connection instead of answering $message" "close:$message" ;;
	*) bad "closed the connection instead of answering $message" "close:$message" ;;
	esac
	waits "the answer to $message is not whole after 3000 ms: 6 of 12 bytes came" "half:$message"
	bad "closed the connection in the answer to $message: 6 of 12 bytes came" "half-close:$message"
	bad "the answer to $message is no vhost-user message: it begins with 48 54 54 50 2f 31 2e 31" \
		"garbage:$message"
	bad "the answer to $message says that 4294967295 bytes follow" "huge:$message"
	bad "the answer to $message says that 65536 bytes follow" "large:$message"
	bad "the answer to $message has a wrong id, that of *" "other:$message"
	bad "the answer to $message lacks the REPLY bit" "no-reply:$message"
	bad "the answer to $message is no vhost-user message: it begins with*" "version:$message"
	waits "the answer to $message is not whole after 3000 ms: *" "drip:$message"
done
# What has a fixed size has no other.
for message in GET_FEATURES GET_PROTOCOL_FEATURES SET_OWNER GET_QUEUE_NUM GET_MAX_MEM_SLOTS GET_STATUS; do
	waits "the answer to $message is not whole after 3000 ms: 16 of 20 bytes came" "cut:$message"
	bad "closed the connection in the answer to $message: 16 of 20 bytes came" "cut-close:$message"
	bad "the answer to $message has 4 bytes, not 8" "short:$message"
	bad "the answer to $message has 12 bytes, not 8" "long:$message"
	bad "the answer to $message has 0 bytes, not 8" "empty:$message"
done
# An answer too many is taken for the next one's.
bad "the answer to GET_PROTOCOL_FEATURES has a wrong id, that of GET_FEATURES" twice:GET_FEATURES

# Specifications; upstream's back-ends may not answer, and say so elsewhere.
bad "the answer to message 41 has 12 bytes, as in no dialect" short:GET_BACKEND_SPECS
bad "the answer to message 41 has 20 bytes, as in no dialect" long:GET_BACKEND_SPECS
bad "the answer to GET_CONFIG_SIZE has 8 bytes, not 4" dialect=probe long:GET_CONFIG_SIZE
waits "no answer to GET_MIN_VQ in 3000 ms" dialect=probe silent:GET_MIN_VQ
bad "closed the connection instead of answering GET_MIN_VQ" dialect=probe close:GET_MIN_VQ

# It serves one front-end, and the connection is lost.
bad "closed the connection instead of answering GET_CONFIG*" clients=1 close:GET_CONFIG

waited

# What was said until then is shown, and recorded.
timeout 60 "$vhu" probe --timeout 1s -w it.pcapng b.sock -- "$bad" b.sock silent:GET_STATUS >out 2>err &&
	fail "status 0"
grep -q 'b.sock: no answer to GET_STATUS in 1000 ms$' err || fail "it does not say what is wrong"
grep -q '^Queues  *4$' out || fail "what it said before it was silent is not shown"
"$vhu" dump it.pcapng >dump
grep -q 'GET_STATUS (never answered)$' dump || fail "the question that was not answered is not recorded"
"$vhu" probe --timeout 1s --json b.sock -- "$bad" b.sock silent:GET_STATUS >out 2>err && fail "status 0"
grep -q '"error":"no answer to GET_STATUS in 1000 ms"' out || fail "JSON does not say what is wrong"
grep -q '"queue_num":4' out || fail "JSON does not say what was said before"

echo "$count bad back-ends"
