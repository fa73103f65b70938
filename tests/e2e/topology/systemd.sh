#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The proxy as systemd's: its units are right and lock it in, the sockets that systemd passes on are
# taken, by name where there are several.
. "$(dirname "$0")/../../lib/common.sh"
need systemd-analyze systemd-socket-activate jq
work_open

# The units, with the command that was built in the place of the one to be installed.
sed "s,^\(Exec[A-Z][a-z]*\)=/[^ ]*/vhu ,\1=$vhu ," "$build/tools/vhu-proxy@.service" >vhu-proxy@.service
cp "$top/tools/systemd/vhu-proxy@.socket" .
status=0
systemd-analyze verify --man=no --recursive-errors=no ./vhu-proxy@.service ./vhu-proxy@.socket \
	>verify.log 2>&1 || status=$?
if grep -q 'Failed to initialize manager' verify.log; then
	echo "systemd-analyze cannot work here: $(cat verify.log)"
	exit 77
fi
[ "$status" -eq 0 ] && ! grep -q 'vhu-proxy@' verify.log || fail "the units are not right"
# From 0 (locked in) to 10. The threshold is in tenths.
systemd-analyze security --offline=yes --threshold=25 --no-pager ./vhu-proxy@.service \
	>security.log 2>&1 || fail "the unit lets the proxy do more than it was"
# All that the configuration takes is an option: it is the command's own parser that sees to it.
grep -q '^ExecStart=.* proxy --config /.*/vhu/%i.conf$' vhu-proxy@.service ||
	fail "the unit starts something else"

for n in 1 2; do
	stage_start "back$n" "$build/bin/vhu-sample-backend" --device blk --memory 1 --queues "$n" \
		"--socket-path=$stage/back$n.sock"
	stage_listens "back$n" "$stage/back$n.sock"
done

drive() {
	"$build/bin/vhu-sample-frontend" --requests 10 "$1" >front.log 2>&1 ||
		fail "the front-end at $1 failed: $(cat front.log)"
}

# See that the capture $1 holds a session between $2 and $3.
captured() {
	"$vhu" dump --json "$1" | jq -e -s --arg front "$2" --arg back "$3" 'any(.[];
		.type == "opened" and .front_end.path == $front and .back_end.path == $back)' \
		>/dev/null || fail "$1 holds no session between $2 and $3"
}

# One socket; the proxy is started by the first front-end, and called by the socket's path.
stage_start one systemd-socket-activate -l "$stage/one.sock" \
	"$vhu" proxy -w one.pcapng activation back1.sock
stage_listens one "$stage/one.sock"
drive one.sock
drive one.sock
stage_end one TERM || fail "the proxy ended with status $?"
captured one.pcapng "$stage/one.sock" back1.sock
[ -S one.sock ] || fail "the service manager's socket was removed"

# Two, by their names, from a configuration file.
printf 'write two.pcapng\npair fd:a back1.sock\npair fd:b.socket back2.sock\n' >two.conf
stage_start two systemd-socket-activate -l "$stage/a.sock" -l "$stage/b.sock" \
	--fdname=a:b.socket "$vhu" proxy --config two.conf
stage_listens two "$stage/b.sock"
drive b.sock
drive a.sock
stage_end two TERM || fail "the proxy ended with status $?"
captured two.pcapng "$stage/a.sock" back1.sock
captured two.pcapng "$stage/b.sock" back2.sock

# One connection, passed on connected: one session, and the end.
stage_start three systemd-socket-activate --accept -l "$stage/three.sock" \
	"$vhu" proxy -w three.pcapng activation back1.sock
stage_listens three "$stage/three.sock"
drive three.sock
turn=0
until "$vhu" dump three.pcapng 2>/dev/null | grep -q closed; do
	turn=$((turn + 1))
	[ "$turn" -lt 400 ] || fail "the session of the connection does not end"
	sleep 0.05
done
stage_end three TERM || :

# What the proxy is passed is not passed on to its COMMAND.
cat >look.sh <<'LOOK'
env | grep -E '^(LISTEN_|NOTIFY_)'
ls -l /proc/$$/fd | grep socket:
exit 7
LOOK
stage_start four systemd-socket-activate -E NOTIFY_SOCKET=/none -l "$stage/four.sock" \
	-l "$stage/unused.sock" --fdname=four:unused \
	"$vhu" proxy -q fd:four none.sock -- sh look.sh
stage_listens four "$stage/unused.sock"
"$build/bin/vhu-sample-frontend" --requests 1 four.sock >front.log 2>&1 || :
status=0
stage_end four || status=$?
[ "$status" -eq 7 ] || fail "COMMAND's status was 7, the proxy's is $status"
! grep -E 'LISTEN_|NOTIFY_SOCKET=|socket:' four.log || fail "COMMAND was passed the proxy's things"

# What is wrong: the environment is $1 (OWN is the proxy's process id), FRONT is $2, the line has $3.
wrong() {
	status=0
	# shellcheck disable=SC2016 # for the other shell
	timeout 100 sh -c 'eval "export $1"; exec "$2" proxy "$3" back1.sock 3<&-' sh \
		"$(echo "$1" | sed 's/OWN/$$/')" "$vhu" "$2" >said 2>&1 </dev/null || status=$?
	[ "$status" -eq 2 ] || fail "status $status for $1 $2: $(cat said)"
	[ "$(wc -l <said)" -eq 1 ] && grep -q "$3" said || fail "$1 $2: $(cat said)"
}
wrong 'NONE=' activation 'activation: no socket was passed on'
wrong 'LISTEN_PID=1 LISTEN_FDS=1' activation 'activation: no socket was passed on'
wrong 'LISTEN_PID=OWN LISTEN_FDS=1' activation 'descriptor 3 is not open'
wrong 'LISTEN_PID=OWN LISTEN_FDS=2' activation 'several such sockets'
wrong 'LISTEN_PID=OWN LISTEN_FDS=1 LISTEN_FDNAMES=vm' fd:disk 'fd:disk: no socket of this name'
wrong 'LISTEN_PID=OWN LISTEN_FDS=2 LISTEN_FDNAMES=vm:vm' fd:vm 'several such sockets'
echo "the units are right, and sockets are taken from systemd"
