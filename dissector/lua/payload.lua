-- SPDX-License-Identifier: GPL-2.0-or-later
-- A message's payload as a tree.
do
	local value_of = vhu.value_of

	-- Add a field that lies at `from` of the packet, counted from 0, with its bytes' order.
	local function add_field(tree, field, tvb, from, size, little)
		if little then
			return tree:add_le(field, tvb(from, size))
		end
		return tree:add(field, tvb(from, size))
	end

	-- Return whether a bit's name holds in a context.
	local function holds(name, context)
		local dialect = context.dialect ~= 0 and vhu.dialect_base[context.dialect] or vhu.UPSTREAM
		return (name.device == 0 or name.device == context.device)
			and (name.dialect == 0 or name.dialect == dialect)
	end

	-- Add the bits of a set of bits: those with a name, and those that are set. Without a displayed
	-- tree, only bits that a filter or column asks for.
	local function add_bits(tree, field, tvb, from, payload, at, context)
		local high, low = value_of(payload, field, at)
		local little = not payload.big_endian or field.kind == "le"
		local add = little and tree.add_le or tree.add
		local range, other = tvb(from, field.size < 4 and field.size or 4), nil
		if field.size == 8 then
			other = tvb(from + 4, 4)
		end
		local visible = tree.visible
		local known, of_devices = {}, {}
		for _, bit in ipairs(field.bits) do
			local name = bit.name
			if name.device ~= 0 then
				of_devices[name.value] = true
			end
			if holds(name, context) then
				known[name.value] = true
				if visible or tree:referenced(bit.field) then
					add(tree, bit.field, field.size == 8 and (bit.half == 1) == little and other or range)
				end
			end
		end
		for _, number in ipairs(vhu.bits(high, low)) do
			if not known[number] then
				local why = context.device == 0 and of_devices[number] and "its meaning depends on the device"
					or "unknown"
				tree:add(field.unknown, tvb(from, field.size), number)
					:set_text(string.format("bit %d (%s)", number, why))
			end
		end
	end

	-- Add a part of an integer of 64 bits: a bit in the half that it is in, others by their value.
	local function add_part(tree, field, tvb, from, payload, at, little)
		if field.show == "bool" then
			local second = not little
			return add_field(tree, field.shown, tvb, second and from + 4 or from, 4, little)
		end
		local high, low = value_of(payload, field, at)
		return tree:add(field.shown, tvb(from, field.size), UInt64(low, high))
	end

	-- Add a field's value. Returns its item.
	local function add_value(tree, field, tvb, from, size, payload, at, context)
		local little = field.integer and (not payload.big_endian or field.kind == "le")
		if field.kind == "text" then
			local first = payload.from + at
			local nul = payload.bytes:find("\0", first, true) or first + size
			if nul == first then
				return tree:add(field.shown, tvb(from, size), "")
			end
			size = nul - first < size and nul - first or size
			return (tree:add_packet_field(field.shown, tvb(from, size), ENC_UTF_8))
		elseif field.width and field.size == 8 then
			return add_part(tree, field, tvb, from, payload, at, little)
		end
		local item = add_field(tree, field.shown, tvb, from, size, little)
		if field.show == "secret" then
			item:append_text(string.format(": %s bytes, not shown", vhu.decimal(0, size)))
		elseif field.bits then
			local high, low = value_of(payload, field, at)
			local text = item.visible and vhu.bits_text(field.names, high, low, context) or ""
			if text ~= "" then
				item:append_text(" (" .. text:sub(1, 127) .. (#text > 127 and "..." or "") .. ")")
			end
			add_bits(item, field, tvb, from, payload, at, context)
		end
		return item
	end

	-- Add a payload, which begins at `at` of the packet, to a tree.
	function vhu.add_payload(tree, tvb, at, note)
		local payload, layout, context = note.payload, note.layout, note.context
		if payload.size == 0 and (not layout or layout.size == 0) then
			return
		end
		local item = tree:add(vhu.field.payload, tvb(at, payload.captured))
		if not layout then
			return
		end
		item:set_text("Payload: " .. layout.title)
		-- Structures that are open: the item of each, and how many values its line tells.
		local open, told, last = { item }, {}, nil
		vhu.walk(payload, layout, context.device, function(what, field, offset, size, element, of)
			local depth = #open
			local from = at + offset
			if what == "value" then
				last = add_value(open[depth], field, tvb, from, size, payload, offset, context)
				if depth > 1 and field.brief and item.visible then
					open[depth]:append_text(string.format(
						"%s%s %s",
						told[depth] and ", " or ": ",
						field.brief,
						vhu.value_text(payload, field, offset, size, context):sub(1, 63)
					))
					told[depth] = true
				end
			elseif what == "open" then
				-- The fields of a configuration space go below its bytes, added before them.
				if field.kind ~= "config" then
					local held = payload.captured - offset
					last = open[depth]:add(field.shown, tvb(from, size < held and size or held))
				end
				if element then
					last:append_text(string.format(" %d", element))
				end
				open[depth + 1], told[depth + 1] = last, false
			elseif what == "close" then
				open[depth] = nil
			elseif what == "missing" then
				item:add_proto_expert_info(
					vhu.expert.missing,
					string.format("%s bytes are missing from %s on", vhu.decimal(0, size), field.label)
				)
			elseif what == "left_over" then
				open[depth]
					:add(vhu.field.left_over, tvb(from, size))
					:add_proto_expert_info(
						vhu.expert.left_over,
						string.format("%s bytes more than the message has", vhu.decimal(0, size))
					)
			end
		end)
	end
end
