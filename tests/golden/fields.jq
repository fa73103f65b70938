# SPDX-License-Identifier: GPL-2.0-or-later
# One line for each field of each record, "NUMBER PATH VALUE", in the same words for both sides:
#
#	plugin($names)	of `tshark -T json --no-duplicate-keys`; $names: `tshark -G values`
#	dump		of `vhu dump --json --bytes`, slurped
#
# A path is made of JSON keys; a field of the plugin has the last part of its name as its key. What
# is not the same by itself is in the tables below, with the reason.

# Fields of the plugin alone.
def plugin_only: {
	"response_us": "is response_time without its nanoseconds, for columns",
	"stream": "numbers channels of sessions for Wireshark's follow and filters",
	"device": "is an assumption of the session; the dump uses it and does not print it",
	"marks": "is the sum of its bits, which are compared",
	"now": "is the state tree, which dissector_cases.txt tests",
	"finding.see": "links to frames",
	"finding.section": "is constant text of rules.def, which vhu check prints",
	"finding.basis": "is constant text of rules.def, which vhu check prints",
	"crypto.key": "is a secret: each side says its size in its own words",
	"crypto.auth_key": "is a secret: each side says its size in its own words",
	"crypto.unused": "may hold a secret: each side says its size in its own words"
};

# Keys of the dump alone, below the record.
def dump_only: {
	"schema": "is the form of the dump's JSON",
	"number": "is frame.number, and begins each line",
	"time_ns": "is the packet's time, which Wireshark reads itself",
	"payload.key": "is a secret: each side says its size in its own words",
	"payload.auth_key": "is a secret: each side says its size in its own words",
	"payload.unused": "may hold a secret: each side says its size in its own words",
	"error": "is errno as a text",
	"changes": "is in the state tree, which dissector_cases.txt tests",
	"unanswered": "takes a reading of the whole capture before"
};

# Fields of the plugin whose key has another name in the dump.
def renamed: {
	"direction": "from",                      # Wireshark's arrow points to the receiver
	"request_in": "request_number",           # Wireshark's usual names for these links
	"reply_in": "reply_number",
	"response_time": "delay_ns",              # Wireshark's usual name and type for it
	"vring.kick_to_wake": "kick_to_wake_ns",  # a time has no unit in Wireshark
	"vring.wake_to_call": "wake_to_call_ns",
	"vring.kick_to_call": "kick_to_call_ns",
	"vring.eventfd": "eventfd_id",            # older than the dump's key
	"offer": "offered",
	"altered": "text",                        # the dump has one key for every record's text
	"snapshot.age": "age_ns",
	"snapshot.pending.age": "age_ns",
	"snapshot.error": "errno",                # the dump has its text, too
	"snapshot.driver": "driver_events",       # a key has one type in all of vhu's JSON
	"snapshot.driver.event": "event_index",
	"snapshot.device": "device_events",
	"snapshot.device.event": "event_index",
	"snapshot.pending.request": "request_number",
	"snapshot.request.id": "buffer_id",
	"fd.device": "device_number",
	"snapshot.request": "requests",           # the dump has a list
	"snapshot.request.buffer": "buffers",
	"fds": "fds_count",                       # the dump has a list
	"fd": "fds"
};

# Names of values that the sides word in different ways.
def reworded: {
	"direction": {"to back-end": "front-end", "to front-end": "back-end"}
};

# Padding, which the dump leaves out if it is zero.
def padding: {
	"padding": true, "hdr_padding": true, "unused": true, "unused1": true, "unused2": true,
	"pointers": true
};

# Trees of the plugin that are structures; other trees are parts of a number.
def structures: {"payload_tree": true, "config.space_tree": true, "finding_tree": true};

# Print lines for one record.
def lines($number): .[] | "\($number) \(.[0]) \(.[1])";

# Call a list's first element by the list's name, the others with their index.
def element($key; $i): if $i > 0 then "\($key)[\($i)]" else $key end;

# Return each element of a list with its index; of anything else, itself with 0.
def elements: if type == "array" then range(length) as $i | [$i, .[$i]] else [0, .] end;

def as_list: if type == "array" then . else [.] end;

def hexadecimal: reduce explode[] as $c (0; . * 16 + if $c >= 97 then $c - 87 else $c - 48 end);

# Return a value of tshark as the dump writes it: hexadecimal as decimal, seconds as nanoseconds, bytes
# without colons, and a boolean as a number, which Wireshark 4.2 and later write as a word.
def plain: tostring |
	if startswith("0x") then ltrimstr("0x") | hexadecimal | tostring
	elif contains(".") and test("^[0-9]+\\.[0-9]{9}$") then
		sub("\\."; "") | sub("^0+(?=.)"; "")
	elif contains(":") and test("^([0-9a-f]{2}:)+[0-9a-f]{2}$") then split(":") | add
	else {"True": "1", "False": "0", "true": "1", "false": "0"}[.] // . end;

