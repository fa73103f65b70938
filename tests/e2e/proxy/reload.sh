#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SIGHUP: the proxy reads its configuration again. Pairs come and go and have other back-ends, faults and
# limits change, and sessions go on; what is wrong is refused, and the old configuration stays.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
# Sockets are in a folder, and in others beside it.
mkdir in below other
cd in
export VHU_CONTROL="$stage/control"

# Run sample front-end at $1 with the options that follow; it must do well.
drive() {
	"$build/bin/vhu-sample-frontend" --requests 5 "$@" >../driven 2>../front.log || fail "front-end at $1"
}
# No socket may be left at $1.
is_gone() {
	[ ! -e "$1" ] || fail "$1 is still there"
}
# Send SIGHUP to the proxy, and wait until it says one more line with $1.
reload() {
	had=$(grep -cF -- "$1" ../proxy.log || :)
	kill -HUP "$(stage_pid proxy)"
	await "[ \"\$(grep -cF -- '$1' ../proxy.log)\" -gt $had ]" "the proxy says '$1'"
}
# Write the configuration: the lines on standard input, and those that every one here has.
configure() {
	{
		cat
		printf '%s\n' interpose-eventfds "control $VHU_CONTROL" "write $stage/capture.pcapng" \
			'ring-buffer filesize:100000'
	} >next.conf
	mv next.conf host.conf
}
# Print what the proxy has of an option, as vhu ctl faults.
faults() {
	"$vhu" ctl faults
}

for n in 1 2 3; do
	stage_start "back$n" "$build/bin/vhu-sample-backend" --device blk --memory 1 --queues "$n" \
		"--socket-path=back$n.sock"
	stage_listens "back$n" "back$n.sock"
done

configure <<'CONF'
pair a.sock back1.sock
pair b.sock back3.sock
fault back GET_CONFIG nth=1: delay 1ms
CONF
stage_start proxy "$vhu" proxy --config host.conf --reload-folder ../below
stage_listens proxy b.sock
drive a.sock

# A session that goes on through all of this.
stage_start long "$build/bin/vhu-sample-frontend" --rate 200 --duration 600s --timeout 600s b.sock
await "'$vhu' ctl sessions | grep -q b.sock" "b.sock has a session"

# One pair goes, one stays, two come: one of them below a folder that was named.
configure <<'CONF'
pair a.sock back1.sock
pair c.sock back1.sock
pair ../below/d.sock back2.sock
fault back GET_CONFIG nth=1: delay 2ms
fault back GET_FEATURES nth=1: delay 1ms
CONF
reload 'pairs: 2 added, 1 removed, 0 changed; faults: 2 added, 1 removed'
is_gone b.sock
drive a.sock
drive c.sock
drive ../below/d.sock
[ "$(faults | grep -c delay)" -eq 2 ] || fail "the faults are not the new ones: $(faults)"
"$vhu" ctl sessions | grep -q b.sock || fail "the session at b.sock has ended"
"$vhu" ctl metrics | grep -q '^vhu_pairs 3$' || fail "not three pairs"
# Who connects sees the proxy as its peer, not the process that made the socket.
stage_start before "$vhu" proxy -q -w ../before.pcapng before.sock c.sock
stage_listens before before.sock
drive before.sock
stage_end before TERM || fail "the proxy before the proxy ended with status $?"
"$vhu" dump --json ../before.pcapng | jq -r 'select(.type == "opened" and .channel == "front-end") | .back_end.pid' >../out
[ "$(cat ../out)" = "$(stage_pid proxy)" ] || fail "c.sock is of process $(cat ../out)"
[ "$(stat -c %a c.sock)" = "$(stat -c %a back1.sock)" ] || fail "c.sock has another mode"

# It comes again while its session is still there: there is one pair of that name.
configure <<'CONF'
pair a.sock back2.sock
pair b.sock back2.sock
CONF
"$vhu" ctl faults add 'back GET_QUEUE_NUM nth=100000: drop' >../out
reload 'pairs: 1 added, 2 removed, 1 changed; faults: 0 added, 2 removed'
is_gone c.sock
is_gone ../below/d.sock
drive b.sock
drive a.sock
[ "$("$vhu" ctl metrics | grep -c '^vhu_sessions_open{pair="b.sock"}')" -eq 1 ] || fail "b.sock twice"
[ "$("$vhu" ctl metrics | sed -n 's/^vhu_sessions_open{pair="b.sock"} //p')" -eq 1 ] ||
	fail "the session of before is not counted at b.sock"
faults | grep -q GET_QUEUE_NUM || fail "the fault of vhu ctl has gone"
"$vhu" dump --json ../capture_*.pcapng | jq -s -r \
	'[.[] | select(.type == "opened" and .channel == "front-end" and .front_end.path == "a.sock")] |
	last | .back_end.path' >../out
[ "$(cat ../out)" = back2.sock ] || fail "a.sock has not the other back-end: $(cat ../out)"

# FRONT of one pair takes over what listens for another.
configure <<'CONF'
pair b.sock back2.sock
pair listen:a.sock back1.sock
retry
stall 30s
max-disk 10G
CONF
reload 'pairs: 0 added, 0 removed, 1 changed; faults: 0 added, 0 removed; now retry, stall 30s, max-disk 10G'
drive a.sock
"$vhu" ctl stall | grep -q "30.0 s" || fail "the time of stalls is not the new one: $("$vhu" ctl stall)"

