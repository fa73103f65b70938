#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tags.sh SOURCE: one struct, enum or union tag means one thing in the whole source.
# A tag of the kernel's own may differ by architecture.
set -u
cd "$1" || exit 2
tags=$(grep -rEn --include='*.[ch]' \
	'^[[:space:]]*((static|const|typedef) )*(struct|enum|union) [A-Za-z_0-9]+ \{' \
	lib proxy tools bpf dissector samples tests |
	sed -E 's/^([^:]*:[0-9]+):[[:space:]]*((static|const|typedef) )*(struct|enum|union) ([A-Za-z_0-9]+) .*/\5 \1/' |
	grep -v '^pt_regs ')
[ "$(echo "$tags" | wc -l)" -gt 100 ] || {
	echo "tags.sh: finds no tags in $1" >&2
	exit 2
}
twice=$(echo "$tags" | cut -d' ' -f1 | sort | uniq -d)
[ -z "$twice" ] && exit 0
echo "tags that name more than one type: rename them vhu_ROOM_WHAT" >&2
for tag in $twice; do
	echo "$tags" | grep "^$tag " >&2
done
exit 1
