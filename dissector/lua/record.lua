-- SPDX-License-Identifier: GPL-2.0-or-later
-- The record that a packet holds, read from its bytes, which come from somebody else. See
-- docs/capture-format.md. Places are counted from 1, as Lua counts them.
do
	local byte, find, sub = string.byte, string.find, string.sub
	local marks, has = vhu.marks, vhu.has

	-- Bytes not yet read: those of `source` from `at` up to `stop`, which is not among them. One read past
	-- the end and all later ones give zeros; `over` is set then.
	local source, at, stop, over

	local function take(size)
		local from = at
		if size > stop - at then
			at, over = stop, true
			return nil
		end
		at = at + size
		return from
	end

	local function take_8()
		local from = at
		if from >= stop then
			over = true
			return 0
		end
		at = from + 1
		return (byte(source, from))
	end

	local function take_16()
		local from = take(2)
		if not from then
			return 0
		end
		local a, b = byte(source, from, from + 1)
		return a * 256 + b
	end

	local function take_32()
		local from = take(4)
		if not from then
			return 0
		end
		local a, b, c, d = byte(source, from, from + 3)
		return a * 16777216 + b * 65536 + c * 256 + d
	end

	-- Take an integer of 64 bits as a pair of halves.
	local function take_64()
		return { take_32(), take_32() }
	end

	-- Take a text with its NUL. Returns it and where it begins; "" if its NUL is missing.
	local function take_text()
		local from = at
		local nul = from < stop and find(source, "\0", from, true)
		if not nul or nul >= stop then
			at, over = stop, true
			return "", from
		end
		at = nul + 1
		return sub(source, from, nul - 1), from
	end

	local function get_vring(record)
		local event = { act = take_8() }
		if not vhu.vring_acts[event.act] then
			event.act = #vhu.vring_acts + 1
		end
		take_8()
		event.has = take_16()
		event.vring = take_32()
		event.eventfd = take_32()
		event.pid = take_32()
		event.tid = take_32()
		event.cpu = take_32()
		event.kick_to_wake = take_64()
		event.wake_to_call = take_64()
		event.kick_to_call = take_64()
		event.comm, event.comm_at = take_text()
		if has(event.has, 8) then
			event.signals = take_64()
			event.fate = take_8()
			if not vhu.vring_fates[event.fate] then
				event.fate = #vhu.vring_fates + 1
			end
		end
		record.vring = event
	end

	local function get_fd(record)
		local fd = { kind = take_8() }
		take_8()
		local set = take_16()
		if not vhu.fd_kinds[fd.kind] then
			fd.kind = 0
		end
		fd.set = set
		fd.flags_at = at
		fd.flags = take_32()
		if has(set, 1) then
			fd.inode, fd.device = take_64(), take_64()
		end
		if has(set, 2) then
			fd.size = take_64()
		end
		if has(set, 4) then
			fd.seals_at = at
			fd.seals = take_32()
		end
		if has(set, 8) then
			fd.page_size = take_64()
		end
		if has(set, 16) then
			fd.eventfd_id = take_32()
		end
		if has(set, 32) then
			fd.eventfd_count = take_64()
		end
		if has(set, 64) then
			fd.semaphore = take_8() ~= 0
		end
		fd.name = ""
		if has(set, 128) then
			fd.name, fd.name_at = take_text()
		end
		record.fds[#record.fds + 1] = fd
	end

	local function get_peer()
		local peer = { known = take_32() % 2 == 1 }
		peer.pid = take_32()
		peer.uid = take_32()
		peer.gid = take_32()
		peer.comm, peer.comm_at = take_text()
		peer.path, peer.path_at = take_text()
		return peer
	end

	local function get_segments(record)
		local segments, most = {}, vhu.segments_max
		while at < stop and not over do
			local size = take_32()
			if #segments < most then
				segments[#segments + 1] = size
			else
				segments[most] = (segments[most] + size) % 4294967296
			end
		end
		record.segments = segments
	end

	-- Return the record's snapshot, which is empty at first.
	local function snapshot_of(record)
		record.snapshot = record.snapshot
			or { set = 0, vring = 0, verdict = "", alternatives = "", title = "", text = "", requests = {} }
		return record.snapshot
	end

	local function get_eventfd()
		return { id = take_32(), count = take_64() }
	end

	local function get_process()
		return { pid = take_32(), state = take_8(), unread = take_64() }
	end

	local function get_numbers(record)
		local snapshot = snapshot_of(record)
		snapshot.reason = take_8()
		if not vhu.snapshot_reasons[snapshot.reason] then
			snapshot.reason = #vhu.snapshot_reasons + 1
		end
		snapshot.packed = take_8() ~= 0
		snapshot.set = take_16()
		snapshot.vring = take_32()
		snapshot.error = take_32()
		snapshot.size = take_32()
		snapshot.available, snapshot.used = take_16(), take_16()
		snapshot.waiting = take_32()
		snapshot.driver_flags, snapshot.driver_event = take_16(), take_16()
		snapshot.device_flags, snapshot.device_event = take_16(), take_16()
		snapshot.in_flight = take_32()
		snapshot.kick, snapshot.call = get_eventfd(), get_eventfd()
		snapshot.front_end, snapshot.back_end = get_process(), get_process()
		snapshot.pending_request, snapshot.pending_from = take_32(), take_8()
		snapshot.pending_age, snapshot.age = take_64(), take_64()
	end

	local function get_verdict(record)
		local snapshot = snapshot_of(record)
		snapshot.hangs = take_8() ~= 0
		snapshot.verdict, snapshot.verdict_at = take_text()
		snapshot.alternatives, snapshot.alternatives_at = take_text()
		snapshot.title, snapshot.title_at = take_text()
		snapshot.text, snapshot.text_at = take_text()
	end

	local function get_request(record)
		local request = { head = take_16(), id = take_16(), taken = take_8() % 2 == 1 }
		local listed = take_8()
		request.descriptors = take_32()
		take_32()
		request.readable, request.writable = take_64(), take_64()
		request.buffers = {}
		for i = 1, listed do
			local buffer = { address = take_64(), size = take_32(), flags = take_16() }
			local bits = take_8()
			buffer.indirect, buffer.mapped = has(bits, 1), not has(bits, 2)
			if i <= vhu.buffers_max then
				request.buffers[i] = buffer
			end
		end
		request.header, request.header_at = take_text()
		request.fault, request.fault_at = take_text()
		local requests = snapshot_of(record).requests
		requests[#requests + 1] = request
	end

	-- What reads the value of a TLV, by its type; others are passed over.
	local get = {
		[1] = get_fd,
		[2] = get_segments,
		[3] = function(record)
			record.front_end = get_peer()
		end,
		[4] = function(record)
			record.back_end = get_peer()
		end,
		[5] = function(record)
			record.text, record.text_at = take_text()
		end,
		[32] = get_vring,
		[33] = get_numbers,
		[34] = get_verdict,
		[35] = get_request,
	}

	-- Read the TLVs up to `last`. Returns whether all are well formed.
	local function get_tlvs(record, last)
		local from, most = at, vhu.fds_max
		while from < last do
			local a, b, c, d = byte(source, from, from + 3)
			if from + 4 > last then
				return false
			end
			local kind, size = a * 256 + b, c * 256 + d
			from = from + 4
			if from + size > last then
				return false
			end
			local read = get[kind]
			if read then
				if kind == 1 and #record.fds == most then
					return false
				end
				at, stop, over = from, from + size, false
				read(record)
				if over then
					return false
				end
			end
			from = from + size
		end
		return true
	end

	-- Take exported-PDU tags off a packet, where they were left in it. Returns the rest; or nil, and
	-- whether they overrun it.
	local function without_tags(bytes)
		local ours = false
		source, at, stop, over = bytes, 1, #bytes + 1, false
		while true do
			local tag, size = take_16(), take_16()
			local from = take(size)
			if over then
				return nil, true
			elseif tag == 0 then
				if ours then
					return sub(bytes, at)
				end
				return nil, false
			elseif tag == 12 then
				local name = sub(bytes, from, from + size - 1) .. "\0"
				ours = sub(name, 1, 11) == "vhost_user\0"
			end
		end
	end
	vhu.without_tags = without_tags

	-- Read the record in a packet of `sent` bytes; the string `bytes` holds the captured ones.
	-- Returns the record; or nil, and whether the packet was only cut.
	function vhu.decode(bytes, sent)
		local captured = #bytes
		local cut = sent > captured
		local version, kind, channel, back, m1, m2, _, _, _, _, _, _, _, _, _, _, t1, t2, t3, t4 =
			byte(bytes, 1, 20)
		if not t4 then
			return nil, cut and (not version or version == vhu.record_version)
		end
		if version ~= vhu.record_version or not vhu.channels[channel] or back > 1 then
			return nil, false
		end
		local last = 21 + t1 * 16777216 + t2 * 65536 + t3 * 256 + t4
		if last > captured + 1 then
			return nil, cut
		end
		local record = {
			bytes = bytes,
			type = kind,
			channel = channel,
			back = back == 1,
			marks = m1 * 256 + m2,
			session = sub(bytes, 9, 16),
			fds = {},
			text = "",
		}
		source, at = bytes, 21
		if last > 21 and not get_tlvs(record, last) then
			return nil, false
		end
		if kind == 4 and not record.vring then
			record.vring = {
				act = #vhu.vring_acts + 1,
				has = 0,
				vring = 0,
				eventfd = 0,
				pid = 0,
				tid = 0,
				cpu = 0,
				comm = "",
			}
		elseif kind == 6 then
			snapshot_of(record)
		end
		record.message_at = last
		record.message_size = captured + 1 - last
		record.message_sent = sent + 1 - last
		if record.marks ~= 0 then
			for name, mark in pairs(marks) do
				record[name] = has(record.marks, mark)
			end
		end
		return record
	end
end
