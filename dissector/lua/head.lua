-- SPDX-License-Identifier: GPL-2.0-or-later
-- vhost-user in Wireshark 3.6 and later, on any system: copy this file into the folder that Help,
-- About Wireshark, Folders calls "Personal Lua Plugins". Made by vhu's build; docs/wireshark.md has
-- more.
--
-- It shows what the compiled plugin shows, except for findings, the session's state and statistics.
-- It runs in Lua 5.1 to 5.4: numbers may be doubles, so that integers of 64 bits are kept as two
-- halves, the high one first, and nothing is divided without math.floor.

-- The compiled plugin knows more: leave the protocol to it.
do
	local known, dissector = pcall(Dissector.get, "vhost_user")
	if known and dissector then
		return
	end
end

local vhu = {} -- what the parts of this file share
