-- SPDX-License-Identifier: GPL-2.0-or-later
-- Integers of up to 64 bits, as halves of 32 bits: read from a string, and written as text.
do
	local byte, floor, format = string.byte, math.floor, string.format

	-- Powers of two, as integers where Lua has integers.
	local power = { [0] = 1 }
	for i = 1, 52 do
		power[i] = power[i - 1] * 2
	end
	vhu.power = power

	-- Return whether bit `bit`, as a number, is set in `value`.
	function vhu.has(value, bit)
		return floor(value / bit) % 2 == 1
	end

	-- Read an unsigned integer of `size` bytes at place `at` of string `s`, which has them all. Returns
	-- its high and its low half.
	function vhu.read(s, at, size, big_endian)
		if size == 8 then
			local a, b, c, d, e, f, g, h = byte(s, at, at + 7)
			if big_endian then
				a, b, c, d, e, f, g, h = h, g, f, e, d, c, b, a
			end
			return e + f * 256 + g * 65536 + h * 16777216, a + b * 256 + c * 65536 + d * 16777216
		elseif size == 4 then
			local a, b, c, d = byte(s, at, at + 3)
			if big_endian then
				a, b, c, d = d, c, b, a
			end
			return 0, a + b * 256 + c * 65536 + d * 16777216
		elseif size == 2 then
			local a, b = byte(s, at, at + 1)
			if big_endian then
				a, b = b, a
			end
			return 0, a + b * 256
		end
		return 0, byte(s, at)
	end

	-- Shift a number right by up to 31 bits.
	local function right(high, low, shift)
		local p = power[shift]
		return floor(high / p), floor(low / p) + high % p * power[32 - shift]
	end
	vhu.right = right

	-- Return the `width` bits of a number from bit `shift` on.
	function vhu.part(high, low, shift, width)
		high, low = right(high, low, shift)
		if width <= 32 then
			return 0, low % power[width]
		end
		return high % power[width - 32], low
	end

	-- Return whether bit `number` is set.
	function vhu.bit(high, low, number)
		if number < 32 then
			return floor(low / power[number]) % 2 == 1
		end
		return floor(high / power[number - 32]) % 2 == 1
	end

	-- Return the bits of a number that are set in another, or, if `except`, those that are not.
	function vhu.masked(high, low, mask_high, mask_low, except)
		local h, l = 0, 0
		for i = 0, 31 do
			local p = power[i]
			if floor(high / p) % 2 == 1 and (floor(mask_high / p) % 2 == 1) ~= except then
				h = h + p
			end
			if floor(low / p) % 2 == 1 and (floor(mask_low / p) % 2 == 1) ~= except then
				l = l + p
			end
		end
		return h, l
	end

	-- Return the numbers of the bits that are set, in order.
	function vhu.bits(high, low)
		local bits = {}
		for i = 0, 31 do
			if low % 2 == 1 then
				bits[#bits + 1] = i
			end
			low = floor(low / 2)
		end
		for i = 32, 63 do
			if high % 2 == 1 then
				bits[#bits + 1] = i
			end
			high = floor(high / 2)
		end
		return bits
	end

	-- Return a number in decimal. %d takes 31 bits everywhere, doubles have 53.
	local function decimal(high, low)
		if high == 0 and low < 2147483648 then
			return format("%d", low)
		elseif high < 2097152 then
			return format("%.0f", high * 4294967296 + low)
		end
		return tostring(UInt64(low, high))
	end
	vhu.decimal = decimal

	-- Return a number in hexadecimal, behind 0x.
	function vhu.hexadecimal(high, low)
		if high == 0 then
			return format("0x%x", low)
		end
		return format("0x%x%08x", high, low)
	end

	-- Return a number of two's complement in decimal.
	function vhu.signed(high, low)
		if high < 2147483648 then
			return decimal(high, low)
		end
		return tostring(Int64(low, high))
	end

	-- Return a number divided by a divisor below 2^21, in decimal.
	function vhu.divided(high, low, divisor)
		if high < 2097152 then
			return format("%.0f", floor((high * 4294967296 + low) / divisor))
		end
		return tostring(UInt64(low, high) / UInt64(divisor, 0))
	end
end
