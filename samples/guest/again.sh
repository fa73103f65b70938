# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest of attach.sh does with its disk: it reads the second MiB until the host has written
# "go on" there, takes the disk off, puts it on again, and reads for a second.
set -e
disk=/dev/vda

echo "guest: Linux $(uname -r), reads its disk until the host says go on"
until dd if=$disk bs=512 skip=2048 count=1 iflag=direct 2>/dev/null | grep -q "go on"; do
	sleep 0.05
done
device=$(basename "$(readlink -f /sys/block/vda/device)")
echo "$device" >/sys/bus/virtio/drivers/virtio_blk/unbind
echo "$device" >/sys/bus/virtio/drivers/virtio_blk/bind
turn=0
while [ $turn -lt 20 ]; do
	dd if=$disk bs=512 skip=$turn count=1 iflag=direct 2>/dev/null >/dev/null
	turn=$((turn + 1))
	sleep 0.05
done
echo "guest: has taken the disk off and put it on again; reads: $(head -n 1 $disk)"
