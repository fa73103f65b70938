# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest does in sample_guest.sh: chance from one device, and on a disk that goes away
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
	dd if=/noise of=$disk bs=16k seek=$((round * 128)) oflag=direct 2>/dev/null
	dd if=$disk bs=16k skip=$((round * 128)) count=128 iflag=direct of=/back 2>/dev/null
	cmp /noise /back
	round=$((round + 1))
done
dd if=/noise of=$disk bs=512 seek=63488 count=1 oflag=direct 2>/dev/null
echo "guest: all of it is the same"
