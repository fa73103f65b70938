-- SPDX-License-Identifier: GPL-2.0-or-later
-- The guess of a virtio device from the features that it offers and the size of its configuration
-- space: as lib/session/device.c guesses.
do
	local CLEAR, CONFIG_FITS, CONFIG_IS_WHOLE = 3, 2, 4
	local DEVICES = 128

	-- Names by device and bit; those of device 0 are common to all.
	local named = {}
	for _, name in ipairs(vhu.names.virtio_features) do
		if name.value < 64 then
			named[name.device] = named[name.device] or {}
			named[name.device][name.value] = true
		end
	end

	-- Return how many of a list of features are a device's own; nil where one has no name.
	local function features_fit(device, features)
		local own, fit = 0, 0
		for _, bit in ipairs(features) do
			if bit < 24 or bit >= 50 then
				local of_device = named[device] and named[device][bit]
				if not of_device and not named[0][bit] then
					return nil
				end
				own = own + 1
				fit = fit + (of_device and 1 or 0)
			end
		end
		-- That none is offered of the many it could speaks against a device.
		if #features > 0 and own == 0 and named[device] then
			return -1
		end
		return fit
	end

	-- Return how well a configuration space of `size` bytes fits a device's; nil: not at all.
	local function config_fits(device, size)
		local layout = vhu.layout[vhu.config_of[device]]
		if size == 0 then
			return 0
		elseif not layout then
			return nil
		elseif size == layout.size then
			return CONFIG_IS_WHOLE
		end
		for _, field in ipairs(layout) do
			if field.offset + field.size == size then
				return CONFIG_FITS
			end
		end
		return nil
	end

	-- Return the device that offers these features, 0 where that is not clear.
	function vhu.guess_device(high, low, config_size)
		local features, best, best_device, tie = vhu.bits(high, low), 0, 0, false
		for _, name in ipairs(vhu.names.virtio_device) do
			local by_features = name.value < DEVICES and features_fit(name.value, features)
			local by_config = by_features and config_fits(name.value, config_size)
			if by_config then
				local score = by_features + by_config
				tie = score == best or tie and score < best
				if score > best then
					best, best_device = score, name.value
				end
			end
		end
		return best >= CLEAR and not tie and best_device or 0
	end

	-- Return whether features are all a device's, some of them its own.
	function vhu.device_has_features(device, high, low)
		local fit = features_fit(device, vhu.bits(high, low))
		return fit and fit > 0
	end
end
