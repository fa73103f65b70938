-- SPDX-License-Identifier: GPL-2.0-or-later
-- Which message a record is, and how its payload lies: as lib/session/identify.c and
-- lib/protocol/layout.c find it.
do
	local read, value_of, layouts = vhu.read, vhu.value_of, vhu.layout

	-- The rows of a message by channel and number, those of all dialects first.
	local rows_of, row_named = {}, {}
	for channel in pairs(vhu.channels) do
		rows_of[channel] = {}
	end
	for _, row in ipairs(vhu.messages) do
		local rows = rows_of[row.channel][row.request] or {}
		rows_of[row.channel][row.request] = rows
		rows[#rows + 1] = row
		row_named[row.name] = row
	end
	for _, rows in pairs(rows_of) do
		for _, same in pairs(rows) do
			table.sort(same, function(one, other)
				return one.dialect < other.dialect
			end)
		end
	end
	vhu.message = row_named

	-- Return the number of a bit by its name, for features whose name means one bit.
	local function bit_of(set, wanted)
		for _, name in ipairs(vhu.names[set]) do
			if name.name == wanted then
				return name.value
			end
		end
	end
	vhu.bit_of = bit_of

	-- Return a dialect by its name.
	local function dialect_of(wanted)
		for dialect, name in pairs(vhu.dialects) do
			if name == wanted then
				return dialect
			end
		end
	end

	local UPSTREAM, PROBE, DAX = dialect_of("upstream"), dialect_of("probe"), dialect_of("dax")
	local XEN_MMAP = bit_of("protocol_features", "XEN_MMAP")
	local LOG_SHMFD = bit_of("protocol_features", "LOG_SHMFD")
	local RING_PACKED = bit_of("virtio_features", "RING_PACKED")
	local AKCIPHER = 4 -- VIRTIO_CRYPTO_SERVICE_AKCIPHER
	vhu.UPSTREAM, vhu.PROBE = UPSTREAM, PROBE

	-- Return the rows of a message: the one of `dialect`, or all where that is 0.
	local function find(channel, request, dialect)
		local rows = rows_of[channel][request]
		if not rows or dialect == 0 or #rows == 1 and rows[1].dialect == 0 then
			return rows or {}
		end
		local base, found = vhu.dialect_base[dialect], {}
		-- A dialect that builds upon another has its rows, but for those of its own.
		for _, row in ipairs(rows) do
			if base ~= dialect and row.dialect == dialect then
				return { row }
			end
		end
		for _, row in ipairs(rows) do
			if row.dialect == 0 or row.dialect == base then
				found[#found + 1] = row
			end
		end
		return found
	end
	vhu.find_message = find

	-- Take a message apart into header and payload; nothing where the header is not whole.
	local function take_apart(note, record)
		local bytes, at, size = record.bytes, record.message_at, record.message_size
		local big = record.big_endian or false
		-- Requests go one way on each channel, so the direction tells, whatever the flag says.
		note.reply = record.back == (record.channel == 0)
		if size < 12 then
			note.reply = false
			return
		end
		local _
		_, note.request = read(bytes, at, 4, big)
		_, note.flags = read(bytes, at + 4, 4, big)
		_, note.size = read(bytes, at + 8, 4, big)
		note.has_header = true
		local sent = record.message_sent > size and record.message_sent or size
		note.payload = {
			bytes = bytes,
			from = at + 12,
			captured = size - 12,
			size = sent - 12,
			big_endian = big,
		}
	end
	vhu.take_apart = take_apart

	local function shapes_have_size(id, size)
		for _, shape in ipairs(vhu.shapes[id]) do
			local layout = layouts[shape.layout]
			local last = layout.repeats
			if last and last.size > 0 then
				if size > layout.size and (size - layout.size) % last.size == 0 then
					return true
				end
			elseif layout.size == size then
				return true
			end
		end
		return false
	end

	-- Return whether a message's sizes, -1 not known, are those of a row.
	local function row_has_sizes(row, request, reply)
		if request >= 0 and not shapes_have_size(row.shapes[false], request) then
			return false
		elseif reply >= 0 and not shapes_have_size(row.shapes[true], reply) then
			return false
		end
		return request < 0 or reply < 0 or row.shapes[false] ~= row.shapes[true] or request == reply
	end

	-- Find out which message an id is. Returns how many rows agree.
	local function identify(note, channel, sure, except, request, reply)
		local dialect = note.context.dialect
		local rows = find(channel, note.request, sure and dialect or 0)
		note.message, note.or_message = rows[1], nil
		if #rows < 2 then
			return #rows
		end
		local agree = {}
		for _, row in ipairs(rows) do
			local told = row_has_sizes(row, request, reply) and not (except ~= 0 and row.dialect == except)
			if told then
				agree[#agree + 1] = row
			end
		end
		-- That dialect is the rarest, and shows in requests of a size that no other has.
		if #agree > 1 and agree[#agree].dialect == DAX and dialect ~= DAX then
			agree[#agree] = nil
		end
		-- A reply of no known size keeps its request's name.
		if #agree == 0 and reply >= 0 then
			identify(note, channel, sure, except, request < 0 and 0 or request, -1)
			return 0
		elseif #agree == 0 then
			return 0
		end
		for _, row in ipairs(agree) do
			if row.dialect == dialect then
				note.message = row
				return #agree
			end
		end
		note.message = agree[#agree > 2 and #agree - 1 or 1]
		note.or_message = #agree > 1 and agree[#agree] or nil
		return #agree
	end
	vhu.identify = identify

	-- Return whether a payload of unknown memory layout can only be one with Xen's longer regions.
	local function looks_xen(payload, layout)
		local last = layout[#layout]
		if last.kind ~= "array" then
			return payload.size == layout.size
		end
		local counter = layout[last.counted_by]
		local _, count = value_of(payload, counter, counter.offset)
		return count and count > 0 and payload.size == last.offset + count * last.size
	end

	-- Return whether protocol feature `bit` is negotiated; what `guess` gives where that is not known.
	local function negotiated(context, bit, guess, payload, layout)
		if context.has_protocol_features then
			return vhu.bit(0, context.protocol_low, bit)
		end
		return guess(payload, layout)
	end

	local shape_fits = {
		always = function()
			return true
		end,
		size = function(payload, layout)
			return payload.size == layout.size
		end,
		xen = function(payload, layout, context)
			return negotiated(context, XEN_MMAP, looks_xen, payload, layout)
		end,
		packed = function(_, _, context)
			return context.has_features and vhu.bit(context.features_high, 0, RING_PACKED)
		end,
		postcopy = function(payload, layout, context)
			return context.postcopy and payload.size == layout.size
		end,
		log_shmfd = function(payload, layout, context)
			return negotiated(context, LOG_SHMFD, function()
				return payload.size >= layout.size
			end)
		end,
		asym = function(payload, layout)
			local high, low = value_of(payload, layout[1], 0)
			return high == 0 and math.floor(low / 256) == AKCIPHER
		end,
	}

	-- Return whether a payload fills a layout whose size its contents tell.
	local function fills(note, layout)
		local last, whole = layout.repeats, true
		vhu.walk(note.payload, layout, note.context.device, function(what, _, at, size)
			if what == "missing" then
				whole = false
			elseif what == "left_over" and whole then
				whole = last.kind == "array"
					and size % last.size == 0
					and (layout.id == "shmem_config" or not vhu.is_set(note.payload, at, size))
			end
		end)
		return whole
	end

	-- Return whether a payload has a size that a layout allows.
	local function fits(note, layout)
		if layout.repeats then
			return fills(note, layout)
		end
		return note.payload.size == layout.size
	end

	-- Choose the layout of a note's message: the one that goes with what was negotiated, unless the size
	-- is that of another.
	local function choose(note)
		local shapes = vhu.shapes[note.message.shapes[note.reply]]
		if #shapes == 1 then
			return layouts[shapes[1].layout]
		end
		local layout
		for _, shape in ipairs(shapes) do
			layout = layouts[shape.layout]
			if shape_fits[shape.when](note.payload, layout, note.context) then
				break
			end
		end
		if fits(note, layout) then
			return layout
		end
		for i = #shapes, 1, -1 do
			local other = layouts[shapes[i].layout]
			if shapes[i].when ~= "postcopy" and fits(note, other) then
				return other
			end
		end
		return layout
	end

	-- Return whether a reply is the number of an error in place of what would be longer.
	local function is_refusal(note)
		if not note.reply or note.payload.size ~= 8 or note.layout.size <= 8 then
			return false
		end
		local high, low = value_of(note.payload, layouts.refusal[1], 0)
		return high == 0 and low ~= 0
	end

	-- Choose the layout of a message that was identified, and find the vring it is about.
	local function lay_out(note)
		if not note.message or note.or_message and note.payload.size > 0 then
			return
		end
		note.layout = choose(note)
		if is_refusal(note) then
			note.layout = layouts.refusal
		end
		local first = note.layout[1]
		if first and first.path == "vring.index" then
			local _, index = value_of(note.payload, first, 0)
			note.vring = index and (index < 2147483647 and index or 2147483647)
		end
	end
	vhu.lay_out = lay_out

	-- Return whether a message is SET_DEVICE_STATE_FD or its reply though the session speaks PROBE.
	local function is_device_state(note, record, request)
		return note.context.dialect == PROBE
			and record.channel == 0
			and note.request == row_named.SET_DEVICE_STATE_FD.request
			and request == layouts.device_state.size
			and (note.reply or #record.fds > 0)
	end
	vhu.is_device_state = is_device_state

	-- Say again what a message is, with the context that its session had or, later, revealed.
	function vhu.again(record, context)
		local note = { context = context }
		if record.type ~= 0 then
			return note
		end
		take_apart(note, record)
		if not note.has_header then
			return note
		end
		local size = note.payload.size
		local request, reply = note.reply and -1 or size, note.reply and size or -1
		identify(note, record.channel, context.dialect ~= 0, 0, request, reply)
		if is_device_state(note, record, request) then
			note.message = row_named.SET_DEVICE_STATE_FD
		end
		lay_out(note)
		return note
	end
end
