-- SPDX-License-Identifier: GPL-2.0-or-later
-- A packet as a tree: the record, the message, its descriptors, events and snapshots.
do
	local field, parts, expert = vhu.field, vhu.parts, vhu.expert
	local printable = vhu.printable
	local format = string.format

	-- Where the tree's fields lie: the packet, and the range of the record's head. Whether somebody looks
	-- at the tree; if not, only those fields are added that somebody asks for, and those that have others
	-- below them.
	local tvb, head, visible

	-- Add a number or a text with others below it. Returns its item.
	local function add_parent(tree, key, value)
		return tree:add(field[key], head, value)
	end

	-- Add a number or a text. Returns its item; nil if no display, filter or column needs it.
	local function add(tree, key, value)
		if visible or tree:referenced(field[key]) then
			return tree:add(field[key], head, value)
		end
	end

	-- Add a number of 64 bits, given as two halves.
	local function add_64(tree, key, number)
		if visible or tree:referenced(field[key]) then
			return tree:add(field[key], head, UInt64(number[2], number[1]))
		end
	end

	-- Add a number of nanoseconds as a time.
	local function add_time(tree, key, ns)
		if visible or tree:referenced(field[key]) then
			local all, second = UInt64(ns[2], ns[1]), UInt64(1000000000, 0)
			local seconds = all / second
			local rest = all - seconds * second
			tree:add(field[key], head, NSTime.new(seconds:tonumber(), rest:tonumber()))
		end
	end

	-- Add a text at place `at` of the packet, counted from 1, unless it is empty.
	local function add_text(tree, key, text, at)
		if text ~= "" and (visible or tree:referenced(field[key])) then
			return (tree:add_packet_field(field[key], tvb(at - 1, #text), ENC_UTF_8))
		end
	end

	-- Add a word's parts, which lie at place `at`; without a displayed tree, only those that a filter or
	-- column asks for.
	local function add_parts(tree, of, at, size, little)
		local range = tvb(at - 1, size)
		local add_part = little and tree.add_le or tree.add
		for _, part in ipairs(of) do
			if visible or tree:referenced(part) then
				add_part(tree, part, range)
			end
		end
	end

	local function generated(item)
		if item then
			item:set_generated()
		end
	end

	local function add_marks(tree, record)
		local item = add_parent(tree, "marks", record.marks)
		add_parts(item, parts.marks, 5, 2)
		if record.redacted then
			item:add_proto_expert_info(expert.redacted, "Key material was replaced by zeros")
		end
		if record.fds_lost then
			item:add_proto_expert_info(expert.fds_lost, "Descriptors were lost on the way (MSG_CTRUNC)")
		end
		if record.partial then
			item:add_proto_expert_info(expert.partial, "The sender closed before the message was whole")
		end
	end

	local function add_peer(tree, side, peer)
		if not peer or not peer.known and peer.path == "" then
			return
		end
		local key = "peer." .. side
		local item = tree:add(field[key], head)
		if peer.known then
			add(item, key .. ".pid", peer.pid)
			add(item, key .. ".uid", peer.uid)
			add(item, key .. ".gid", peer.gid)
			add_text(item, key .. ".comm", peer.comm, peer.comm_at)
		end
		add_text(item, key .. ".path", peer.path, peer.path_at)
	end

	-- Add the record around what it holds.
	local function add_envelope(tree, record, note)
		add(tree, "type", record.type)
		if visible or tree:referenced(field.session) then
			tree:add(field.session, tvb(8, 8))
		end
		generated(add(tree, "stream", note.stream))
		add(tree, "channel", record.channel)
		if record.type == 0 then
			add(tree, "direction", record.back and 1 or 0)
		end
		add_marks(tree, record)
		if record.segments and #record.segments > 0 then
			local item = add_parent(tree, "segments", #record.segments)
			for _, size in ipairs(record.segments) do
				add(item, "segment", size)
			end
		end
		add_peer(tree, "front_end", record.front_end)
		add_peer(tree, "back_end", record.back_end)
		local text = add_text(tree, record.type == 0 and "altered" or "text", record.text, record.text_at) or tree
		if record.altered then
			local why = record.text ~= "" and ": " .. printable(record.text) or ""
			text:add_proto_expert_info(expert.altered, "The proxy changed this message" .. why)
		end
		if record.type == 3 then
			local why = record.text ~= "" and printable(record.text) or "The capture reports an error"
			text:add_proto_expert_info(expert.error, why)
		end
	end

	local function add_name(tree, at, note)
		local range = tvb(at, 4)
		if not note.message then
			local text = format("No message of this channel has the id %s", vhu.decimal(0, note.request))
			tree:add_proto_expert_info(expert.unknown, text)
			return
		end
		local item = tree:add(field.message, range, note.message.name)
		if note.or_message then
			tree:add(field.message, range, note.or_message.name)
			item:add_proto_expert_info(
				expert.ambiguous,
				format("%s or %s: nothing has told yet which", note.message.name, note.or_message.name)
			)
		end
	end

	-- Add what was learnt of the session, and the frame that belongs to this one.
	local function add_learnt(tree, note)
		local context = note.context
		if context.dialect ~= 0 then
			generated(add(tree, "dialect", context.dialect))
		end
		if context.device ~= 0 then
			local item = add(tree, "device", context.device)
			if item then
				local name = vhu.name_of("virtio_device", context.device, context) or "unknown"
				item:set_text(format("Virtio device: %s (%s)", name, vhu.decimal(0, context.device)))
				generated(item)
			end
		end
		generated(add(tree, "reply", note.reply))
		if note.reply_number then
			generated(add(tree, "reply_in", note.reply_number))
		end
		if note.request_number then
			generated(add(tree, "request_in", note.request_number))
		end
		if note.delay then
			local secs = math.floor(note.delay)
			local time = NSTime.new(secs, math.floor((note.delay - secs) * 1000000000 + 0.5))
			generated(add(tree, "response_time", time))
			-- The same once more, for columns, which show times in seconds.
			local us = add(tree, "response_us", UInt64(math.floor(note.delay * 1000000 + 0.0001), 0))
			if us then
				us:set_hidden()
			end
		end
	end

	-- Add features that were to choose from, beside those that were taken.
	local function add_offer(tree, note)
		local first = note.layout and note.layout[1]
		local high, low
		if note.offer and first then
			high, low = vhu.value_of(note.payload, first, 0)
		end
		if not high then
			return
		end
		local offer = note.offer
		local sets = {
			{ "offer", offer[1], offer[2] },
			{ "offer.not_taken", vhu.masked(offer[1], offer[2], high, low, true) },
			{ "offer.not_offered", vhu.masked(high, low, offer[1], offer[2], true) },
		}
		for _, set in ipairs(sets) do
			local item = add_64(tree, set[1], { set[2], set[3] })
			if item then
				local names = vhu.bits_text(first.names, set[2], set[3], note.context)
				item:append_text(" (" .. (names ~= "" and names:sub(1, 511) or "none") .. ")")
				generated(item)
			end
		end
	end

	-- Complain of a size that is not the payload's.
	local function check_size(item, size, sent)
		if size ~= sent then
			item:add_proto_expert_info(
				expert.size,
				format("The header says %s bytes, %s were sent", vhu.decimal(0, size), vhu.decimal(0, sent))
			)
		end
	end

	local function add_header(tree, at, record, note)
		local little = not record.big_endian
		local header = tree:add(field.header, tvb(at, 12))
		local add_word = little and header.add_le or header.add
		if visible or tree:referenced(field.request) then
			add_word(header, field.request, tvb(at, 4))
		end
		add_parts(add_word(header, field.flags, tvb(at + 4, 4)), parts.flags, at + 5, 4, little)
		local sent = record.message_sent - 12
		if visible or note.size ~= sent or tree:referenced(field.size) then
			check_size(add_word(header, field.size, tvb(at + 8, 4)), note.size, sent)
		end
	end

	local function add_message(tree, record, note)
		local at = record.message_at - 1
		if not note.has_header then
			if record.message_sent < 12 then
				local text = format("%d bytes of a header", record.message_sent)
				tree:add_proto_expert_info(expert.header, text)
			end
			return
		end
		add_name(tree, at, note)
		add_learnt(tree, note)
		if note.vring then
			generated(add(tree, "vring", note.vring))
		end
		add_offer(tree, note)
		add_header(tree, at, record, note)
		vhu.add_payload(tree, tvb, at + 12, note)
	end

	local function add_fd(tree, fd)
		add(tree, "fd.kind", fd.kind)
		if fd.eventfd_id then
			add(tree, "fd.eventfd_id", fd.eventfd_id)
		end
		if fd.eventfd_count then
			add_64(tree, "fd.eventfd_count", fd.eventfd_count)
		end
		if fd.semaphore ~= nil then
			add(tree, "fd.semaphore", fd.semaphore)
		end
		for _, key in ipairs({ "inode", "device", "size", "page_size" }) do
			if fd[key] then
				add_64(tree, "fd." .. key, fd[key])
			end
		end
		if fd.seals then
			add_parts(add_parent(tree, "fd.seals", fd.seals), parts.seals, fd.seals_at, 4)
		end
		add_parts(add_parent(tree, "fd.flags", fd.flags), parts.fd_flags, fd.flags_at, 4)
		add_text(tree, "fd.name", fd.name, fd.name_at)
	end

	local function add_fds(tree, record)
		add(tree, "fds", #record.fds)
		for i, fd in ipairs(record.fds) do
			local item = tree:add(field.fd, head)
			if visible then
				item:append_text(format(" %d: %s", i - 1, printable(vhu.fd_text(fd))))
			end
			add(item, "fd.number", i - 1)
			add_fd(item, fd)
		end
	end

	local function add_event(tree, record)
		local event = record.vring
		add(tree, "vring.event", event.act)
		add(tree, "vring", event.vring)
		for _, key in ipairs({ "eventfd", "pid", "tid", "cpu" }) do
			add(tree, "vring." .. key, event[key])
		end
		add_text(tree, "vring.comm", event.comm, event.comm_at)
		for i, key in ipairs({ "kick_to_wake", "wake_to_call", "kick_to_call" }) do
			if vhu.bit(0, event.has, i - 1) then
				add_time(tree, "vring." .. key, event[key])
			end
		end
		if event.fate then
			add_64(tree, "vring.signals", event.signals)
			add(tree, "vring.fate", event.fate)
		end
	end

	local function add_verdict(tree, snapshot)
		local item = tree:add(field["snapshot.verdict"], head)
		add_text(item, "snapshot.verdict.id", snapshot.verdict, snapshot.verdict_at)
		add_text(item, "snapshot.verdict.title", snapshot.title, snapshot.title_at)
		add_text(item, "snapshot.verdict.text", snapshot.text, snapshot.text_at)
		add(item, "snapshot.verdict.hangs", snapshot.hangs or false)
		for from, other in snapshot.alternatives:gmatch("()([^ ]+)") do
			add_text(item, "snapshot.verdict.alternatives", other, snapshot.alternatives_at + from - 1)
		end
		local text = printable(vhu.snapshot_text(snapshot):sub(1, 1023))
		item:append_text(": " .. text)
		if snapshot.hangs then
			item:add_proto_expert_info(expert.hangs, text:sub(1, 255))
		end
	end

	-- Add what was read of the ring.
	local function add_ring(tree, snapshot)
		local wrap = snapshot.packed and 32768 or 65536
		local set = snapshot.set
		if not vhu.has(set, 1) then
			add(tree, "snapshot.error", snapshot.error or 0)
			return
		end
		add(tree, "snapshot.format", snapshot.packed and 1 or 0)
		add(tree, "snapshot.size", snapshot.size)
		for _, key in ipairs({ "available", "used" }) do
			add(tree, "snapshot." .. key, snapshot[key] % wrap)
			if snapshot.packed then
				add(tree, "snapshot." .. key .. "_wrap", snapshot[key] >= wrap)
			end
		end
		add(tree, "snapshot.waiting", snapshot.waiting)
		for _, key in ipairs({ "driver", "device" }) do
			local item = tree:add(field["snapshot." .. key], head)
			add(item, "snapshot." .. key .. ".flags", snapshot[key .. "_flags"])
			if vhu.has(set, 2) then
				add(item, "snapshot." .. key .. ".event", snapshot[key .. "_event"])
			end
		end
		if vhu.has(set, 4) then
			add(tree, "snapshot.in_flight", snapshot.in_flight)
		end
		if vhu.has(set, 256) then
			add_time(tree, "snapshot.age", snapshot.age)
		end
	end

	local function add_request(tree, request)
		local item = tree:add(field["snapshot.request"], head)
		local key = "snapshot.request."
		item:append_text(format(", head %d%s", request.head, request.taken and ", in flight" or ""))
		add(item, key .. "head", request.head)
		add(item, key .. "id", request.id)
		add(item, key .. "taken", request.taken)
		add(item, key .. "descriptors", request.descriptors)
		add_64(item, key .. "readable", request.readable)
		add_64(item, key .. "writable", request.writable)
		add_text(item, key .. "header", request.header, request.header_at)
		add_text(item, key .. "fault", request.fault, request.fault_at)
		for _, buffer in ipairs(request.buffers) do
			local part = item:add(field[key .. "buffer"], head)
			add_64(part, key .. "buffer.address", buffer.address)
			add(part, key .. "buffer.size", buffer.size)
			add(part, key .. "buffer.flags", buffer.flags)
			add(part, key .. "buffer.indirect", buffer.indirect)
			add(part, key .. "buffer.mapped", buffer.mapped)
		end
	end

	-- Add what was seen beside the ring: its eventfds, the processes, a request on the socket.
	local function add_surroundings(tree, snapshot)
		for i, side in ipairs({ "kick", "call" }) do
			if vhu.bit(0, snapshot.set, i + 2) then
				local item, key = tree:add(field["snapshot." .. side], head), "snapshot." .. side
				add(item, key .. ".eventfd_id", snapshot[side].id)
				add_64(item, key .. ".count", snapshot[side].count)
			end
		end
		for i, side in ipairs({ "front_end", "back_end" }) do
			if vhu.bit(0, snapshot.set, i + 4) then
				local item, key = tree:add(field["snapshot." .. side], head), "snapshot." .. side
				local state = snapshot[side].state
				add(item, key .. ".pid", snapshot[side].pid)
				add(item, key .. ".state", state > 32 and state < 127 and string.char(state) or "?")
				add_64(item, key .. ".unread", snapshot[side].unread)
			end
		end
		if vhu.has(snapshot.set, 128) then
			local item = tree:add(field["snapshot.pending"], head)
			add(item, "snapshot.pending.request", snapshot.pending_request)
			add(item, "snapshot.pending.from", snapshot.pending_from ~= 0 and 1 or 0)
			add_time(item, "snapshot.pending.age", snapshot.pending_age)
		end
	end

	local function add_snapshot(tree, record)
		local snapshot = record.snapshot
		add(tree, "snapshot.reason", snapshot.reason or #vhu.snapshot_reasons + 1)
		add(tree, "vring", snapshot.vring)
		add_verdict(tree, snapshot)
		add_ring(tree, snapshot)
		add_surroundings(tree, snapshot)
		for _, request in ipairs(snapshot.requests) do
			add_request(tree, request)
		end
	end

	-- Add everything known about a packet below its line of the tree.
	function vhu.add_tree(tree, packet, record, note)
		tvb, head, visible = packet, packet(0, record.message_at - 1), tree.visible
		add_envelope(tree, record, note)
		if record.type == 0 then
			add_message(tree, record, note)
			add_fds(tree, record)
		elseif record.type == 4 then
			add_event(tree, record)
		elseif record.type == 6 then
			add_snapshot(tree, record)
		end
	end
end
