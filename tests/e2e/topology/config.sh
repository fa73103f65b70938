#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Several pairs in one proxy, by --pair and by a configuration file: each front-end meets the
# back-end of its own pair, the capture tells which, and what is wrong is refused with its place.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open

# Run vhu proxy with the arguments $3... It must end with status $1 by itself and say one line, with
# $2 in it.
refused() {
	want=$1 text=$2 status=0
	shift 2
	timeout 100 "$vhu" proxy "$@" >said 2>&1 </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "status $status, not $want, for: $*: $(cat said)"
	[ "$(wc -l <said)" -eq 1 ] || fail "not one line for: $*: $(cat said)"
	grep -qF -- "$text" said || fail "nothing about '$text' for: $*: $(cat said)"
}

# Drive the disk behind socket $1, which must have $2 vrings.
drive() {
	"$build/bin/vhu-sample-frontend" --requests 20 --json "$1" >driven 2>front.log ||
		fail "the front-end at $1 failed: $(cat front.log)"
}

# The back-ends tell themselves apart by their number of vrings.
for n in 1 2 3; do
	stage_start "back$n" "$build/bin/vhu-sample-backend" --device blk --memory 1 --queues "$n" \
		"--socket-path=$stage/back$n.sock"
	stage_listens "back$n" "$stage/back$n.sock"
done

# See that the capture $1 holds a session between $2 and $3 with a disk of $4 vrings.
captured() {
	"$vhu" dump --json "$1" >dump.json || fail "the capture $1 cannot be read"
	number=$(jq -r --arg front "$2" --arg back "$3" \
		'select(.type == "opened" and .channel == "front-end" and
			.front_end.path == $front and .back_end.path == $back) | .session' dump.json)
	[ -n "$number" ] || fail "$1 holds no session between $2 and $3"
	queues=$(jq -r --arg session "$number" 'select((.session | tostring) == $session and
		.message == "GET_QUEUE_NUM" and .reply) | .payload | .. | numbers' dump.json)
	[ "$queues" = "$4" ] || fail "session $number of $1: $queues vrings, not $4"
}

# A path with a = is written with a backslash.
stage_start proxy "$vhu" proxy -w pairs.pcapng --pair 'a\=1.sock=back1.sock' --pair \
	listen:b.sock=connect:back2.sock c.sock back3.sock
for socket in a=1.sock b.sock c.sock; do
	stage_listens proxy "$socket"
done
drive c.sock
drive a=1.sock
drive b.sock
stage_end proxy TERM || fail "the proxy ended with status $?"
captured pairs.pcapng a=1.sock back1.sock 1
captured pairs.pcapng b.sock back2.sock 2
captured pairs.pcapng c.sock back3.sock 3
for socket in a=1.sock b.sock c.sock; do
	[ ! -e "$socket" ] || fail "$socket is still there"
done

# The same from a file, with an option that the command line overrides.
cat >host.conf <<'CONF'
# what this host has

   write	none.pcapng
quiet
	pair a\ b.sock   back1.sock
pair listen:b.sock connect:back2.sock  
# the end, whose line has no end
CONF
printf 'pair c#.sock back3.sock' >>host.conf
stage_start quiet "$vhu" proxy --config host.conf --write file.pcapng
for socket in 'c#.sock' b.sock; do
	stage_listens quiet "$socket"
done
drive 'a b.sock'
drive 'c#.sock'
drive b.sock
stage_end quiet TERM || fail "the proxy ended with status $?"
captured file.pcapng 'a b.sock' back1.sock 1
captured file.pcapng b.sock back2.sock 2
captured file.pcapng 'c#.sock' back3.sock 3
[ ! -s quiet.log ] || fail "quiet said: $(cat quiet.log)"
[ ! -e none.pcapng ] || fail "the file that was overridden was written"

# A pair without its back-end is named, and leaves the other alone.
stage_start named "$vhu" proxy --pair a.sock=none.sock --pair b.sock=back2.sock
stage_listens named b.sock
if "$build/bin/vhu-sample-frontend" --requests 1 a.sock >front.log 2>&1; then
	fail "a front-end without back-end did well"
fi
drive b.sock
grep -q '^vhu proxy: a.sock: session 1: none.sock: ' named.log || fail "the pair is not named"
stage_end named TERM || fail "the proxy ended with status $?"
# Two that listen nowhere: one ends by itself, badly, the other goes on.
stage_start both "$vhu" proxy --pair connect:none1.sock=connect:none2.sock --pair b.sock=back2.sock
stage_listens both b.sock
drive b.sock
status=0
stage_end both TERM || status=$?
[ "$status" -eq 1 ] || fail "status $status where a pair has failed"

# What is wrong with pairs.
refused 2 'a pair is FRONT=BACK' --pair a.sock
refused 2 'a pair is FRONT=BACK' --pair a.sock=b.sock=c.sock
refused 2 'no path' --pair =b.sock
refused 2 'no path' --pair a.sock=
refused 2 'the same' --pair a.sock=a.sock
refused 2 'a.sock: FRONT and BACK of different pairs' --pair a.sock=b.sock --pair a.sock=c.sock
refused 2 'which BACK' --pair a.sock=b.sock c.sock
refused 1 'already in use by pid' --pair a.sock=b.sock --pair back1.sock=c.sock
[ ! -e a.sock ] || fail "a socket was left by a proxy that did not start"
refused 1 'in a circle' --pair a.sock=b.sock --pair b.sock=c.sock --pair c.sock=a.sock

# What is wrong with files.
refused 2 'none.conf: No such file' --config none.conf
refused 2 "$stage: " --config "$stage"
refused 2 'which FRONT and BACK' --config /dev/null
head -c 3000000 /dev/zero >zero.conf
refused 2 'zero.conf: not a configuration' --config zero.conf
wrong() {
	printf '# line 1\n%b\n' "$2" >wrong.conf
	text=$1
	shift 2
	[ $# = 0 ] || shift
	refused 2 "wrong.conf:2: $text" --config wrong.conf "$@"
}
wrong 'pears: no such option' 'pears a b'
wrong '--quiet: no such option' '--quiet'
wrong 'config: no such option, or not one for here' 'config host.conf'
wrong 'check-config: no such option, or not one for here' 'check-config'
wrong 'help: no such option' 'help'
wrong 'quiet: takes no value' 'quiet yes'
wrong 'write: wants a value: FILE' 'write  '
wrong 'snaplen: 0: not a snap length' 'snaplen 0'
wrong 'retry: soon: not a time' 'retry soon'
wrong 'a pair is FRONT and BACK' 'pair a.sock'
wrong 'a pair is FRONT and BACK' 'pair a.sock b.sock c.sock'
wrong 'a.sock: FRONT and BACK are the same' 'pair a.sock a.sock'
wrong 'a.sock: FRONT and BACK of different pairs are the same' 'pair a.sock b.sock\npair c.sock d.sock' -- a.sock e.sock
# A line of a mebibyte.
head -c 1000000 /dev/zero | tr '\0' x >long.conf
refused 2 'long.conf:1: xxx' --config long.conf
echo "several pairs serve side by side"
