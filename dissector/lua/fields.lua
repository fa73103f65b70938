-- SPDX-License-Identifier: GPL-2.0-or-later
-- The fields of Wireshark's: those of the table's layouts by walking it, others by rows below.
do
	local proto = Proto("vhost_user", "vhost-user protocol")
	vhu.proto = proto

	local registered = {}
	local floor, power = math.floor, vhu.power

	local function register(field)
		registered[#registered + 1] = field
		return field
	end

	-- What makes a field of a type: its name in display filters, its label, its values' names.
	local make = {
		none = function(filter, label)
			return ProtoField.none(filter, label)
		end,
		string = function(filter, label)
			return ProtoField.string(filter, label)
		end,
		bytes = function(filter, label)
			return ProtoField.bytes(filter, label)
		end,
		time = function(filter, label)
			return ProtoField.relative_time(filter, label)
		end,
		bool = function(filter, label)
			return ProtoField.bool(filter, label)
		end,
		request = function(filter, label)
			return ProtoField.framenum(filter, label, base.NONE, frametype.REQUEST)
		end,
		reply = function(filter, label)
			return ProtoField.framenum(filter, label, base.NONE, frametype.RESPONSE)
		end,
	}
	for _, size in ipairs({ 8, 16, 32, 64 }) do
		local of_size = ProtoField["uint" .. size]
		make["dec" .. size] = function(filter, label, names)
			return of_size(filter, label, base.DEC, names)
		end
		make["hex" .. size] = function(filter, label, names)
			return of_size(filter, label, base.HEX, names)
		end
	end

	local DIRECTIONS = { [0] = "to back-end", "to front-end" }
	local SIDES = { [0] = "front-end", "back-end" }
	local ACCESSES = { [0] = "read only", "write only", "read and write" }
	local FORMATS = { [0] = "split", "packed" }

	-- Fields of the record, the message around its payload, descriptors, events and snapshots: this
	-- file's key for each is its filter name without "vhost_user.".
	local rows = {
		{ "type", "Record", "dec8", vhu.record_types },
		{ "session", "Session", "dec64" },
		{ "stream", "Stream", "dec32" },
		{ "channel", "Channel", "dec8", vhu.channels },
		{ "direction", "Direction", "dec8", DIRECTIONS },
		{ "text", "Text", "string" },
		{ "altered", "Altered", "string" },
		{ "marks", "Marks", "hex16" },
		{ "segments", "Segments", "dec8" },
		{ "segment", "Segment", "dec32" },
		{ "message", "Message", "string" },
		{ "reply", "Reply", "bool" },
		{ "dialect", "Dialect", "dec8", vhu.dialects },
		{ "device", "Virtio device", "dec32" },
		{ "request_in", "Request in", "request" },
		{ "reply_in", "Reply in", "reply" },
		{ "response_time", "Response time", "time" },
		{ "response_us", "Response time in us", "dec64" },
		{ "header", "Header", "none" },
		{ "request", "Request", "dec32" },
		{ "flags", "Flags", "hex32" },
		{ "size", "Size", "dec32" },
		{ "payload", "Payload", "bytes" },
		{ "left_over", "Left over", "bytes" },
		{ "vring", "Vring", "dec32" },
		{ "offer", "Offered", "hex64" },
		{ "offer.not_taken", "Offered and not acked", "hex64" },
		{ "offer.not_offered", "Taken and not offered", "hex64" },
		{ "fds", "Descriptors", "dec16" },
		{ "fd", "Descriptor", "none" },
		{ "fd.number", "Position", "dec16" },
		{ "fd.kind", "Kind", "dec8", vhu.fd_kinds },
		{ "fd.inode", "Inode", "dec64" },
		{ "fd.device", "Device", "hex64" },
		{ "fd.size", "Size", "dec64" },
		{ "fd.page_size", "Page size", "dec64" },
		{ "fd.eventfd_id", "Eventfd", "dec32" },
		{ "fd.eventfd_count", "Eventfd's count", "dec64" },
		{ "fd.semaphore", "Semaphore", "bool" },
		{ "fd.name", "Name", "string" },
		{ "fd.seals", "Seals", "hex32" },
		{ "fd.flags", "Flags", "hex32" },
		{ "vring.event", "Event", "dec8", vhu.vring_acts },
		{ "vring.eventfd", "Eventfd", "dec32" },
		{ "vring.pid", "Process", "dec32" },
		{ "vring.tid", "Thread", "dec32" },
		{ "vring.cpu", "Processor", "dec32" },
		{ "vring.comm", "Command", "string" },
		{ "vring.kick_to_wake", "Kick to wake", "time" },
		{ "vring.wake_to_call", "Wake to call", "time" },
		{ "vring.kick_to_call", "Kick to call", "time" },
		{ "vring.signals", "Signals", "dec64" },
		{ "vring.fate", "Fate", "dec8", vhu.vring_fates },
		{ "snapshot.reason", "Reason", "dec8", vhu.snapshot_reasons },
		{ "snapshot.verdict", "Verdict", "none" },
		{ "snapshot.verdict.id", "Verdict", "string" },
		{ "snapshot.verdict.title", "Cause", "string" },
		{ "snapshot.verdict.text", "Evidence", "string" },
		{ "snapshot.verdict.hangs", "Hangs", "bool" },
		{ "snapshot.verdict.alternatives", "Or", "string" },
		{ "snapshot.error", "Error", "dec32" },
		{ "snapshot.format", "Format", "dec8", FORMATS },
		{ "snapshot.size", "Size", "dec32" },
		{ "snapshot.available", "Available index", "dec16" },
		{ "snapshot.available_wrap", "Available wrap counter", "bool" },
		{ "snapshot.used", "Used index", "dec16" },
		{ "snapshot.used_wrap", "Used wrap counter", "bool" },
		{ "snapshot.waiting", "Waiting", "dec32" },
		{ "snapshot.driver", "Driver", "none" },
		{ "snapshot.driver.flags", "Flags", "hex16" },
		{ "snapshot.driver.event", "Event", "dec16" },
		{ "snapshot.device", "Device", "none" },
		{ "snapshot.device.flags", "Flags", "hex16" },
		{ "snapshot.device.event", "Event", "dec16" },
		{ "snapshot.in_flight", "In flight", "dec32" },
		{ "snapshot.age", "Age of the oldest", "time" },
		{ "snapshot.kick", "Kick", "none" },
		{ "snapshot.kick.eventfd_id", "Eventfd", "dec32" },
		{ "snapshot.kick.count", "Count", "dec64" },
		{ "snapshot.call", "Call", "none" },
		{ "snapshot.call.eventfd_id", "Eventfd", "dec32" },
		{ "snapshot.call.count", "Count", "dec64" },
		{ "snapshot.front_end", "Front-end", "none" },
		{ "snapshot.front_end.pid", "Process", "dec32" },
		{ "snapshot.front_end.state", "State", "string" },
		{ "snapshot.front_end.unread", "Unread", "dec64" },
		{ "snapshot.back_end", "Back-end", "none" },
		{ "snapshot.back_end.pid", "Process", "dec32" },
		{ "snapshot.back_end.state", "State", "string" },
		{ "snapshot.back_end.unread", "Unread", "dec64" },
		{ "snapshot.pending", "Request without a reply", "none" },
		{ "snapshot.pending.request", "Request", "dec32" },
		{ "snapshot.pending.from", "From", "dec8", SIDES },
		{ "snapshot.pending.age", "Age", "time" },
		{ "snapshot.request", "Request", "none" },
		{ "snapshot.request.head", "Head", "dec16" },
		{ "snapshot.request.id", "Id", "dec16" },
		{ "snapshot.request.taken", "In flight", "bool" },
		{ "snapshot.request.descriptors", "Descriptors", "dec32" },
		{ "snapshot.request.readable", "Bytes to read", "dec64" },
		{ "snapshot.request.writable", "Bytes to write", "dec64" },
		{ "snapshot.request.header", "Header", "string" },
		{ "snapshot.request.fault", "Fault", "string" },
		{ "snapshot.request.buffer", "Buffer", "none" },
		{ "snapshot.request.buffer.address", "Address", "hex64" },
		{ "snapshot.request.buffer.size", "Size", "dec32" },
		{ "snapshot.request.buffer.flags", "Flags", "hex16" },
		{ "snapshot.request.buffer.indirect", "Indirect", "bool" },
		{ "snapshot.request.buffer.mapped", "In memory", "bool" },
	}
	for side, label in pairs({ front_end = "Front-end", back_end = "Back-end" }) do
		local peer = "peer." .. side
		rows[#rows + 1] = { peer, label, "none" }
		rows[#rows + 1] = { peer .. ".pid", "Process", "dec32" }
		rows[#rows + 1] = { peer .. ".uid", "User", "dec32" }
		rows[#rows + 1] = { peer .. ".gid", "Group", "dec32" }
		rows[#rows + 1] = { peer .. ".comm", "Command", "string" }
		rows[#rows + 1] = { peer .. ".path", "Socket", "string" }
	end

	vhu.field = {}
	for _, row in ipairs(rows) do
		vhu.field[row[1]] = register(make[row[3]]("vhost_user." .. row[1], row[2], row[4]))
	end

	-- Parts of words: those that the tree shows below each, in order.
	local function bit(filter, label, width, mask)
		return register(ProtoField.bool("vhost_user." .. filter, label, width, nil, mask))
	end
	local marks = {}
	for _, row in ipairs({
		{ "big_endian", "Big endian" },
		{ "redacted", "Redacted" },
		{ "fds_lost", "Descriptors lost" },
		{ "altered", "Altered" },
		{ "partial", "Partial" },
		{ "earlier", "Earlier" },
		{ "lost", "Records lost" },
		{ "dropped", "Dropped" },
		{ "begun", "Began before" },
		{ "reconstructed", "Reconstructed" },
		{ "ended", "Ended" },
	}) do
		marks[#marks + 1] = bit("marks." .. row[1], row[2], 16, vhu.marks[row[1]])
	end
	vhu.parts = {
		marks = marks,
		flags = {
			register(ProtoField.uint32("vhost_user.flags.version", "Version", base.DEC, nil, 0x3)),
			bit("flags.reply", "Reply", 32, 0x4),
			bit("flags.need_reply", "Need reply", 32, 0x8),
			register(ProtoField.uint32("vhost_user.flags.reserved", "Reserved", base.HEX, nil, 0xfffffff0)),
		},
		seals = {
			bit("fd.seals.seal", "Seal", 32, 0x1),
			bit("fd.seals.shrink", "Shrink", 32, 0x2),
			bit("fd.seals.grow", "Grow", 32, 0x4),
			bit("fd.seals.write", "Write", 32, 0x8),
			bit("fd.seals.future_write", "Future write", 32, 0x10),
			bit("fd.seals.exec", "Execute", 32, 0x20),
		},
		fd_flags = {
			register(ProtoField.uint32("vhost_user.fd.flags.access", "Access", base.DEC, ACCESSES, 0x3)),
			bit("fd.flags.append", "Append", 32, 0x400),
			bit("fd.flags.nonblock", "Not blocking", 32, 0x800),
		},
	}

	-- Return the values of a set of names, nil for bits and for none.
	local function values_of(field)
		local set = field.names and vhu.names[field.names]
		if not set or set.bits then
			return nil
		end
		local values = {}
		for _, name in ipairs(set) do
			values[name.value] = values[name.value] or name.name
		end
		return values
	end

	-- Return a field of the table as Wireshark's. Masks have 32 bits in some versions: a part of a longer
	-- integer is shown by its value instead, a bit of it in the half that it is in.
	local function describe(field)
		local filter, label = "vhost_user." .. field.path, field.label
		if field.show == "secret" or field.kind == "struct" or field.kind == "array" then
			return ProtoField.none(filter, label)
		elseif field.kind == "text" then
			return ProtoField.string(filter, label)
		elseif field.kind == "mac" then
			return ProtoField.ether(filter, label)
		elseif field.kind == "uuid" then
			return ProtoField.guid(filter, label)
		elseif not field.integer then
			return ProtoField.bytes(filter, label)
		end
		local mask = field.width and field.size < 8 and (power[field.width] - 1) * power[field.shift] or nil
		if field.show == "bool" then
			return ProtoField.bool(filter, label, 32, nil, power[field.shift])
		elseif field.kind == "int" then
			return ProtoField["int" .. field.size * 8](filter, label, base.DEC)
		end
		local shown = field.show == "hex" and base.HEX or base.DEC
		return ProtoField["uint" .. field.size * 8](filter, label, shown, values_of(field), mask)
	end

	-- Return the part of a filter that stands for a device: as its configuration space is called, or
	-- its name in small letters.
	local function device_part(device)
		local config = vhu.config_of[device]
		return config and config:match("^config_(.*)$") or vhu.name_of("virtio_device", device, { dialect = 0 })
	end

	-- Register the bits of the set of bits that a field is.
	local function register_bits(field)
		local bits, path = {}, "vhost_user." .. field.path
		for _, name in ipairs(vhu.names[field.names]) do
			if name.value < field.size * 8 then
				local filter = name.device ~= 0 and device_part(name.device) .. "." .. name.name or name.name
				local half = floor(name.value / 32)
				bits[#bits + 1] = {
					name = name,
					half = half,
					field = register(ProtoField.bool(
						path .. "." .. filter:lower():gsub("[^a-z0-9.]", "_"),
						name.name,
						field.size < 4 and field.size * 8 or 32,
						nil,
						power[name.value - half * 32]
					)),
				}
			end
		end
		field.bits = bits
		field.unknown = register(ProtoField.uint8(path .. ".unknown_bit", "Unknown bit", base.DEC))
	end

	-- Fields that look the same and have the same name are one.
	local same = {}
	for _, layout in ipairs(vhu.layouts) do
		for _, field in ipairs(layout) do
			local key = table.concat({
				field.path,
				field.label,
				field.kind == "le" and "uint" or field.kind,
				field.show,
				tostring(field.size),
				tostring(field.shift),
				tostring(field.width),
				tostring(field.names),
			}, "|")
			local first = same[key]
			if first then
				field.shown, field.bits, field.unknown = first.shown, first.bits, first.unknown
			else
				same[key] = field
				field.shown = register(describe(field))
				if field.names and vhu.names[field.names].bits then
					register_bits(field)
				end
			end
		end
	end
	proto.fields = registered
end
