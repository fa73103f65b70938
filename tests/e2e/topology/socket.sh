#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The socket that stands in for another one: who may reach it, from its first moment on, on either
# side, and that what was put in its place stays.
. "$(dirname "$0")/../../lib/common.sh"
work_open

chmod 755 "$stage"

# Run vhu proxy with the arguments $3...: it must end with status $1 and one line that has $2.
refused() {
	want=$1 text=$2 status=0
	shift 2
	timeout 100 "$vhu" proxy "$@" >said 2>&1 </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "status $status, not $want, for: $*: $(cat said)"
	[ "$(wc -l <said)" -eq 1 ] || fail "not one line for: $*: $(cat said)"
	grep -qF -- "$text" said || fail "nothing about '$text' for: $*: $(cat said)"
	[ ! -e new.sock ] || fail "a socket was left by: $*"
}

# The proxy with the arguments $2... must make new.sock with the owner and mode $1.
made() {
	want=$1
	shift
	umask 077
	stage_start proxy "$vhu" proxy -q "$@"
	umask 022
	stage_listens proxy new.sock
	got=$(stat -c '%u:%g %a' new.sock)
	[ "$got" = "$want" ] || fail "new.sock is $got, not $want, with: $*"
	stage_end proxy TERM || fail "the proxy ended with status $?"
	[ ! -e new.sock ] || fail "new.sock is still there"
}

stage_start back "$build/bin/vhu-sample-backend" "--socket-path=$stage/old.sock"
stage_listens back "$stage/old.sock"
me=$(id -u):$(id -g)
chmod 0660 old.sock
made "$me 660" new.sock old.sock
made "$me 660" connect:old.sock listen:new.sock
ln -s old.sock link.sock
made "$me 660" new.sock link.sock
made "$me 606" --mode 0606 new.sock old.sock
made "$me 700" new.sock none.sock
made "$me 4" --mode 4 new.sock none.sock
printf 'mode 0626\npair new.sock old.sock\n' >conf
made "$me 626" --config conf
if [ "$(id -u)" -eq 0 ]; then
	chown 4711:4712 old.sock
	made "4711:4712 660" new.sock old.sock
	made "4711:4713 660" --owner :4713 new.sock old.sock
	made "0:4712 640" --owner root --mode 640 new.sock old.sock
	made "65534:65534 600" --owner 65534:65534 --mode 600 new.sock none.sock
	chown 0:0 old.sock
else
	refused 1 'cannot belong to user 0' --owner root new.sock old.sock
fi

# No moment with other rights: the mode is the socket's before it has a name, its owner is set before
# it listens.
if command -v strace >/dev/null; then
	owner=$me
	[ "$(id -u)" -ne 0 ] || owner=4711:4712
	ASAN_OPTIONS=detect_leaks=0 strace -o trace -e trace=fchmod,fchmodat,chmod,bind,fchownat,listen \
		"$vhu" proxy -q --mode 0660 --owner "$owner" new.sock none.sock 2>strace.log &
	stage_parties="$stage_parties traced=$!"
	stage_listens traced new.sock
	pkill -TERM -P "$(stage_pid traced)" || fail "the traced proxy is gone"
	stage_end traced || fail "the traced proxy ended with status $?"
	order=$(sed -n 's/^\([a-z0-9]*\)(.*/\1/p' trace | tr '\n' ' ')
	case $order in
	"fchmod bind listen " | "fchmod bind fchownat fchownat listen ") ;;
	*) fail "the socket's rights were given in this order: $order" ;;
	esac
fi

# Somebody without rights: nothing is given away, and nothing opened further.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 777 open
	chmod 0666 old.sock
	chown 4711:4712 old.sock
	stage_start other setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$vhu" proxy "open/new.sock" old.sock
	stage_listens other open/new.sock
	[ "$(stat -c '%u:%g %a' open/new.sock)" = "65534:65534 666" ] ||
		fail "open/new.sock is $(stat -c '%u:%g %a' open/new.sock)"
	grep -q 'new.sock: does not belong to group 4712 as old.sock does: ' other.log ||
		fail "nothing was said about the group"
	"$build/bin/vhu-sample-frontend" --requests 5 open/new.sock >front.log 2>&1 ||
		fail "the proxy of user 65534 does not serve"
	stage_end other TERM || fail "the proxy of user 65534 ended with status $?"
fi

# What is not ours stays: a link, a successor, a file of that name where the folder was.
mkdir one
stage_start proxy "$vhu" proxy one/new.sock old.sock
stage_listens proxy one/new.sock
mv one two
mkdir one
echo precious >one/new.sock
stage_end proxy TERM || fail "the proxy ended with status $?"
[ "$(cat one/new.sock)" = precious ] || fail "a foreign file was removed"
[ ! -e two/new.sock ] || fail "the own socket stayed in the folder that was moved"
stage_start proxy "$vhu" proxy new.sock old.sock
stage_listens proxy new.sock
rm new.sock
ln -s one/new.sock new.sock
stage_end proxy TERM || fail "the proxy ended with status $?"
[ -L new.sock ] && [ -e one/new.sock ] || fail "a foreign link or its target was removed"
refused_link=$(timeout 100 "$vhu" proxy new.sock old.sock 2>&1) && fail "a link was replaced"
case $refused_link in
*"new.sock: exists and is not a socket: not touched") ;;
*) fail "the link was refused so: $refused_link" ;;
esac
rm new.sock

# What is wrong.
refused 2 '999: not a mode' --mode 999 new.sock old.sock
refused 2 '4755: not a mode' --mode 4755 new.sock old.sock
refused 2 'rw-rw----: not a mode' --mode rw-rw---- new.sock old.sock
refused 2 'no such user' --owner no.such.user new.sock old.sock
refused 2 'no such group' --owner root:none.at.all new.sock old.sock
refused 2 'not an owner' --owner : new.sock old.sock
refused 2 'not an owner' --owner root: new.sock old.sock
echo "a socket that stands in for another one has its rights"
