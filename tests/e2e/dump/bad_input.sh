#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu dump says in one line what is wrong with its input, and shows what can be shown.
. "$(dirname "$0")/../../lib/common.sh"
work_open
capture=$captures/qemu-blk.pcapng

status=0

# Expect exit status $2 and one line on stderr that has $3 in it, from vhu dump $4...
expect()
{
	name=$1 code=$2 text=$3
	shift 3
	got=0
	"$vhu" dump "$@" >"$work/out" 2>"$work/err" || got=$?
	if [ "$got" != "$code" ] || [ "$(wc -l <"$work/err")" != 1 ] || ! grep -q -- "$text" "$work/err"; then
		echo "$name: status $got, not $code; or not one line with \"$text\":"
		cat "$work/err"
		status=1
	fi
}

# Print the capture $1, whose 50th record is of version 7: the byte after the record's tags.
later()
{
	offset=$(LC_ALL=C grep -aob 'vhost_user' "$1" | sed -n '50s/:.*//p')
	head -c $((offset + 16)) "$1" && printf '\007' && tail -c +$((offset + 18)) "$1"
}

: >"$work/empty"
echo "no capture" >"$work/text"
head -c 3000 "$capture" >"$work/cut"
expect missing 1 "No such file" "$work/missing"
expect folder 1 "directory" "$work"
expect empty 1 "empty" "$work/empty"
expect text 1 "not a capture" "$work/text"
expect cut 1 "cut short" "$work/cut"
[ "$(wc -l <"$work/out")" -gt 10 ] || { echo "cut: what there is was not shown"; status=1; }
# A record of a later version: what stands before it is shown.
later "$capture" >"$work/later"
expect later 1 "packet 50 is a record of version 7, and this vhu reads version 1" "$work/later"
[ "$(wc -l <"$work/out")" = 49 ] || { echo "later: not the 49 lines before it"; status=1; }
expect later-pipe 1 "record of version 7" - <"$work/later"
# Compressed files, whatever their names are.
gzip -c "$capture" >"$work/a.pcapng.gz"
expect gzip 1 "compressed with gzip: pass it through \"gzip -dc\" first" "$work/a.pcapng.gz"
gzip -dc "$work/a.pcapng.gz" | "$vhu" dump - >"$work/out" && [ "$(wc -l <"$work/out")" -gt 50 ] ||
	{ echo "gzip -dc: not read"; status=1; }
printf '\050\265\057\375\004\210' >"$work/zstd"
expect zstd 1 'zstd -dc' - <"$work/zstd"
printf '\004\042\115\030\144\100' >"$work/lz4"
expect lz4 1 'lz4 -dc' "$work/lz4"
expect option 2 "no such option" --nonsense "$capture"
expect message 2 "no such message" --message NONSENSE "$capture"
expect session 2 "not a session number" --session 0 "$capture"
expect none 2 "which capture"
expect second 1 "$work/missing: No such file" "$capture" "$work/missing"
[ "$(wc -l <"$work/out")" -gt 50 ] || { echo "second: the first was not shown"; status=1; }

# A full disk is no success.
if "$vhu" dump "$capture" >/dev/full 2>"$work/err" || ! grep -q "No space left" "$work/err"; then
	echo "full disk: not told"
	status=1
fi
# The lines are the same whether the capture is a file or comes through a pipe.
"$vhu" dump "$capture" >"$work/file"
"$vhu" dump - <"$capture" >"$work/pipe"
cmp "$work/file" "$work/pipe" || status=1
exit $status