# What is wrong is said in one line with its place, and nothing changes. After stays, what is said.
stays() {
	reload "the configuration stays as it was: $1"
	drive a.sock
	"$vhu" ctl stall | grep -q "30.0 s" || fail "something changed though: $1"
}
configure <<'CONF'
pair a.sock back1.sock
stall never
CONF
stays 'host.conf:2: stall: never: not a time'
configure <<'CONF'
pair c.sock back1.sock
pair back2.sock back1.sock
CONF
stays 'host.conf:2: back2.sock: already in use'
is_gone c.sock
configure <<'CONF'
pair c.sock back1.sock
pair d.sock c.sock
pair c.sock d.sock
CONF
stays 'host.conf:3: c.sock: FRONT and BACK of different pairs are the same: the other is at host.conf:1'
configure <<'CONF'
pair c.sock d.sock
pair d.sock c.sock
CONF
stays 'host.conf:1: c.sock: its pair connects to others in a circle'
is_gone c.sock
configure <<'CONF'
pair a.sock back1.sock
pair fd:0 back1.sock
CONF
stays 'host.conf:2: fd:0: a socket that is inherited'
configure </dev/null
stays 'which FRONT and BACK?'
configure <<'CONF'
pair ../other/a.sock back1.sock
CONF
# Without Landlock, whose version this call of it returns, there is no such fence.
if perl -e 'exit(syscall(444, 0, 0, 1) < 1)'; then
	stays 'host.conf:1: ../other/a.sock: no right to make a socket in ../other: --reload-folder gives it'
fi
# A pipe would keep it waiting for somebody to write.
mkfifo pipe
configure <<'CONF'
pair a.sock back1.sock
faults pipe
CONF
stays 'host.conf:2: faults: pipe: a pipe is not read while sessions go on'
mv host.conf gone.conf
stays 'host.conf: No such file'
mv pipe host.conf
stays 'host.conf: a pipe is not read while sessions go on'
rm host.conf
[ "$(grep -c 'stays as it was' ../proxy.log)" -ge 7 ] || fail "not one line each"

# What cannot change is named, and the rest changes.
cat >host.conf <<CONF
pair a.sock back1.sock
write $stage/elsewhere.pcapng
control $stage/elsewhere
ring-buffer filesize:100000
interpose-eventfds
CONF
reload 'write, control: cannot change while the proxy runs: restart it'
grep -qF 'faults: 0 added, 0 removed; now without retry, without stall, without max-disk' ../proxy.log ||
	fail "what is gone from the configuration is not named"
[ ! -e ../elsewhere ] && "$vhu" ctl version >../out || fail "there is another control socket"
is_gone b.sock
"$vhu" ctl sessions | grep -q b.sock || fail "the long session has ended"

# 100 times, with load, and as many descriptors as before. The last change is that of the first.
descriptors() {
	ls "/proc/$(stage_pid proxy)/fd" | wc -l
}
for n in $(seq 100); do
	if [ $((n % 2)) -eq 1 ]; then
		printf 'pair x%s.sock back1.sock\npair a.sock back2.sock\nrule back GET_FEATURES nth=%s: drop\n' \
			"$n" "$n" | configure
	else
		configure <<'CONF'
pair a.sock back1.sock
CONF
	fi
	reload 'read again: '
	if [ "$n" -eq 2 ] || [ "$n" -eq 100 ]; then
		await "[ \"\$(\"$vhu\" ctl metrics | sed -n 's/^vhu_pairs //p')\" = 1 ]" "one pair"
		faults | grep -q GET_FEATURES && fail "a fault stayed"
		drive a.sock
		await "[ \"\$(\"$vhu\" ctl metrics | sed -n 's/^vhu_sessions_open{pair=\"a.sock\"} //p')\" = 0 ]" "no session"
		descriptors >"fds$n"
	fi
done
cmp -s fds2 fds100 || fail "descriptors: $(cat fds2) before, $(cat fds100) after 100 reloads"
# The session that has gone on.
kill -0 "$(stage_pid long)" || fail "the long session's front-end has ended"
[ ! -s ../long.log ] || fail "the long session has lost something: $(cat ../long.log)"
stage_end long TERM || :
await "! '$vhu' ctl sessions | grep -q b.sock" "the long session ends"
await "! '$vhu' ctl metrics | grep -q b.sock" "its pair goes with it"
stage_end proxy TERM || fail "the proxy ended with status $?"
is_gone a.sock
for n in ../below/d.sock c.sock x1.sock; do
	is_gone "$n"
done

# The last pair with a session is replaced by another: the proxy goes on.
printf 'pair a.sock back1.sock\nquiet\n' >host.conf
stage_start proxy "$vhu" proxy --config host.conf
stage_listens proxy a.sock
printf 'pair b.sock back2.sock\nquiet\n' >host.conf
reload '1 added, 1 removed'
drive b.sock
stage_end proxy TERM || fail "the proxy ended with status $?"

# Without a configuration SIGHUP ends the proxy, as ever.
stage_start plain "$vhu" proxy a.sock back1.sock
stage_listens plain a.sock
stage_end plain HUP || fail "the proxy ended with status $? on SIGHUP"
is_gone a.sock

# A configuration is looked at where the sockets of systemd are not.
printf 'pair activation back1.sock\npair fd:disk back2.sock\n' >host.conf
"$vhu" proxy --check-config --config host.conf >../out || fail "sockets of systemd are missed"
echo 'pair activation back2.sock' >>host.conf
"$vhu" proxy --check-config --config host.conf >../out 2>&1 && fail "one socket of systemd for two pairs"
grep -q 'host.conf:3: activation: FRONT and BACK of different pairs are the same: the other is at host.conf:1 ' ../out ||
	fail "another reason"
