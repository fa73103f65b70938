#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A whole virtual machine under KVM that runs already: KVM's list of ioeventfds says which eventfd kicks
# which vring. vhu attach records it, vhu latency counts by it, and vhu rings says why the vring hangs,
# though nothing was prepared.
#
# It runs in a guest with a KVM of its own: its processor has AMD's virtualization, which QEMU emulates.
# The machine in it is a QEMU whose firmware reads a sector of one disk again and again; another disk, which
# another back-end serves, is idle.
. "$(dirname "$0")/lib.sh"
. "$top/tests/bpf/boot.sh"
vhu_boot_lacks "$top" && exit 77
firmware=/usr/share/seabios/bios-256k.bin
[ -r $firmware ] || { echo "lacks $firmware"; exit 77; }

# A boot sector: read sector 0 to address 0x7e00 (int 0x13, ah 0x42), and again. The firmware passes over a
# disk that is much smaller.
{
	printf '\061\300\216\330\216\300\264\102\276\040\174\315\023\353\367'
	head -c 17 /dev/zero
	printf '\020\000\001\000\000\176\000\000'
	head -c 470 /dev/zero
	printf '\125\252'
} >disk
truncate -s 8M disk

cat >script <<'END'
mkdir -p /tmp && cd /tmp
# Nested page tables make the emulated machine stand still.
rmmod kvm_amd
insmod /modules/kvm-amd.ko* npt=0
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || { echo "waited in vain for: $*"; return 1; }
		usleep 100000
	done
}
# Show what the command $2... prints and how it ends, as case $1.
show() {
	_case=$1
	shift
	"$@" >out 2>&1
	echo "result $_case $?"
	sed "s/^/out $_case /" out
}
/vhu/vhu-sample-backend --device blk --blk-file=/vhu/disk --socket-path=/tmp/back >back.log 2>&1 &
back=$!
/vhu/vhu-sample-backend --device blk --memory 8 --socket-path=/tmp/idle >idle.log 2>&1 &
idle=$!
wait_for grep -q /tmp/back /proc/net/unix
wait_for grep -q /tmp/idle /proc/net/unix
/vhu/qemu-system-x86_64 -accel kvm -cpu host -m 16 -nodefaults -display none -L /vhu \
	-object memory-backend-memfd,id=m,size=16M,share=on -machine pc,memory-backend=m \
	-chardev socket,id=i,path=/tmp/idle -device vhost-user-blk-pci,id=disk0,chardev=i,bootindex=1,romfile= \
	-chardev socket,id=c,path=/tmp/back -device vhost-user-blk-pci,id=disk1,chardev=c,bootindex=0,romfile= \
	-qmp unix:/tmp/qmp,server=on,wait=off >qemu.log 2>&1 &
qemu=$!
# It reads by itself when its kick was read.
reads() {
	/vhu/vhu attach -p $back --latency --duration 500ms -w try.pcapng
	/vhu/vhu dump try.pcapng | grep -q ' wake, '
}
wait_for reads || cat qemu.log
show latency /vhu/vhu latency -p $back --interval 0 --duration 5s
show attach /vhu/vhu attach -p $back --latency --duration 1s -w alone.pcapng
show dump /vhu/vhu dump --json alone.pcapng
show qmp /vhu/vhu attach -p $back --qmp /tmp/qmp --latency --duration 1s -w asked.pcapng
show asked /vhu/vhu dump --json asked.pcapng
show check /vhu/vhu check alone.pcapng asked.pcapng
kill -STOP $back
usleep 300000
show unread /vhu/vhu latency -p $back --interval 0 --duration 1s
show facts /vhu/vhu rings -p $back
show rings /vhu/vhu rings --qmp /tmp/qmp
show capture /vhu/vhu rings -r asked.pcapng
kill -CONT $back
echo "out pids $back $idle"
kill $qemu $back $idle
wait
END
vhu_boot "$top" script "$vhu" "$back_end" "$(command -v qemu-system-x86_64)" $firmware disk
grep '^result' lines || { tail -n 30 lines; fail "the guest told nothing"; }
for part in latency attach dump qmp asked check unread facts rings capture; do
	sed -n "s/^out $part //p" lines >$part
done
read -r back idle <<END
$(sed -n 's/^out pids //p' lines)
END
# Each look at the stopped back-end finds what is wrong.
expected='attach 0
dump 0
qmp 0
asked 0
check 0
unread 0
facts 1
rings 1
capture 1'
[ "$(sed -n 's/^result \([^l].*\)$/\1/p' lines)" = "$expected" ] || fail "not every command ended as it should"

id=$(jq -r 'select(.type == "message") | select(.message == "SET_VRING_KICK") | .fds[0].eventfd_id' dump)
case $id in '' | *[!0-9]*) fail "not one kick is reconstructed: $id" ;; esac
jq -se --argjson id "$id" '
	(map(select(.type == "opened")) | length == 1 and (.[0].marks | index("begun"))) and
	(map(select(.type == "message")) | length == 1 and .[0].vring == 0 and (.[0].marks | index("reconstructed"))) and
	(map(select(.event == "kick" and .vring == 0 and .eventfd_id == $id)) | length >= 5) and
	(map(select(.event == "wake" and .vring == 0)) | length >= 5)' dump >/dev/null ||
	fail "the kicks of the session that began before are not known: $(head -n 4 dump)"
# QEMU says where the vring is, KVM which eventfd kicks it.
jq -se --argjson id "$id" 'map(select(.type == "message") | .message) ==
	["SET_FEATURES", "SET_PROTOCOL_FEATURES", "ADD_MEM_REG", "SET_VRING_NUM", "SET_VRING_ADDR", "SET_VRING_KICK"] and
	any(.message == "SET_VRING_KICK" and .fds[0].eventfd_id == $id)' asked >/dev/null ||
	fail "QEMU's and KVM's answers are not all there: $(head -n 9 asked)"
grep -q 'no findings in 2 files, 2 sessions' check || fail "what is reconstructed breaks a rule: $(cat check)"
grep -q "^vring 0: kick eventfd $id, call eventfd not known, kick by KVM's list" latency ||
	fail "vhu latency does not know the kick: $(cat latency)"
grep -Eq '^  [1-9][0-9]* kicks, [1-9][0-9]* wakes' latency || fail "no kick is counted: $(cat latency)"
grep -q "^eventfd $id, the kick of vring 0: its counter is 1 and no process reads it" unread ||
	fail "vhu latency does not name the kick that is not read: $(cat unread)"
grep -q "seen: eventfd $id, the kick of vring 0, which processes .* share, was signalled and not read (counter 1)" facts ||
	fail "vhu rings -p does not name the kick that is not read: $(cat facts)"
for part in rings capture; do
	grep -q "vring 0: 1 buffer waits, the kick counter is 1 (eventfd $id) and the back-end does not read it, .*(D3)" $part ||
		fail "$part: the verdict is not D3: $(cat $part)"
done
# Of the two devices of the machine each has its own back-end.
for device in "disk1.*(pid $back)" "disk0.*(pid $idle)"; do
	grep -q "^BLOCK, front-end qemu-system-x86 .* at /machine/peripheral/$device" rings ||
		fail "a back-end is not found: $(cat rings)"
done
grep -q 'idle' rings || fail "the other disk is not idle: $(cat rings)"
sed -n 's/^  vring 0: 1 /rings --qmp: 1 /p' rings
