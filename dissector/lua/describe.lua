-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a record says, as a sentence: in the words of lib/session/describe.c.
do
	local concat, format = table.concat, string.format
	local decimal, foreign, has = vhu.decimal, vhu.foreign, vhu.has

	local FDS_LISTED, INFO_MAX = 4, 1023
	local UNITS = { "K", "M", "G", "T", "P", "E" }

	-- Return the part of a descriptor's name that tells something.
	local function fd_name(fd)
		local name = fd.name
		if fd.kind == 1 then
			name = name:gsub("^/memfd:", ""):sub(1, vhu.text_max)
			return (name:gsub(" %(deleted%)$", ""))
		end
		return name:sub(1, 1) == "/" and name:sub(1, vhu.text_max) or ""
	end

	-- Return a number of bytes with the largest unit that leaves it whole.
	local function bytes_text(high, low)
		local power = 0
		while (high ~= 0 or low ~= 0) and low % 1024 == 0 do
			high, low = vhu.right(high, low, 10)
			power = power + 1
		end
		return decimal(high, low) .. (UNITS[power] or "")
	end

	-- Say in a few words what passed as a descriptor.
	local function fd_text(fd)
		local kind = vhu.fd_kinds[fd.kind]
		if fd.eventfd_id then
			return kind .. " " .. decimal(0, fd.eventfd_id)
		end
		local name = fd_name(fd)
		local text = kind .. (name ~= "" and " " or "") .. name
		if fd.size then
			text = text .. " " .. bytes_text(fd.size[1], fd.size[2])
		end
		return vhu.replaced(text, function()
			return "?"
		end)
	end
	vhu.fd_text = fd_text

	local function add_name(to, note)
		if not note.has_header then
			to[#to + 1] = "part of a header"
		elseif not note.message then
			to[#to + 1] = "message " .. decimal(0, note.request)
		else
			to[#to + 1] = note.message.name
		end
		if note.or_message then
			to[#to + 1] = " or " .. note.or_message.name
		end
		if note.reply then
			to[#to + 1] = " reply"
		end
	end

	local function add_payload(to, note)
		local payload, layout = note.payload, note.layout
		if not layout then
			if payload.size > 0 then
				to[#to + 1] = ", " .. decimal(0, payload.size) .. " bytes"
			end
		elseif layout[1] or payload.size > 0 then
			local text
			text, note.unfit = vhu.payload_text(payload, layout, note.context)
			if text ~= "" then
				to[#to + 1] = " " .. text
			end
		end
	end

	local function add_marks(to, note, record)
		if record.partial then
			to[#to + 1] = format(
				", closed after %s of %s bytes",
				decimal(0, record.message_sent),
				decimal(0, 12 + (note.size or 0))
			)
		elseif record.message_size < record.message_sent then
			to[#to + 1] = format(
				record.earlier and ", kept up to %s of %s bytes" or ", cut by the snap length to %s of %s bytes",
				decimal(0, record.message_size),
				decimal(0, record.message_sent)
			)
		end
		if record.fds_lost then
			to[#to + 1] = ", descriptors lost"
		end
		if record.altered then
			to[#to + 1] = ", altered by the proxy"
			if record.text ~= "" then
				to[#to + 1] = ": " .. foreign(record.text)
			end
		end
	end

	local function add_message(to, record, note)
		local fds = record.fds
		add_name(to, note)
		if note.has_header then
			add_payload(to, note)
		end
		for i = 1, #fds < FDS_LISTED and #fds or FDS_LISTED do
			to[#to + 1] = ", " .. fd_text(fds[i]):sub(1, 127)
		end
		if #fds > FDS_LISTED then
			to[#to + 1] = format(", %d more descriptors", #fds - FDS_LISTED)
		end
		if record.marks ~= 0 or record.message_size < record.message_sent then
			add_marks(to, note, record)
		end
	end

	local function add_peer(to, side, peer)
		if not peer or not peer.known and peer.path == "" then
			return
		end
		to[#to + 1] = ", " .. side
		if peer.known then
			to[#to + 1] = format(" %s (pid %s)", foreign(peer.comm), decimal(0, peer.pid))
		end
		if peer.path ~= "" then
			to[#to + 1] = " at " .. foreign(peer.path)
		end
	end

	local function add_event(to, record, event)
		if record.session == "\0\0\0\0\0\0\0\0" then
			to[#to + 1] = "capture "
		elseif record.channel == 0 then
			to[#to + 1] = "session "
		else
			to[#to + 1] = vhu.channels[record.channel] .. " channel "
		end
		to[#to + 1] = event
		if record.text ~= "" then
			to[#to + 1] = ": " .. foreign(record.text)
		end
	end

	local function add_opened(to, record)
		add_event(to, record, "opened")
		-- The channels inside have the session's peers.
		if record.channel ~= 0 then
			return
		end
		if record.begun then
			to[#to + 1] = ", it began before the capture"
		end
		add_peer(to, "front-end", record.front_end)
		add_peer(to, "back-end", record.back_end)
	end

	-- Return a time in the unit that reads best.
	local function time_text(high, low)
		if high == 0 and low < 10000 then
			return decimal(high, low) .. " ns"
		elseif high == 0 and low < 10000000 then
			return vhu.divided(high, low, 1000) .. " us"
		end
		return vhu.divided(high, low, 1000000) .. " ms"
	end

	local TIMES = {
		{ bit = 4, key = "kick_to_call", text = ", kick to call " },
		{ bit = 1, key = "kick_to_wake", text = ", kick to wake " },
		{ bit = 2, key = "wake_to_call", text = ", wake to call " },
	}

	local function add_vring(to, record)
		local event = record.vring
		to[#to + 1] = format(
			"vring %s %s, eventfd %s",
			decimal(0, event.vring),
			vhu.vring_acts[event.act] or "event",
			decimal(0, event.eventfd)
		)
		for _, time in ipairs(TIMES) do
			if has(event.has, time.bit) then
				to[#to + 1] = time.text .. time_text(event[time.key][1], event[time.key][2])
			end
		end
		local text = record.text ~= "" and ": " .. foreign(record.text) or ""
		to[#to + 1] = ", " .. foreign(event.comm) .. " (pid " .. decimal(0, event.pid)
		if not event.fate then
			to[#to + 1] = ", cpu " .. decimal(0, event.cpu) .. ")"
			return
		end
		-- The proxy knows a process, not where in it.
		to[#to + 1] = ")"
		if event.signals[1] ~= 0 or event.signals[2] ~= 1 then
			to[#to + 1] = ", " .. decimal(event.signals[1], event.signals[2]) .. " at once"
		end
		if event.fate ~= 0 then
			to[#to + 1] = ", " .. (vhu.vring_fates[event.fate] or "altered in an unknown way") .. " by the proxy"
		end
		to[#to + 1] = text
	end

	-- Return the verdict of a snapshot in a sentence.
	local function snapshot_text(snapshot)
		local most = vhu.snapshot_text_max
		local text = "vring " .. decimal(0, snapshot.vring) .. ": " .. foreign(snapshot.text:sub(1, most))
		-- "moving" and "unread" say nothing that the text does not.
		if snapshot.verdict:sub(1, 1) ~= "D" then
			return text
		end
		text = text .. ": " .. foreign(snapshot.title:sub(1, most))
		text = text .. " (" .. foreign(snapshot.verdict:sub(1, most))
		for other in snapshot.alternatives:gmatch("[^ ]+") do
			text = text .. " or " .. foreign(other)
		end
		return text .. ")"
	end
	vhu.snapshot_text = snapshot_text

	local function add_snapshot(to, record)
		local snapshot = record.snapshot
		local reason = vhu.snapshot_reasons[snapshot.reason]
		to[#to + 1] = "snapshot (" .. (reason or "reason not known") .. "), " .. snapshot_text(snapshot)
	end

	local add = {
		[0] = add_message,
		[1] = add_opened,
		[2] = function(to, record)
			add_event(to, record, "closed")
		end,
		[3] = function(to, record)
			add_event(to, record, "error")
		end,
		[4] = add_vring,
		[5] = function(to, record)
			add_event(to, record, "continued")
		end,
		[6] = add_snapshot,
	}

	-- Return a text whose every character can be shown: what is neither ASCII nor UTF-8 is replaced.
	local function printable(text)
		if not text:find("[^ -~]") then
			return text
		end
		local parts, at = {}, 1
		while at <= #text do
			local first = text:byte(at)
			local size = first < 128 and 1 or vhu.character(text, at)
			if first < 32 or first == 127 then
				parts[#parts + 1] = format("\\x%02x", first)
			elseif size == 0 then
				parts[#parts + 1] = "\239\191\189"
			else
				parts[#parts + 1] = text:sub(at, at + size - 1)
			end
			at = at + (size > 0 and size or 1)
		end
		return concat(parts)
	end
	vhu.printable = printable

	-- Return what a record says.
	function vhu.describe(record, note)
		local to = { record.reconstructed and "(reconstructed) " or record.earlier and "(earlier) " or nil }
		if add[record.type] then
			add[record.type](to, record, note)
		else
			to[#to + 1] = format("record of type %d", record.type)
		end
		return printable(concat(to):sub(1, INFO_MAX))
	end
end
