#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of docs/json.md run, and each prints something. Blocks of sh and python are examples; what
# is in other blocks is not run.
. "$(dirname "$0")/../lib/common.sh"
need jq
/usr/bin/python3 -c 'import pandas' 2>/dev/null || {
	echo "lacks pandas of Python: install the package python3-pandas"
	exit 77
}
work_open

mkdir bin
ln -s "$vhu" bin/vhu
PATH=$work/bin:$PATH
cp "$captures/qemu-blk.pcapng" vm.pcapng
awk '/^```(sh|python)$/ { name = sprintf("example%02d.%s", ++count, substr($0, 4)); next }
	/^```/ { name = "" }
	name { print >name }' "$top/docs/json.md"
for example in example*; do
	case $example in
	*.sh) sh -eu "$example" >out 2>err || fail "$(cat "$example"): status $?" ;;
	*.python) /usr/bin/python3 -W error "$example" >out 2>err || fail "$(cat "$example"): status $?" ;;
	esac
	[ -s out ] || fail "$(cat "$example"): prints nothing"
done
[ "$(ls example* | wc -l)" -ge 4 ] || fail "docs/json.md has no examples"
