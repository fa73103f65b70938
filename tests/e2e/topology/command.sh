#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu proxy ... -- COMMAND: the proxy starts one side, meets it in each way, ends with it and ends it,
# passes its status on, and leaves nothing behind.
. "$(dirname "$0")/../../lib/common.sh"
work_open

back=$build/bin/vhu-sample-backend front=$build/bin/vhu-sample-frontend
mkdir own
export TMPDIR="$stage/own" XDG_RUNTIME_DIR=

# Nothing is left of the proxy.
clean() {
	[ -z "$(ls own)" ] || fail "left in the proxy's folder: $(ls own/*)"
	[ ! -e f.sock ] || fail "f.sock is still there"
}

# Run vhu proxy with the arguments $3...: it must end by itself with status $1, having said a line
# with $2.
ends() {
	want=$1 text=$2 status=0
	shift 2
	timeout 60 "$vhu" proxy "$@" >said 2>&1 </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "status $status, not $want, for: $*: $(cat said)"
	grep -qF -- "$text" said || fail "nothing about '$text' for: $*: $(cat said)"
	clean
}

# Start vhu proxy with the arguments.
begin() {
	stage_start proxy "$vhu" proxy "$@"
	stage_listens proxy f.sock
}

# The proxy must end with status $1, after signal $2 if there is one.
end() {
	want=$1 status=0
	shift
	stage_end proxy "$@" || status=$?
	[ "$status" -eq "$want" ] || fail "the proxy ended with status $status, not $want"
	clean
}

drive() {
	"$front" --requests 10 f.sock >front.log 2>&1 || fail "the front-end failed: $*"
}

# The back-end by a path of the proxy's, of its own choice, in a longer word, and not there at once.
begin -w a.pcapng f.sock -- "$back" --socket-path={}
drive "a path"
drive "a path, again"
end 0 TERM
begin f.sock connect:chosen.sock -- "$back" --socket-path={}
drive "a chosen path"
end 0 TERM
rm -f chosen.sock
begin f.sock connect:{} -- sh -c 'echo 1 >{}.pid; sleep 0.3; exec "$0" --socket-path={}' "$back"
drive "a back-end that takes its time"
end 0 TERM
# By descriptors.
begin f.sock -- "$back" --fd='{listen-fd}'
drive "a descriptor that listens"
drive "a descriptor that listens, again"
end 0 HUP
begin f.sock -- "$back" --fd='{fd}'
drive "a connected descriptor"
end 0
# One that connects to where the proxy listens.
stage_start behind "$back" "--socket-path=$stage/behind.sock"
stage_listens behind "$stage/behind.sock"
begin f.sock listen:{} -- "$vhu" proxy -q connect:{} connect:behind.sock
drive "a back-end that connects"
end 0
# The front-end.
ends 0 '1 session' --as-front behind.sock -- "$front" --requests 10 {}
ends 1 '1 session' --as-front none.sock -- "$front" --requests 10 {}
ends 1 'ended with status 1' --as-front connect:f2.sock behind.sock -- "$front" f2.sock

# It ends with the back-end, whose status it has, and the session is seen to its end.
ends 7 'sh: ended with status 7' f.sock -- sh -c 'exit 7' {}
ends 0 '0 sessions' f.sock -- true {}
ends 143 'sh: was ended by signal 15' f.sock -- sh -c 'kill -TERM $$' {}
begin -w killed.pcapng f.sock -- "$back" --socket-path={}
stage_start load "$front" --duration 60s f.sock
await '"$vhu" dump killed.pcapng 2>/dev/null | grep -q SET_VRING_KICK' "the session runs"
pkill -KILL -P "$(stage_pid proxy)" || fail "there was no back-end"
end 137
stage_end load || :
"$vhu" dump killed.pcapng | tail -n 1 | grep -q 'back-end closed' ||
	fail "the session ends with: $("$vhu" dump killed.pcapng | tail -n 1)"
grep -q 'ended by signal 9' proxy.log || fail "the proxy does not report the signal"

# It ends one that does not want to: a second signal, not too soon after the first, is enough.
# shellcheck disable=SC2016 # for the other shell
begin f.sock -- sh -c 'trap "" TERM; echo ready >&2; while :; do sleep 1; done' {}
await 'grep -q ready proxy.log' "COMMAND ignores SIGTERM"
pid=$(stage_pid proxy)
(while kill -TERM "$pid" 2>/dev/null; do sleep 0.3; done) &
end 137
grep -q 'does not end: killed' proxy.log || fail "killing was not told"

# Where the proxy is killed the kernel tells its command.
begin f.sock -- "$back" --socket-path={}
await 'pid=$(pgrep -P "$(stage_pid proxy)")' "the back-end is started"
stage_end proxy KILL || :
await "! kill -0 $pid 2>/dev/null" "the back-end of a proxy that was killed ends"
rm -rf own/* f.sock

# What it finds is what it would find without: signals, limits, descriptors; stdout stays the
# capture's.
cat >look.sh <<'LOOK'
grep -E 'Sig(Ign|Blk)' /proc/self/status
ulimit -Sn
for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done
LOOK
(
	# shellcheck disable=SC3045 # dash supports it
	ulimit -Sn 500
	sh look.sh >direct </dev/null 2>direct.log
	"$vhu" proxy -q f.sock none.sock -- sh look.sh >through </dev/null 2>through.log
)
diff direct through >difference || fail "COMMAND finds other things: $(cat difference)"
stage_start piped sh -c '"$1" proxy -w - f.sock -- sh -c "echo noise; exec \"\$0\" --socket-path={}" "$2" >out.pcapng' \
	sh "$vhu" "$back"
stage_listens piped f.sock
drive "a capture on standard output"
pkill -TERM -P "$(stage_pid piped)"
stage_end piped || fail "the proxy ended with status $?"
grep -q noise piped.log || fail "what COMMAND said was lost"
"$vhu" dump out.pcapng | grep -q SET_OWNER || fail "the capture on standard output is broken"
clean

# What is wrong.
ends 127 'none.at.all: cannot be run: No such file' f.sock -- none.at.all {}
ends 126 'own: cannot be run: Permission denied' f.sock -- ./own {}
ends 2 'where is it met?' f.sock -- true
ends 2 '{} and {fd}: COMMAND is met in one way' f.sock -- true {} '{fd}'
ends 2 'back.sock: {fd} is in the place of it' f.sock back.sock -- true '{fd}'
ends 2 'which FRONT?' -- true {}
ends 2 'which BACK?' --as-front -- true {}
ends 2 'which COMMAND?' f.sock --
ends 2 'which COMMAND is the front-end?' --as-front f.sock b.sock
ends 2 'COMMAND goes with one pair' --pair f.sock=b.sock c.sock -- true {}
ends 2 'FRONT and BACK are two' f.sock b.sock c.sock -- true {}
ends 2 'fd:77: not open' fd:77 -- true '{fd}'
echo "COMMAND is started, met, and ended"
