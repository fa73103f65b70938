# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest does with its disk: read what the host left, write, read back, compare.
#
# The host's greeting is the first line of the disk; the guest's answer goes to its second MiB,
# 4 MiB of noise to the third and following. The guest has two processors.
set -e
disk=/dev/vda

echo "guest: Linux $(uname -r), disk of $(($(cat /sys/block/vda/size) / 2048)) MiB," \
	"$(ls /sys/block/vda/mq | wc -l) queues"
echo "guest: reads the first sector: $(head -n 1 $disk)"

# Without direct I/O the page cache would answer the read. Each processor has its own queue.
echo "The guest was here." | dd of=$disk bs=512 seek=2048 conv=sync 2>/dev/null
dd if=/dev/urandom of=/noise bs=1M count=4 2>/dev/null
taskset 1 dd if=/noise of=$disk bs=1M seek=2 oflag=direct 2>/dev/null
echo "guest: has written 4 MiB from its first processor"
sync
echo 3 >/proc/sys/vm/drop_caches
taskset 2 dd if=$disk bs=1M skip=2 count=4 iflag=direct of=/back 2>/dev/null
cmp /noise /back
echo "guest: has read them back from its second: they are the same"
