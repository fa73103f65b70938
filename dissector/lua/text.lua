-- SPDX-License-Identifier: GPL-2.0-or-later
-- Values and payloads as text, in the words of lib/protocol/text.c.
do
	local byte, concat, format = string.byte, table.concat, string.format
	local decimal, hexadecimal, value_of = vhu.decimal, vhu.hexadecimal, vhu.value_of

	local BYTES_SHOWN, CANDIDATES = 64, 3

	-- The names of each set by their value.
	for _, set in pairs(vhu.names) do
		set.of = {}
		for _, name in ipairs(set) do
			local same = set.of[name.value] or {}
			set.of[name.value] = same
			same[#same + 1] = name
		end
	end

	-- Return the name of a value, or of bit `value`; nil where it has none.
	local function name_of(set, value, context)
		local dialect, of_any_dialect = vhu.dialect_base[context.dialect], nil
		for _, name in ipairs(vhu.names[set].of[value] or {}) do
			if name.device == 0 or name.device == context.device then
				if name.dialect == 0 or name.dialect == dialect then
					return name.name
				end
				-- What was merged is likelier than what was proposed.
				if dialect == 0 then
					of_any_dialect = of_any_dialect or name.name
				end
			end
		end
		return of_any_dialect
	end
	vhu.name_of = name_of

	-- Return whether all virtio features of a list have a name for a device.
	local function has_features(device, features)
		for _, bit in ipairs(features) do
			local found = false
			for _, name in ipairs(vhu.names.virtio_features.of[bit] or {}) do
				found = found or name.device == device or name.device == 0
			end
			if not found then
				return false
			end
		end
		return true
	end

	-- Return a bit that has no name; of virtio features, while the device is not known, with the names
	-- that it has for those devices that may be it.
	local function unknown_bit(set, features, bit, context)
		local text = { format("bit %d", bit) }
		if set ~= "virtio_features" or context.device ~= 0 then
			return text[1]
		end
		local found = 0
		for _, name in ipairs(vhu.names[set].of[bit] or {}) do
			if name.device ~= 0 and has_features(name.device, features) then
				if found == CANDIDATES then
					text[#text + 1] = ", ..."
				elseif found < CANDIDATES then
					text[#text + 1] = found > 0 and ", " or " ("
					text[#text + 1] = name_of("virtio_device", name.device, context)
					text[#text + 1] = " " .. name.name
				end
				found = found + 1
			end
		end
		if found > 0 then
			text[#text + 1] = ")"
		end
		return concat(text)
	end

	-- Return the names of the bits that are set.
	local function bits_text(set, high, low, context)
		local features, names = vhu.bits(high, low), {}
		for i, bit in ipairs(features) do
			names[i] = name_of(set, bit, context) or unknown_bit(set, features, bit, context)
		end
		return concat(names, ", ")
	end
	vhu.bits_text = bits_text

	-- Return bytes of a string in hexadecimal, `between` each two, as many as are shown.
	local function bytes_text(s, from, size, between)
		local text = {}
		for i = 0, (size < BYTES_SHOWN and size or BYTES_SHOWN) - 1 do
			text[#text + 1] = format("%02x", byte(s, from + i))
		end
		local shown = concat(text, between)
		return size > BYTES_SHOWN and format("%s... (%s bytes)", shown, decimal(0, size)) or shown
	end

	-- Return a UUID as RFC 9562 writes it.
	local function uuid_text(s, from)
		local hex = bytes_text(s, from, 16, "")
		return hex:gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
	end

	-- Return how many bytes at place `at` of a text are one character of UTF-8; 0: they are none.
	function vhu.character(text, at)
		local a, b, c, d = text:byte(at, at + 3)
		local function follows(x)
			return x and x >= 128 and x < 192
		end
		if a >= 194 and a < 224 then
			return follows(b) and 2 or 0
		elseif a >= 224 and a < 240 then
			return follows(b) and follows(c) and not (a == 224 and b < 160) and not (a == 237 and b > 159) and 3 or 0
		elseif a >= 240 and a < 245 then
			local good = follows(b) and follows(c) and follows(d)
			return good and not (a == 240 and b < 144) and not (a == 244 and b > 143) and 4 or 0
		end
		return 0
	end

	-- Return a text whose bytes that a terminal would act on, that are not UTF-8, or that the pattern
	-- `escaped` matches, are what the function `instead` returns for them.
	function vhu.replaced(text, instead, escaped)
		escaped = escaped or "[\1-\31\127]"
		if not text:find("[\128-\255]") then
			return (text:gsub(escaped, instead))
		end
		local parts, at = {}, 1
		while at <= #text do
			local first, second = text:byte(at, at + 1)
			local size = first < 128 and 1 or vhu.character(text, at)
			local part = text:sub(at, at + math.max(size, 1) - 1)
			-- Control characters of C1 are among them.
			if size == 0 or (first == 194 and second < 160) or (size == 1 and part:find(escaped)) then
				size, part = 1, instead(text:sub(at, at))
			end
			parts[#parts + 1] = part
			at = at + size
		end
		return concat(parts)
	end

	-- Return text of others, up to a NUL: what a terminal would act on, and the bytes that the pattern
	-- `escaped` matches, become \xNN.
	function vhu.foreign(text, escaped)
		local nul = text:find("\0", 1, true)
		return vhu.replaced(nul and text:sub(1, nul - 1) or text, function(c)
			return format("\\x%02x", byte(c))
		end, escaped)
	end

	-- Return an integer in the base that its field is shown in.
	local function number_text(field, high, low)
		if field.kind == "int" then
			return vhu.signed(high, low)
		elseif field.show == "hex" then
			return hexadecimal(high, low)
		elseif field.show == "bool" then
			return (high ~= 0 or low ~= 0) and "yes" or "no"
		end
		return decimal(high, low)
	end

	-- Return a field's value as text, of `size` bytes at place `at` of the payload.
	local function value_text(payload, field, at, size, context)
		local from = payload.from + at
		if field.show == "secret" then
			return format("(key material, %s bytes)", decimal(0, size))
		elseif field.kind == "mac" then
			return bytes_text(payload.bytes, from, size, ":")
		elseif field.kind == "uuid" then
			return (uuid_text(payload.bytes, from))
		elseif field.kind == "text" then
			return '"' .. vhu.foreign(payload.bytes:sub(from, from + size - 1), '[\1-\31\127"\\]') .. '"'
		elseif not field.integer then
			return bytes_text(payload.bytes, from, size, "")
		end
		local high, low = value_of(payload, field, at)
		local number = number_text(field, high, low)
		if not field.names then
			return number
		elseif vhu.names[field.names].bits then
			if high == 0 and low == 0 then
				return number
			end
			return number .. " (" .. bits_text(field.names, high, low, context) .. ")"
		end
		local name = high == 0 and name_of(field.names, low, context)
		return name and name .. " (" .. number .. ")" or number
	end
	vhu.value_text = value_text

	-- Return a field for the one-line text: its value's name if it has one, bits as a number; nil to
	-- leave it out.
	local function brief_text(payload, field, at, size, context)
		local text
		if field.integer then
			local high, low = value_of(payload, field, at)
			if field.show == "bool" then
				return (high ~= 0 or low ~= 0) and field.brief or nil
			end
			if field.names and high == 0 and not vhu.names[field.names].bits then
				text = name_of(field.names, low, context)
			end
			text = text or number_text(field, high, low)
		else
			text = value_text(payload, field, at, size, context):sub(1, 63)
		end
		return field.brief == "" and text or field.brief .. " " .. text
	end

	-- Return a payload in one line, and whether it is too short or too long.
	function vhu.payload_text(payload, layout, context)
		local parts, count, in_list, unfit = {}, 0, false, false
		if layout.flat and payload.size == layout.size and payload.captured == payload.size then
			for _, field in ipairs(layout.brief) do
				local text = brief_text(payload, field, field.offset, field.size, context)
				if text then
					count = count + 1
					parts[count] = text
				end
			end
			return concat(parts, ", "), false
		end
		vhu.walk(payload, layout, context.device, function(what, field, at, size, element)
			-- Elements of an array would make a long line: the text has their count already.
			if element then
				in_list = what == "open"
			end
			if what == "value" and field.brief and not in_list then
				parts[#parts + 1] = brief_text(payload, field, at, size, context)
			elseif what == "missing" or what == "left_over" then
				unfit = true
				if size > 4294967295 then
					size = 4294967295
				end
				parts[#parts + 1] =
					format("%s bytes %s", decimal(0, size), what == "missing" and "missing" or "left over")
			end
		end)
		return concat(parts, ", "), unfit
	end
end
