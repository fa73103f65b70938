-- SPDX-License-Identifier: GPL-2.0-or-later
-- A walk over a payload: its fields one by one, as its layout has them, never past its end. The same
-- walk as lib/protocol/walk.c.
do
	local byte, floor = string.byte, math.floor
	local read, part = vhu.read, vhu.part

	local layouts = {}
	for _, layout in ipairs(vhu.layouts) do
		layouts[layout.id] = layout
	end
	vhu.layout = layouts

	local is_integer = { uint = true, int = true, le = true }

	-- What is fixed about a layout, for those who read many payloads: whether its fields lie where
	-- they lie in every payload, and which of them the one-line text has.
	for _, layout in ipairs(vhu.layouts) do
		layout.flat, layout.brief = true, {}
		for _, field in ipairs(layout) do
			field.integer = is_integer[field.kind] or false
			if field.size == 0 or field.kind == "struct" or field.kind == "array" then
				layout.flat = false
			end
			if field.brief then
				layout.brief[#layout.brief + 1] = field
			end
		end
		local last = layout[#layout]
		local repeats = last and last.offset >= layout.size and (last.kind == "array" or last.size == 0)
		layout.repeats = repeats and last or nil
		-- Where an array that nothing counts ends: where the next field begins or the layout ends; nil:
		-- where its structure ends.
		for i, field in ipairs(layout) do
			local stop = layout[i + 1] and layout[i + 1].offset or layout.size
			field.array_end = stop > field.offset and stop or nil
		end
	end

	-- Return the value of an integer field at place `at` of the payload, as two halves; nil where the
	-- payload does not hold it.
	local function value_of(payload, field, at)
		if not field.integer or at + field.size > payload.captured then
			return nil
		end
		local high, low =
			read(payload.bytes, payload.from + at, field.size, field.kind ~= "le" and payload.big_endian)
		if field.width then
			return part(high, low, field.shift, field.width)
		end
		return high, low
	end
	vhu.value_of = value_of

	-- Return whether any byte of a part of the payload is not 0.
	local function is_set(payload, at, size)
		for i = payload.from + at, payload.from + at + size - 1 do
			if byte(payload.bytes, i) ~= 0 then
				return true
			end
		end
		return false
	end
	vhu.is_set = is_set

	-- Return how many the field that counts `field` says there are; without one, what there is room for,
	-- in units of `unit` bytes from `at` on.
	local function count_of(payload, layout, base, field, at, unit, stop)
		if not field.counted_by then
			stop = field.array_end and base + field.array_end or stop
			return at < stop and floor((stop - at) / unit) or 0
		end
		local counter = layout[field.counted_by]
		local _, count = value_of(payload, counter, base + counter.offset)
		return count or 0
	end

	-- Walk over a payload. Calls visit(what, field, at, size, element, layout) for each step:
	--   "value"             a field that lies at `at` from the payload's beginning
	--   "open", "close"     a structure; element: which one of an array it is, or nil
	--   "cut"               bytes that were sent and not captured
	--   "missing"           bytes that the layout wants and that were not sent, from `field` on
	--   "left_over"         bytes that no field covers
	function vhu.walk(payload, outermost, device, visit)
		local captured, size = payload.captured, payload.size
		local seen, stopped = 0, false
		local structure

		local function lack(field, at, last)
			stopped = true
			if last > size and last < outermost.size then
				last = outermost.size
			end
			if last > size then
				visit("missing", field, at, last - size)
			else
				seen = size
				visit("cut", field, captured, size - captured)
			end
		end

		local function enter(layout, field, element, base, from, stop)
			visit("open", field, from, stop - from, element, layout)
			structure(layout, field, base, from, stop)
			visit("close", field, from, stop - from, element, layout)
		end

		local function tell(field, at, length)
			seen = at + length > seen and at + length or seen
			visit("value", field, at, length)
		end

		local function array(layout, base, field, at, stop)
			local count = count_of(payload, layout, base, field, at, field.size, stop)
			local i = 0
			while i < count and not stopped do
				local element = at + i * field.size
				if element + field.size > size then
					lack(field, element, at + count * field.size)
				elseif element >= captured then
					lack(field, element, element + field.size)
				else
					enter(layouts[field.layout], field, i, element, element, element + field.size)
				end
				i = i + 1
			end
		end

		-- First the bytes of a window on the configuration space, then, where the device is known,
		-- its fields.
		local function window(layout, base, field, at, stop)
			local count = count_of(payload, layout, base, field, at, 1, stop)
			local config = layouts[vhu.config_of[device]]
			if count == 0 then
				return
			end
			if at + count > captured then
				return lack(field, at, at + count)
			end
			tell(field, at, count)
			local _, offset = value_of(payload, layout[1], base + layout[1].offset)
			if config and offset and offset < config.size then
				enter(config, field, nil, at - offset, at, at + count)
			end
		end

		function structure(layout, as, base, from, stop)
			local partly = as and as.kind == "config"
			for i = 1, #layout do
				local field = layout[i]
				local at, length = base + field.offset, field.size
				if partly and (at < from or at + length > stop) then
					-- Outside of the window.
					length = 0
				elseif field.kind == "array" then
					array(layout, base, field, at, stop)
				elseif field.kind == "config" then
					window(layout, base, field, at, stop)
				else
					if length == 0 then
						length = count_of(payload, layout, base, field, at, 1, stop)
					end
					if length > 0 and (at + length > stop or at + length > captured) then
						lack(field, at, at + length)
					elseif field.kind == "struct" then
						enter(layouts[field.layout], field, nil, at, at, at + length)
					elseif length > 0 then
						tell(field, at, length)
					end
				end
				if stopped then
					return
				end
			end
		end

		structure(outermost, nil, 0, 0, size)
		if seen < size then
			local last = seen < captured and captured or seen
			if last > seen then
				visit("left_over", nil, seen, last - seen)
			end
		end
	end
end
