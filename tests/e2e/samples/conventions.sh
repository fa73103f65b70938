#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Both samples' manners: command lines, sockets and signals, and peers that are no peers.
. "$(dirname "$0")/../../lib/common.sh"
work_open
peer=$programs/sample_peer

back=$build/bin/vhu-sample-backend front=$build/bin/vhu-sample-frontend

# The command that follows ends with status $1 and says one line on stderr that matches $2.
says() {
	want=$1 text=$2 status=0
	shift 2
	"$@" >said.out 2>said.log </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "$*: status $status, not $want"
	[ "$(wc -l <said.log)" -eq 1 ] || fail "$*: not one line"
	grep -q -- "$text" said.log || fail "$*: does not say '$text'"
}

# The command that follows ends well, and prints what matches $1.
prints() {
	text=$1
	shift
	"$@" >said.out 2>said.log </dev/null || fail "$*: status $?"
	grep -q -- "$text" said.out || fail "$*: does not print '$text'"
}

# Command lines.
prints 'Usage:' "$back" --help
prints 'Usage:' "$front" --help
prints '^drop-reply:MESSAGE$' "$back" --faults
prints '^{"type":"rng","features":\[\]}$' "$back" --print-capabilities
prints '^{"type":"block","features":\["read-only","blk-file"\]}$' \
	"$back" --device blk --print-capabilities --socket-path="$stage/none"
[ ! -e none ] || fail "a socket was made only to tell capabilities"
says 2 'which socket: --socket-path or --fd?' "$back"
says 2 'which socket' "$back" --socket-path=a --fd=3
says 2 'nonsense' "$back" --nonsense
says 2 'x: not rng or blk' "$back" --device x
says 2 '0: not a number of vrings from 1 to 64' "$back" --device blk --queues 0 --socket-path=a
says 2 'NOTHING: no such feature' "$back" --without NOTHING --socket-path=a
says 2 'other: not standalone, probe or upstream' "$back" --dialect other --socket-path=a
says 2 'soon: not a time' "$back" --delay soon --socket-path=a
says 1 'nowhere: cannot be used as a disk: No such file' \
	"$back" --device blk --blk-file=nowhere --socket-path=a
says 1 'cannot listen: No such file' "$back" --socket-path=no/such/folder
says 1 'cannot listen: File name too long' "$back" --socket-path="$(printf '%0120d' 0)"
says 2 '0: not a local socket' "$back" --fd=0
says 2 'which SOCKET?' "$front"
says 2 'one SOCKET at a time' "$front" a b
says 2 '--poll and --in-band' "$front" --poll --in-band a
says 2 'has no room for 8 requests' "$front" --depth 8 --ring-size 16 a
says 2 'a power of two' "$front" --ring-size 100 a
says 2 'multiples of 512' "$front" --device blk --size 100 a
says 1 'a: cannot connect: No such file' "$front" a

# Each manual names the options that there are, and no others; the back-end's, the faults as well.
for sample in vhu-sample-backend vhu-sample-frontend; do
	tr -d '\\' <"$top/docs/$sample.1" >manual
	"$build/bin/$sample" --help | sed -n 's/^  \(-.,\|   \) --\([a-z0-9-]*\).*/\2/p' |
		sort >helped
	awk '/^\.SH/ { on = $2 == "OPTIONS" } /^\.TP/ && on { getline
		if (match($0, /--[a-z0-9-]+/)) print substr($0, RSTART + 2, RLENGTH - 2) }' manual |
		sort >told
	diff helped told >differ || fail "$sample.1 names other options (>) than there are: $(cat differ)"
done
"$back" --faults | sed -n 's/^\([a-z][a-z-]*\).*/\1/p' | sort >listed
tr -d '\\' <"$top/docs/vhu-sample-backend.1" | awk '/^\.SH/ { on = $2 == "FAULTS"; head = 0 } /^\.TP/ { head = 1; next }
	on && head { sub(/[: ].*/, "", $2); sub(/:.*/, "", $2); print $2; head = 0 }' | sort >told
diff listed told >differ || fail "the manual names other faults (>) than there are: $(cat differ)"

