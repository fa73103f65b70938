#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach by hooks that this machine may refuse: in a guest with Debian's kernel a sample pair runs
# through a proxy, and vhu attach records the same as the proxy. So it does for a session that began
# before, and for one whose back-end is killed before it reads.
. "$(dirname "$0")/lib.sh"
. "$top/tests/bpf/boot.sh"
vhu_boot_lacks "$top" && exit 77

sets='tracepoint+fentry fentry tracepoint+kprobe kprobe tracepoint taken'
echo "sets='$sets'" >script
cat >>script <<'END'
mkdir -p /tmp && cd /tmp
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { echo "waited in vain for: $*"; return 1; }
		usleep 50000
	done
}
listens() {
	grep -q " 00010000 .* $1\$" /proc/net/unix
}
# Begin to watch with the options $*.
attach() {
	: >attach.log
	/vhu/vhu attach "$@" 2>attach.log &
	attached=$!
	wait_for grep -q . attach.log
	grep -q watching attach.log
}
# End it once the capture $1.pcapng holds the end of its session, and print the capture.
detach() {
	ended() {
		/vhu/vhu dump $1.pcapng | grep -q "session closed: front-end closed\|session closed: back-end closed"
	}
	wait_for ended $1
	kill -INT $attached
	wait $attached
	echo "result $1 $?"
	sed "s/^/log $1 /" attach.log
	for capture in $1.pcapng $1-proxy.pcapng; do
		[ ! -e $capture ] || gzip -c $capture | base64 | sed "s/^/file $capture /"
	done
}
back_end() {
	rm -f back
	/vhu/vhu-sample-backend --device blk --memory 8 --socket-path=/tmp/back >back.log 2>&1 &
	back=$!
	wait_for listens /tmp/back
}

# The same as a proxy records, by the set of hooks $1; best: by those that are chosen without a word.
same() {
	back_end
	if attach $([ $1 = best ] || echo --hooks $1) --socket /tmp/back -w $1.pcapng; then
		/vhu/vhu proxy --no-sandbox -w $1-proxy.pcapng front back >proxy.log 2>&1 &
		proxy=$!
		wait_for listens front
		# Later than a second, vhu attach learns of a connection when it is made, if it can.
		sleep 2
		/vhu/vhu-sample-frontend --device blk --requests 20 front >front.log 2>&1 || cat front.log
		detach $1
		kill $proxy
	else
		echo "refused $1 $(cat attach.log)"
	fi
	kill $back
	wait
}
for hooks in best $sets; do
	same $hooks
done

# Begun before.
back_end
/vhu/vhu-sample-frontend --device blk --duration 600s back >front.log 2>&1 &
front=$!
# The back-end was given a kick.
started() {
	ls -l /proc/$back/fd | grep -q eventfd
}
wait_for started
attach --pid $back -w middle.pcapng
kill -INT $front
detach middle
kill $back
wait

# Killed with bytes unread: $1 names the case, the rest are options.
killed() {
	capture=$1
	shift
	back_end
	attach "$@" --socket /tmp/back -w $capture.pcapng
	kill -STOP $back
	/vhu/vhu-sample-frontend --device blk --requests 1 back >front.log 2>&1 &
	said() {
		/vhu/vhu dump $capture.pcapng | grep -q GET_FEATURES
	}
	wait_for said
	kill -KILL $back
	detach $capture
	wait
}
killed killed
killed killed-kprobe --hooks kprobe
END
vhu_boot "$top" script "$vhu" "$back_end" "$front_end"
grep '^result\|^log\|^refused' lines || { tail -n 30 lines; fail "the guest told nothing"; }
for capture in $(sed -n 's/^file \([^ ]*\) .*/\1/p' lines | sort -u); do
	sed -n "s/^file $capture //p" lines | base64 -d | gzip -d >"$capture"
done

# Three sets need a trace point that came with a later kernel than Debian 12's.
refused=$(grep -c '^refused tracepoint.*: this kernel lacks' lines) || :
[ $(($(grep -c '^result .* 0$' lines) + refused)) -eq 10 ] || fail "not all of 10 cases passed"
! grep '^log best .*hooks: taken' lines || fail "what is sent is not seen in the guest"
[ "$(grep -c '^log .* 0 events lost' lines)" -eq $((10 - refused)) ] || fail "events were lost"
for hooks in best $sets; do
	[ -e $hooks-proxy.pcapng ] || continue
	lines $hooks.pcapng
	lines $hooks-proxy.pcapng
	messages=$(grep -c '"type":"message"' $hooks-proxy.pcapng.lines)
	[ "$messages" -ge 30 ] || fail "$hooks: only $messages messages"
	# Older kernels do not tell a proxy whether an eventfd is a semaphore.
	for capture in $hooks $hooks-proxy; do
		jq -c 'del(.fds[]?.semaphore)' $capture.pcapng.lines >$capture.told
	done
	diff $hooks-proxy.told $hooks.told >difference || {
		cut -c 1-300 difference | head -n 20
		fail "$hooks: the proxy recorded (<) what vhu attach (>) did not"
	}
	echo "$hooks: $messages messages are the same"
done

holds middle.pcapng 'map(select(.type == "opened")) | length == 1 and (.[0].marks | index("begun"))' >/dev/null ||
	fail "a session that began before is not opened as one: $("$vhu" dump middle.pcapng)"
holds middle.pcapng 'any(.message == "GET_VRING_BASE" and .reply)' >/dev/null ||
	fail "not all messages are there: $("$vhu" dump middle.pcapng)"
for capture in killed killed-kprobe; do
	holds $capture.pcapng 'any(.type == "closed" and .text == "back-end closed, leaving bytes unread") and
		(map(select(.type == "message")) | length == 1 and .[0].message == "GET_FEATURES")' >/dev/null ||
		fail "$capture: the unread message is missing: $("$vhu" dump $capture.pcapng)"
done
