# SPDX-License-Identifier: GPL-2.0-or-later
# JSON held against its schemas, those of docs/json.
#
# To be sourced after common.sh, which sets $top and $build. Debian's Python is asked: another one may
# lack Debian's modules.
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || {
	echo "lacks jsonschema of Python: install the package python3-jsonschema"
	exit 77
}

# Hold each line of the file $1 against the schema that it names; other lines are what is wrong.
schemas_fit()
{
	/usr/bin/python3 -W ignore "$top/tests/json/schemas.py" check "$top/docs/json" "$build/schema" <"$1"
}

# Keep the lines of the file $1, which $2 wrote: when the script ends they are held against their schemas, all
# at once, for to start Python takes longer than to look at them.
schemas_keep()
{
	cat "$1" >>"$work/schemas.lines"
	sed "s/.*/x/" "$1" | while read -r _; do printf '%s\n' "$2"; done >>"$work/schemas.by"
}

# Hold what was kept against the schemas; work_close() calls it. Says what is wrong, and who wrote it.
schemas_close()
{
	[ -s "$work/schemas.lines" ] || return 0
	schemas_fit "$work/schemas.lines" >"$work/schemas.fit" && return 0
	cat "$work/schemas.fit"
	sed -n 's/^line \([0-9]*\):.*/\1/p' "$work/schemas.fit" | while read -r schemas_line; do
		echo "line $schemas_line is of: $(sed -n "${schemas_line}p" "$work/schemas.by")"
	done
	return 1
}

# Look whether the schemas agree with one another.
schemas_are_sound()
{
	/usr/bin/python3 -W ignore "$top/tests/json/schemas.py" keys "$top/docs/json" "$build/schema"
}