# Return the names of values: {FIELD: {VALUE: NAME}}.
def values_of($names): reduce ($names | split("\n")[] | split("\t") |
	select(.[0] == "V" or .[0] == "V64")) as $row ({};
		.[$row[1] | ltrimstr("vhost_user.")][$row[2]] = $row[3]);

# Return [PATH, VALUE] of each field of a tree of the plugin. $part: the fields are parts of a
# number; those that are 0 are left out, and no names of values are looked for.
def tree($at; $part; $tables):
	to_entries[] | select(.key | startswith("vhost_user.")) |
	(.key | ltrimstr("vhost_user.")) as $name | select($tables.plugin_only[$name] == null) |
	($name | rtrimstr("_tree")) as $field |
	($tables.renamed[$field] // ($field | split(".") | last)) as $key |
	.value | elements as [$i, $value] |
	($at + element($key; $i)) as $path |
	if $field == "header" then $value | tree($at; false; $tables)
	elif ($value | type) == "object" then
		($name != $field and $tables.structures[$name] == null) as $parts |
		$value | tree($path + "."; $parts; $tables)
	else
		($value | plain) as $value | $tables.values[$field][$value] as $word |
		if $value == "0" and $part or $tables.padding[$key] and ($value | test("^0+$"))
		then empty
		elif $word == null or $part then [$path, $value]
		elif $at | startswith("payload.") then [$path, $value], [$path + "_name", $word]
		else [$path, $tables.reworded[$field][$word] // $word] end
	end;

def plugin($names):
	{plugin_only: plugin_only, renamed: renamed, reworded: reworded, padding: padding,
		structures: structures, values: values_of($names)} as $tables |
	to_entries[] | (.key + 1) as $number |
	[.value._source.layers.vhost_user | tree(""; false; $tables)] | lines($number);

# Return the numbers of the bits that are set.
def bits: . as $n | [range(53) | select(($n / pow(2; .) | floor) % 2 == 1)];
def sum_of_bits: map(pow(2; .)) | add // 0;

# Return $count bits of a number from bit $from on.
def part($from; $count): (. / pow(2; $from) | floor) % pow(2; $count);

# Return what the plugin shows of a set of bits: each by its name, or by its number.
def bit_paths($path):
	[.[] | select(startswith("bit "))] as $unknown |
	(.[] | select(startswith("bit ") | not) |
		[$path + "." + (ascii_downcase | gsub("[^a-z0-9]"; "_")), "1"]),
	($unknown | range(length) as $i |
		[element($path + ".unknown_bit"; $i), ($unknown[$i] | ltrimstr("bit "))]);

# Return [PATH, VALUE] of each key of the dump.
def keys_of($at):
	to_entries[] | .key as $key | .value |
	if $key | endswith("_names") then bit_paths($at + ($key | rtrimstr("_names")))
	else
		elements as [$i, $value] |
		($at + element(if $key == "fields" then "space" else $key end; $i)) as $path |
		select(dump_only[$at + $key] == null) |
		if ($value | type) == "object" then $value | keys_of($path + ".")
		else [$path, ($value | plain)] end
	end;

# Add what the plugin shows in more than one way, computed from the one way of the dump.
def in_every_way:
	(if .payload.fields and (.payload | has("space") | not) then .payload |= .fields else . end) |
	.payload as $payload | .flags as $flags |
	(if .offered then
		(.offered | tonumber | bits) as $offered |
		($payload.features // $payload.protocol_features | tonumber | bits) as $taken |
		.not_taken = ($offered - $taken | sum_of_bits) |
		.not_offered = ($taken - $offered | sum_of_bits)
	else . end) |
	(if $flags then ."flags.version" = ($flags | part(0; 2)) | ."flags.reply" = ($flags | part(2; 1)) |
		."flags.need_reply" = ($flags | part(3; 1)) | ."flags.reserved" = ($flags | part(4; 28)) |
		with_entries(select((.key | startswith("flags.") | not) or .value != 0))
	else . end) |
	(if .type == "message" then .fds_count = (.fds // [] | length) else . end) |
	(if .fds then .fds |= [range(length) as $i | .[$i] | .number = $i |
		."flags.access" = (.flags | part(0; 2)) | ."flags.append" = (.flags | part(10; 1)) |
		."flags.nonblock" = (.flags | part(11; 1)) |
		with_entries(select((.key | startswith("flags.") | not) or .value != 0))]
	else . end) |
	(if .bytes | length > 24 then ."payload" = $payload | .payload_is = .bytes[24:] else . end) |
	.marks_names = (.marks // [] | map(if . == "truncated" then "fds lost" else . end)) |
	del(.bytes, .marks) |
	.finding = (.findings // [] | map(.rule)) | .findings |= (. // [] | map({rule: .name, severity, text}));

def dump: .[] | select(.number) | .number as $number |
	[in_every_way | keys_of("") |
		select(.[1] != "null" and .[1] != "" and . != ["dialect", "unknown"]) |
		.[0] |= (sub("^payload_is$"; "payload") | sub("^findings"; "finding"))] |
	lines($number);