# A socket: made, not taken from others, taken from the dead, removed.
: >file
says 1 'file: cannot listen: Address already in use' "$back" --socket-path=file
[ -f file ] || fail "a file was taken for a socket"
stage_start one "$back" --socket-path="$stage/a.sock"
stage_listens one "$stage/a.sock"
says 1 'a.sock: cannot listen: Address already in use' "$back" --socket-path="$stage/a.sock"
"$front" a.sock >said.out || fail "the socket was taken from its owner"
stage_end one KILL 2>/dev/null || :
[ -S a.sock ] || fail "a killed back-end has removed its socket"
says 1 'a.sock: cannot connect: Connection refused' "$front" a.sock
for signal in TERM INT; do
	stage_start two "$back" --socket-path="$stage/a.sock"
	stage_listens two "$stage/a.sock"
	"$front" a.sock >said.out || fail "a stale socket was not replaced"
	stage_end two "$signal" || fail "status $? on SIG$signal"
	[ ! -e a.sock ] || fail "the socket was left behind"
done

# An inherited socket: one that listens is served on, one that is connected once.
prints '1 split vring' "$peer" listening "$back" --fd=3 -- "$front" by-fd
prints '1 split vring' "$peer" connected "$back" --fd=3 -- "$front" by-fd

# A disk that cannot be written, and one that grows under the driver.
truncate -s 1M disk.img
stage_start ro "$back" --device blk --blk-file=disk.img --read-only --socket-path="$stage/b.sock"
stage_listens ro "$stage/b.sock"
"$front" --operation read b.sock >said.out || fail "a disk cannot be read"
says 1 'input/output error' "$front" --operation write b.sock
stage_end ro TERM || fail "status $?"
stage_start rw "$back" --device blk --blk-file=disk.img --socket-path="$stage/b.sock"
stage_listens rw "$stage/b.sock"
stage_start proxy "$vhu" proxy -q -w grows.pcapng "$stage/p.sock" "$stage/b.sock"
stage_listens proxy "$stage/p.sock"
stage_start load "$front" --json --duration 240s --rate 200 p.sock
# Wait until the message $1 and, after it, $2 have passed.
passes() {
	turn=0
	until "$vhu" dump grows.pcapng 2>/dev/null |
		awk -v "one=$1" -v "two=$2" '$0 ~ one { seen = 1 } seen && $0 ~ two { found = 1 }
			END { exit !found }'; do
		turn=$((turn + 1))
		[ "$turn" -lt 1200 ] || fail "does not pass: $1, $2"
		sleep 0.05
	done
}
passes SET_VRING_ENABLE ' SET_STATUS reply'
truncate -s 2M disk.img
kill -HUP "$(stage_pid rw)"
passes CONFIG_CHANGE_MSG ' GET_CONFIG reply'
stage_end load INT || fail "status $? while the disk grew"
grep -q '"config_changes":1,' load.log || fail "the driver was not told that the disk grew"
says 1 'has 4096 sectors, and 8192 are needed' "$front" --depth 4 --size 1048576 b.sock
stage_end proxy TERM || fail "the proxy ended with status $?"
stage_end rw TERM || fail "status $?"

# Peers that are none: the front-end says what is wrong, in its time.
for kind in silent garbage closing flood; do
	stage_start "$kind" "$peer" "$kind" "$stage/$kind.sock"
	stage_listens "$kind" "$stage/$kind.sock"
	# Only silence is to end by the time: a busy machine takes longer to say nonsense.
	timeout=60s
	case $kind in
	silent) text='GET_FEATURES: no reply within 0.2 s' timeout=200ms ;;
	closing) text='GET_FEATURES: the back-end closed the connection' ;;
	*) text='GET_FEATURES: the reply is no vhost-user message' ;;
	esac
	says 1 "$text" timeout 100 "$front" --timeout $timeout "$kind.sock"
	stage_end "$kind" TERM 2>/dev/null || :
done

# The back-end serves the next front-end, whatever the last one did.
stage_start back "$back" --socket-path="$stage/c.sock"
stage_listens back "$stage/c.sock"
for kind in mute babble; do
	"$peer" "$kind" "$stage/c.sock" || fail "$kind: status $?"
	"$front" c.sock >said.out || fail "no service after $kind: status $?"
done
stage_end back TERM || fail "status $?"
echo "both samples behave"
