#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The virtio part of the table agrees with this machine's kernel headers, whichever version they are.
#
#	virtio_headers.sh SOURCE-DIR [INCLUDE-DIR]
set -eu
export LC_ALL=C

source=$1
include=${2:-/usr/include}
table=$source/lib/protocol/virtio.def

command -v "${CLANG:-clang}" >/dev/null || { echo "lacks clang"; exit 77; }
[ -f "$include/linux/virtio_ids.h" ] || { echo "lacks $include/linux/virtio_ids.h"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Print the version of Linux that a table was made from.
version()
{
	sed -n 's/.* Linux \([0-9.]*[0-9]\)\..*/\1/p' "$1"
}

# Print a table's rows, sorted and without the sizes of layouts: structures grow.
rows()
{
	sed -n '/^VHU_LAYOUT(/s/, [0-9]*)$/)/; /^VHU_/p' "$1" | sort
}

# Print the rows that table $1 has and that the newer table $2 contradicts or lacks.
# Returns 1 if there are any.
holds()
{
	rows "$1" >"$work/old"
	rows "$2" >"$work/new"
	comm -23 "$work/old" "$work/new" | sed 's/^/not so in the newer of the two: /' >"$work/lost"
	cat "$work/lost"
	[ ! -s "$work/lost" ]
}

# Compare the table that was made here, $1, with another, $2: the older of them must hold in the
# newer, and equal versions must be equal. Prints what differs, returns 1 if anything does.
agree()
{
	if [ "$(version "$1")" = "$(version "$2")" ]; then
		diff "$1" "$2"
	elif [ "$(printf '%s\n' "$(version "$1")" "$(version "$2")" | sort -V | head -n 1)" = "$(version "$1")" ]; then
		holds "$1" "$2"
	else
		holds "$2" "$1"
	fi
}

sh "$source/lib/protocol/virtio-refresh.sh" "$include" >"$work/here.def"
agree "$work/here.def" "$table"

# The comparison sees each kind of change in the table.
for change in 's/(2, BLOCK)/(2, BRICK)/' '/"SEG_MAX"/s/ 2,/ 3,/' '/virtio_status, 6/s/RESET/REST/' \
	'/config_blk, capacity/s/ 0, 8,/ 0, 4,/' '/config_net, mtu/s/ 10, / 12, /' \
	's/VHU_CONFIG_OF(1,/VHU_CONFIG_OF(3,/'; do
	sed "$change" "$table" >"$work/changed.def"
	if agree "$work/here.def" "$work/changed.def" >/dev/null; then
		echo "not found to differ: a table changed by $change"
		exit 1
	fi
done
echo "the table, of Linux $(version "$table"), agrees with Linux $(version "$work/here.def")"
