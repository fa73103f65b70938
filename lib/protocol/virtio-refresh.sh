#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make virtio.def, the virtio part of the table, from the kernel's own headers.
#
#	lib/protocol/virtio-refresh.sh [INCLUDE-DIR] >lib/protocol/virtio.def
#
# INCLUDE-DIR holds linux/virtio_*.h as linux-libc-dev installs them (/usr/include). Needs clang.
# Nothing that a header says is typed here: clang tells which names and fields there are, and a
# program compiled with those headers prints their values, offsets and sizes.
set -eu
export LC_ALL=C

include=${1:-/usr/include}
clang=${CLANG:-clang}

# End with one line on stderr.
fail()
{
	echo "virtio-refresh: $*" >&2
	exit 1
}

[ -f "$include/linux/virtio_ids.h" ] || fail "$include: has no linux/virtio_ids.h"
command -v "$clang" >/dev/null || fail "$clang: not found; install clang or set CLANG"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Call clang with the headers of $include and with no others of the system's.
kernel_clang()
{
	"$clang" -nostdlibinc -ffreestanding -isystem "$include" \
		-isystem "$include/$(uname -m)-linux-gnu" "$@"
}

echo "#include <stdint.h>" >"$work/all.h"
for header in "$include"/linux/virtio_*.h "$include/linux/version.h" "$include/linux/fuse.h"; do
	echo "#include <linux/${header##*/}>"
done >>"$work/all.h"

# What there is: headers, macros, names that are not macros, and records with their fields.
sed -n 's/.*virtio_\(.*\)\.h>/\1/p' "$work/all.h" >"$work/headers"
kernel_clang -x c -E -dM "$work/all.h" >"$work/macros"
kernel_clang -x c -E -P "$work/all.h" >"$work/names"
kernel_clang -x c -fsyntax-only -Xclang -fdump-record-layouts-complete "$work/all.h" \
	>"$work/records"

# Write the program. It prints each row behind four numbers, its place in the table.
cat >"$work/program.awk" <<'AWK'
# End with one line on stderr.
function die(text)
{
	print "virtio-refresh: " text >"/dev/stderr"
	failed = 1
	exit 1
}

# Write the statement that prints one row: @values are the C expressions for the %d of both.
function row(place, text, values)
{
	gsub(/"/, "\\\"", text)
	printf "\tprintf(\"%s\\t%s\\n\"%s);\n", place, text, values
}

# Take a name of the headers.
function know(name)
{
	known[name] = 1
	if (match(name, /^VIRTIO_[A-Z0-9]+_F_/))
		prefixes[substr(name, 1, RLENGTH)] = 1
}

# Write the rows of a section's heading.
function heading(section, text)
{
	row(section " -1 0 0", "", "")
	row(section " -1 0 1", "/* " text " */", "")
}

# Return the name that the id of a header's device has, or "" for the headers of transports and
# rings. It is the header's own name but for these four.
function device_of(header)
{
	if (("VIRTIO_ID_" toupper(header)) in macro)
		return toupper(header)
	if (header == "blk")
		return "BLOCK"
	if (header == "i2c")
		return "I2C_ADAPTER"
	if (header == "rtc")
		return "CLOCK"
	if (header == "snd")
		return "SOUND"
	return ""
}

# Write the rows of the names that begin with @prefix, which @short takes the place of. A macro
# that stands for another of them is that one's older name. @bit makes a bit's number of a name.
function name_rows(section, set, prefix, short, bit, device,  name, older)
{
	for (name in known)
		if (index(name, prefix) == 1 && macro[name] in known)
			older[macro[name]] = older[macro[name]] " " short substr(name, length(prefix) + 1)
	for (name in known)
		if (index(name, prefix) == 1 && !(macro[name] in known))
			row(section " %d %d 0",
			    "VHU_NAME(" set ", %d, \"" short substr(name, length(prefix) + 1) "\", \"" \
			    substr(older[name], 2) "\", VHU_ANY, %d)",
			    sprintf(", " device ", " bit ", " bit ", " device, name, name))
}

# Return a field's name for people.
function label(name)
{
	gsub(/_/, " ", name)
	return toupper(substr(name, 1, 1)) substr(name, 2)
}

