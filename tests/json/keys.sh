#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A key has one type in the JSON of all commands, and no object takes keys that its schema lacks.
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"

schemas_are_sound || exit 1
