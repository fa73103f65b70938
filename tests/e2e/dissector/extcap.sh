#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Wireshark lists the proxy as an interface, captures by it a session of the two samples, and ends it;
# what is wrong reaches the person. So does vhu attach, where it was built.
. "$(dirname "$0")/../../lib/common.sh"
need dumpcap
work_open

. "$top/tests/lib/tshark.sh"
vhu_tshark_lacks "$build" && exit 77

# tshark drops root, and what it starts makes sockets here.
chmod 777 "$stage"
mkdir extcap
cp "$vhu" extcap/vhu-extcap
chmod -R a+rX extcap
extcap=$stage/extcap/vhu-extcap
export WIRESHARK_EXTCAP_DIR="$stage/extcap"
# What hangs is ended, for its step to fail.
vhu_tshark_seconds=100

# The command that follows ends with status $1 and says a line on stderr that matches $2.
says() {
	want=$1 text=$2 status=0
	shift 2
	"$@" >said.out 2>said.log </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "$*: status $status, not $want"
	grep -q -- "$text" said.log || fail "$*: does not say '$text', but: $(cat said.log)"
}

# It tells what there is.
"$extcap" --extcap-interfaces --extcap-version=4.0 | grep -q '^interface {value=vhost-user}' ||
	fail "no interface"
"$extcap" --extcap-interface vhost-user --extcap-dlts | grep -q '^dlt {number=252}' ||
	fail "no link type"
"$extcap" --extcap-interface=vhost-user --extcap-config >config
for option in front back retry faults verbose snaplen; do
	grep -q "^arg {number=[0-9]*}{call=--$option}{display=[^{}]*}{type=[a-z]*}{tooltip=[^{}]*}" config ||
		fail "no --$option in the dialog"
done
says 2 'no such interface' "$extcap" --extcap-interface=eth0 --extcap-dlts
says 2 'for Wireshark to call' "$extcap"
says 1 'where is the front-end met?' "$extcap" --capture --extcap-interface=vhost-user --fifo=f \
	--front '' --back b
says 2 'not a snap length' "$extcap" --capture --extcap-interface=vhost-user --fifo=f \
	--front a --back b --snaplen x

# What reads the FIFO comes to its end where a capture cannot begin.
mkfifo -m 666 fifo
timeout 60 cat fifo >nothing &
reader=$!
says 1 'where is the back-end?' timeout 60 "$extcap" --capture --extcap-interface=vhost-user \
	--fifo=fifo --front a --back ''
wait "$reader" || fail "a reader waits for a capture that cannot begin"
[ ! -s nothing ] || fail "a capture that cannot begin has something in it"

# It ends when the FIFO has no reader any more.
timeout 60 "$extcap" --capture --extcap-interface=vhost-user --fifo=fifo --front early.sock \
	--back none.sock --retry on --faults '' 2>ended.log &
proxy=$!
timeout 60 dd if=fifo of=opening bs=4 count=1 2>/dev/null || fail "nothing came from the FIFO"
wait "$proxy" || fail "does not end well without a reader: $(cat ended.log)"
[ "$(od -An -tx1 opening | tr -d ' ')" = 0a0d0d0a ] || fail "what it writes is no pcapng"
[ ! -s ended.log ] || fail "says something: $(cat ended.log)"
[ ! -e early.sock ] || fail "left its socket"

# tshark lists it, and gets the reason if it cannot start.
vhu_tshark "$build" -D >list 2>list.log || fail "tshark -D: $(cat list.log)"
grep -q 'vhost-user (vhost-user proxy)$' list || fail "tshark does not list it: $(cat list)"
status=0
vhu_tshark "$build" -i vhost-user -c 1 >refused 2>&1 || status=$?
[ $status -ne 124 ] || fail "tshark waits for a capture that cannot begin: $(cat refused)"
grep -q 'where is the front-end met' refused || fail "tshark tells nothing: $(cat refused)"

# tshark captures a session by it, and ends it.
stage_start back "$build/bin/vhu-sample-backend" --device blk "--socket-path=$stage/back.sock"
stage_listens back "$stage/back.sock"
chmod 777 back.sock
# Its socket is to be like the one that it stands in for.
[ "$(id -u)" != 0 ] || chown 65534:65534 back.sock
vhu_tshark "$build" -i vhost-user -o "extcap.vhost_user.front:$stage/front.sock" \
	-o "extcap.vhost_user.back:$stage/back.sock" -c 35 -l \
	-T fields -e vhost_user.message -e vhost_user.text >live 2>live.log &
tshark=$!
stage_parties="$stage_parties tshark=$tshark"
wait_for stage_has_listener $tshark "$stage/front.sock"
"$build/bin/vhu-sample-frontend" --requests 10 front.sock >front.log 2>&1 || :
wait "$tshark" || fail "tshark: $(cat live.log)"
for message in GET_FEATURES ADD_MEM_REG SET_VRING_NUM; do
	grep -q "^$message" live || fail "no $message: $(cat live live.log)"
done
grep -qi 'error\|vhu' live.log && fail "tshark: $(cat live.log)"
wait_for test ! -e front.sock

# vhu attach is an interface, too.
"$extcap" --extcap-interfaces | grep -q '^interface {value=vhost-user-attach}' || exit 0
"$extcap" --extcap-interface=vhost-user-attach --extcap-config >config
for option in socket pid all latency snaplen; do
	grep -q "^arg {number=[0-9]*}{call=--$option}{display=[^{}]*}{type=[a-z]*}{tooltip=[^{}]*}" config ||
		fail "no --$option in the dialog of vhu attach"
done
! grep -q 'call=--front' config || fail "the dialog of vhu attach asks for a front-end"
says 2 'which sessions?' "$extcap" --capture --extcap-interface=vhost-user-attach --fifo=f
says 2 'no option of the interface' "$extcap" --capture --extcap-interface=vhost-user-attach --fifo=f --faults x
"$vhu" attach --all --duration 1ms >out 2>&1 || exit 0
rm fifo
mkfifo fifo
cat fifo >attach.pcapng &
reader=$!
stage_start attach "$extcap" --capture --extcap-interface=vhost-user-attach --fifo=fifo --socket "$stage/back.sock"
# It watches, for the capture has begun.
wait_for test -s attach.pcapng
recorded() {
	"$build/bin/vhu-sample-frontend" --requests 1 back.sock >front.log 2>&1 || :
	"$vhu" dump attach.pcapng 2>dump.log | grep -q 'SET_VRING_KICK'
}
wait_for recorded
kill $reader
stage_reap "$(stage_pid attach)" 1200 || fail "it does not end with its reader"
stage_end attach || fail "it ends with status $?"
