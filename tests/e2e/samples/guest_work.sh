# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest does in guest.sh: chance from one device, and on a disk that goes away
# again and again, write, read back, compare.
set -e
disk=/dev/vda

head -c 4096 /dev/hwrng >/chance
echo "guest: has 4096 bytes of chance, $(md5sum </chance)"
[ "$(tr -d '\0' </chance | wc -c)" -gt 4000 ]

round=0
while [ $round -lt 12 ]; do
	head -c 2097152 /dev/urandom >/noise
	echo "guest: round $round"
	# Two at a time, so that there always is something in flight.
	dd if=/noise of=$disk bs=16k seek=$((round * 128)) count=64 oflag=direct 2>/dev/null &
	dd if=/noise of=$disk bs=16k skip=64 seek=$((round * 128 + 64)) oflag=direct 2>/dev/null
	wait $!
	dd if=$disk bs=16k skip=$((round * 128 + 64)) count=64 iflag=direct of=/second 2>/dev/null &
	dd if=$disk bs=16k skip=$((round * 128)) count=64 iflag=direct of=/back 2>/dev/null
	wait $!
	cat /second >>/back
	cmp /noise /back
	round=$((round + 1))
done
dd if=/noise of=$disk bs=512 seek=63488 count=1 oflag=direct 2>/dev/null
echo "guest: all of it is the same"