# Return a field's kind, by its C type and its name.
function kind(type, name)
{
	if (name ~ /^(unused|padding|reserved|alignment)[0-9]*$/)
		return "VHU_PADDING"
	if (type ~ /^struct .*\[/)
		return "VHU_ARRAY"
	if (type !~ /^union |\[/)
		return "VHU_LE"
	if (name == "mac" && type ~ /\[6\]$/)
		return "VHU_MAC"
	if (name ~ /uuid$/ && type ~ /\[16\]$/)
		return "VHU_UUID"
	if (name == "tag" || type ~ /^char ?\[/)
		return "VHU_TEXT"
	return "VHU_BYTES"
}

# Return how a field is shown: bytes, addresses and sets of bits in hexadecimal.
function show(what, name)
{
	if (what == "VHU_BYTES" || what == "VHU_PADDING")
		return "VHU_HEX"
	sub(/_[lh]$/, "", name)
	if (what == "VHU_LE" && name ~ /(^|_)(addr|start|end|flags|mask|types|algo|services|opcode)$/)
		return "VHU_HEX"
	return "VHU_DEC"
}

# Write the rows of a record's layout; @place and @device as in row(). Structures in it are
# flattened; an array of structures refers to the layout that has the structure's name. @last is its
# last field that is of interest: what follows differs between versions of Linux. Without it all are.
function layout_rows(place, device, record, id, path, title, last,
		     i, size, part, type, what, element, names, values)
{
	if (!(record in fields))
		die("no " record)
	size = "sizeof(" record ")"
	if (record in repeated)
		size = size " - sizeof(((" record " *)0)->" repeated[record] ")"
	if (last)
		size = "offsetof(" record ", " last ") + sizeof(((" record " *)0)->" last ")"
	row(place " " ++order, "", device)
	row(place " " ++order, "VHU_LAYOUT(" id ", \"" title "\", %zu)", device ", " size)
	for (i = 1; i <= fields[record]; i++) {
		type = field_type[record, i]
		part = field_path[record, i]
		size = "sizeof(((" record " *)0)->" part
		element = "none"
		what = kind(type, last_of(part))
		names = (record, part) in names_of ? names_of[record, part] : "none"
		if (what == "VHU_ARRAY") {
			element = type
			sub(/^struct (.*::)?virtio_/, "", element)
			sub(/ ?\[.*/, "", element)
			size = size "[0]"
		}
		size = type ~ /\[0?\]$/ ? "(size_t)0" : size ")"
		values = device ", offsetof(" record ", " part "), " size
		# The last part of a path is the key in JSON, so it must be the only one.
		if (uses[record, last_of(part)] > 1)
			gsub(/\./, "_", part)
		row(place " " ++order,
		    "VHU_FIELD(" id ", " underscored(part) ", \"" path "." part "\", \"" \
		    label(last_of(part)) "\", %zu, %zu, " what ", " show(what, last_of(part)) \
		    ", " names ", 0, NULL, " element ", VHU_FIELDS)", values)
		if (field_path[record, i] == last)
			break
	}
	row(place " " ++order, "VHU_LAYOUT_END(" id ")", device)
}

# Return the last part of a path.
function last_of(path)
{
	sub(/.*\./, "", path)
	return path
}

# Return a path as one word.
function underscored(path)
{
	gsub(/\./, "_", path)
	return path
}

# Take a line of a record's dump, "offset |   type name": two spaces deeper for each record in it.
function record_line(line,  level, name, type, path, i)
{
	sub(/ +$/, "", line)
	match(line, /^ */)
	level = RLENGTH / 2
	line = substr(line, RLENGTH + 1)
	if (level == 0) {
		record = line
		fields[record] = 0
		skipped = unnamed_union = 99
		return
	}
	if (level > skipped)
		return
	skipped = 99
	if (level <= unnamed_union)
		unnamed_union = 99
	# Members of an unnamed union are names for one thing, the first the one in use.
	if (level == unnamed_union + 1 && members++) {
		skipped = level
		return
	}
	name = line
	sub(/.* /, "", name)
	type = substr(line, 1, length(line) - length(name) - 1)
	if (line ~ /\)$/) {
		outer[level] = ""
		if (line ~ /^union /) {
			unnamed_union = level
			members = 0
		}
		return
	}
	outer[level] = name "."
	if (type ~ /^struct / && type !~ /\[/)
		return
	if (type ~ /^union /)
		skipped = level
	for (i = 1; i < level; i++)
		path = path outer[i]
	field_path[record, ++fields[record]] = path name
	field_type[record, fields[record]] = type
	uses[record, name]++
	if (type ~ /^struct /)
		repeated[record] = path name
}

# Write the layout of the header that a device's requests begin with.
function request_rows(about, record, title, last,  device)
{
	device = ", VIRTIO_ID_" device_of(about)
	layout_rows("6" sprintf(" %s 0", "%d"), device, record, "request_" about, "request." about, title, last)
	row("6 %d 0 " ++order, "VHU_REQUEST_OF(%d, request_" about ")", device device)
}

# Write the feature rows and the configuration space of the device that a header is about.
function device_rows(about,  prefix, record, device)
{
	prefix = "VIRTIO_" toupper(about) "_F_"
	record = "struct virtio_" about "_config"
	device = device_of(about)
	if (device == "") {
		if (prefix in prefixes || record in fields)
			die("virtio_" about ".h: the device is unknown: add it to device_of")
		return
	}
	device = "VIRTIO_ID_" device
	name_rows(2, "virtio_features", prefix, "", "%s", device)
	if (record in fields) {
		layout_rows("4 %d 0", ", " device, record, "config_" about, "config." about,
			    "virtio-" about " configuration space")
		row("4 %d 0 " ++order, "VHU_CONFIG_OF(%d, config_" about ")", ", " device ", " device)
	}
}

FILENAME ~ /headers$/ {
	header[++headers] = $1
}

FILENAME ~ /macros$/ && $2 ~ /^VIRTIO_/ {
	macro[$2] = $3
	know($2)
}

# Some features are enumerators.
FILENAME ~ /names$/ {
	for (i = 1; i <= NF; i++)
		if (match($i, /^VIRTIO_[A-Z0-9]+_F_[A-Z0-9_]+/))
			know(substr($i, 1, RLENGTH))
}

# FUSE's requests are enumerators, too.
FILENAME ~ /names$/ && /^ *enum fuse_opcode/ {
	opcodes = 1
}
FILENAME ~ /names$/ && opcodes {
	for (i = 1; i <= NF; i++)
		if (match($i, /^FUSE_[A-Z0-9_]+/))
			opcode[substr($i, 1, RLENGTH)] = 1
	if (/}/)
		opcodes = 0
}

FILENAME ~ /records$/ && /^ *[0-9]+ \| / {
	record_line(substr($0, index($0, "| ") + 2))
}

END {
	if (failed)
		exit 1
	print "#include \"all.h\""
	print "#include <stddef.h>"
	print "int printf(const char *, ...);"
	print "int main(void)\n{"
	row("0 0 0 0", "/* SPDX-License-Identifier: GPL-2.0-or-later */", "")
	row("0 0 0 1", "/* Made by virtio-refresh.sh from the headers of Linux %d.%d.%d. Do not edit. */",
	    ", LINUX_VERSION_MAJOR, LINUX_VERSION_PATCHLEVEL, LINUX_VERSION_SUBLEVEL")
	heading(1, "Devices")
	for (name in macro)
		if (name ~ /^VIRTIO_ID_/)
			row("1 %d 0 0", "VHU_DEVICE(%d, " substr(name, 11) ")", ", " name ", " name)
	heading(2, "Feature bits, those of all devices first")
	name_rows(2, "virtio_features", "VIRTIO_F_", "", "%s", "0")
	name_rows(2, "virtio_features", "VIRTIO_RING_F_", "RING_", "%s", "0")
	# The one feature that is named unlike all others.
	name_rows(2, "virtio_features", "VIRTIO_9P_MOUNT_TAG", "MOUNT_TAG", "%s", "VIRTIO_ID_9P")
	heading(3, "Device status bits")
	name_rows(3, "virtio_status", "VIRTIO_CONFIG_S_", "", "__builtin_ctz(%s)", "0")
	heading(4, "Configuration spaces, by device")
	for (i = 1; i <= headers; i++)
		if (header[i] != "ring")
			device_rows(header[i])
	heading(5, "Answers on the GPU channel")
	layout_rows("5 0 0", "", "struct virtio_gpu_display_one", "gpu_display_one",
		    "gpu.display", "display")
	layout_rows("5 0 0", "", "struct virtio_gpu_resp_display_info", "gpu_display_info",
		    "gpu.display_info", "display information")
	layout_rows("5 0 0", "", "struct virtio_gpu_resp_edid", "gpu_edid", "gpu.edid", "EDID")
	heading(6, "Headers of requests, by device")
	names_of["struct virtio_blk_outhdr", "type"] = "blk_request"
	names_of["struct fuse_in_header", "opcode"] = "fuse_request"
	request_rows("blk", "struct virtio_blk_outhdr", "virtio-blk request")
	request_rows("net", "struct virtio_net_hdr_v1", "virtio-net packet")
	request_rows("scsi", "struct virtio_scsi_cmd_req", "virtio-scsi request")
	request_rows("fs", "struct fuse_in_header", "FUSE request", "pid")
	heading(7, "Types of requests")
	# A bit of older drivers beside a type.
	delete known["VIRTIO_BLK_T_BARRIER"]
	name_rows("7 1", "blk_request", "VIRTIO_BLK_T_", "", "%s", "0")
	for (name in opcode)
		row("7 2 %d 0", "VHU_NAME(fuse_request, %d, \"" substr(name, 6) "\", \"\", VHU_ANY, 0)",
		    ", " name ", " name)
	print "\treturn 0;\n}"
}
AWK
awk -f "$work/program.awk" "$work/headers" "$work/macros" "$work/names" "$work/records" \
	>"$work/program.c"
kernel_clang -o "$work/program" "$work/program.c"
"$work/program" >"$work/rows"
sort -n -k1,1 -k2,2 -k3,3 -k4,4 "$work/rows" | cut -f2-
