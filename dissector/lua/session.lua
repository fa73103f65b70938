-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a session tells in its course that the meaning of its messages depends on, and which reply
-- answers which request: as lib/session finds it. Frames are fed in order, once; what was learnt of each
-- is kept by its number.
do
	local value_of, message, bit = vhu.value_of, vhu.message, vhu.bit
	local UPSTREAM, PROBE = vhu.UPSTREAM, vhu.PROBE
	local PENDING_MAX, GUESSES_MAX, VRINGS_MAX = 1024, 16, 256
	local NET, GPU = 1, 16

	local REPLY_ACK = vhu.bit_of("protocol_features", "REPLY_ACK")
	local STATUS = vhu.bit_of("protocol_features", "STATUS")
	local BIT_18 = vhu.bit_of("protocol_features", "PROBE")
	local DEVICE_STATE = vhu.bit_of("protocol_features", "DEVICE_STATE")
	local RARP = vhu.bit_of("protocol_features", "RARP")
	local MTU = vhu.bit_of("protocol_features", "MTU")

	local NOTHING = {
		dialect = 0,
		device = 0,
		features_high = 0,
		features_low = 0,
		protocol_high = 0,
		protocol_low = 0,
	}

	-- Sessions that are open, what is remembered of each, which device a back-end's socket was about.
	local sessions, remembered, sockets
	-- Of each frame: its context, the frame that belongs to it, a reply's delay, an offer.
	local contexts, others, delays, offers
	local streams, stream_count, last_frame
	local forced_dialect, forced_device

	-- Begin with a file.
	function vhu.begin(dialect, device)
		sessions, remembered, sockets = {}, {}, {}
		contexts, others, delays, offers = {}, {}, {}, {}
		streams, stream_count, last_frame = {}, 0, 0
		forced_dialect, forced_device = dialect, device
	end

	-- Return a context with some members changed.
	local function changed(context, changes)
		local copy = {}
		for key, value in pairs(context) do
			copy[key] = value
		end
		for key, value in pairs(changes) do
			copy[key] = value
		end
		return copy
	end

	-- Return an empty queue of pending requests for each channel.
	local function no_requests()
		local pending = {}
		for channel in pairs(vhu.channels) do
			pending[channel] = {}
		end
		return pending
	end

	local function new_session(id)
		local before = remembered[id] or NOTHING
		local context = changed(NOTHING, {
			dialect = forced_dialect ~= 0 and forced_dialect or before.dialect,
			device = forced_device ~= 0 and forced_device or before.device,
		})
		return {
			context = context,
			dialect_is_sure = context.dialect ~= 0,
			pending = no_requests(),
			guesses = 0,
		}
	end

	-- Forget all of a session but its dialect and device: records are missing.
	local function forget(session)
		session.context = changed(NOTHING, {
			dialect = session.context.dialect,
			device = session.context.device,
		})
		session.pending = no_requests()
		session.offered, session.protocol_offered, session.config_size = nil, nil, nil
		session.live, session.last_time, session.device_said = nil, nil, nil
		session.guesses, session.guessed_features, session.guessed_config = 0, nil, nil
	end

	-- Requests that may be answered ------------------------------------------------------------------

	-- Return whether a request may have an answer.
	local function may_be_answered(note)
		local row, context = note.message, note.context
		local asked = bit(0, note.flags, 3)
		if not row then
			return asked
		elseif row.rule == "always" then
			return true
		elseif row.rule == "never" then
			return false
		elseif row.rule == "ack" and context.postcopy then
			-- Answered in postcopy by the addresses that the back-end chose.
			local first = vhu.shapes[row.shapes[false]][1]
			if first.when == "postcopy" and note.layout ~= vhu.layout[first.layout] then
				return true
			end
		end
		return asked or row.rule == "feature" and bit(0, context.protocol_low, row.feature)
	end

	local function find_request(queue, request)
		for i, pending in ipairs(queue) do
			if pending.request == request and not pending.withheld then
				return i
			end
		end
	end

	local function ask(session, record, note, number, time)
		local queue = session.pending[record.channel]
		if #queue == PENDING_MAX then
			table.remove(queue, 1)
		end
		queue[#queue + 1] = {
			number = number,
			time = time,
			request = note.request,
			message = note.message,
			size = note.payload.size,
			altered = record.altered,
		}
	end

	-- Note which request a reply answers, and how long that took.
	local function note_request(note, request, time)
		note.request_number = request.number
		note.delay = time >= request.time and time - request.time or nil
	end

	-- Note that the proxy kept a reply back, so that its request stays unanswered. Returns whether the
	-- reply is missed.
	local function withhold(session, record, note, time)
		local queue = session.pending[record.channel]
		local at = find_request(queue, note.request)
		if not at or queue[at].altered then
			return false
		end
		queue[at].withheld = true
		note_request(note, queue[at], time)
		return true
	end

	-- What messages tell ------------------------------------------------------------------------------

	local function learn_dialect(session, dialect, sure)
		if dialect ~= 0 and not session.dialect_is_sure then
			session.context = changed(session.context, { dialect = dialect })
			session.dialect_is_sure = sure
		end
	end

	-- Learn which device it is. `said`: as the back-end said itself; nil: from what is known now.
	local function learn_device(session, said)
		local offered = session.offered or { 0, 0 }
		local config = session.config_size or 0
		local device = said
		if forced_device ~= 0 then
			return
		end
		if said and said ~= 0 then
			session.device_said = true
		else
			local features = vhu.hexadecimal(offered[1], offered[2])
			if session.device_said or session.guesses == GUESSES_MAX then
				return
			elseif session.guessed_features == features and session.guessed_config == config then
				return
			end
			session.guesses = session.guesses + 1
			session.guessed_features, session.guessed_config = features, config
			device = vhu.guess_device(offered[1], offered[2], config)
		end
		if device ~= 0 then
			session.context = changed(session.context, { device = device })
		end
	end

	-- Learn the device from a message that this one alone has. A guess made before stands.
	local function imply_device(session, device)
		if forced_device == 0 and session.context.device == 0 then
			session.context = changed(session.context, { device = device })
		end
	end

	-- Return a field of a message's payload by its place in its layout, 0 where it is not there.
	local function get(note, place)
		local field = note.layout[place]
		local high, low = value_of(note.payload, field, field.offset)
		return high or 0, low or 0
	end

	local learn_answer = {
		GET_FEATURES = function(session, _, high, low)
			session.offered = { high, low }
			learn_device(session)
		end,
		GET_PROTOCOL_FEATURES = function(session, _, high, low)
			local offered = session.offered or { 0, 0 }
			session.protocol_offered = { high, low }
			-- Few features of its own make a network device no clear guess by themselves.
			if
				(bit(high, low, RARP) or bit(high, low, MTU))
				and vhu.device_has_features(NET, offered[1], offered[2])
			then
				imply_device(session, NET)
			end
		end,
		POSTCOPY_END = function(session)
			session.context = changed(session.context, { postcopy = false })
		end,
		GET_BACKEND_SPECS = function(session, note, _, low)
			if not note.or_message and note.payload.size >= note.layout.size then
				learn_device(session, low)
			end
		end,
		GET_DEVICE_ID = function(session, note, _, low)
			if not note.or_message then
				learn_device(session, low)
			end
		end,
	}

	local function imply_net(session)
		imply_device(session, NET)
	end

	local learn_request = {
		SET_FEATURES = function(session, _, high, low)
			session.context =
				changed(session.context, { has_features = true, features_high = high, features_low = low })
		end,
		SET_PROTOCOL_FEATURES = function(session, _, high, low)
			local offered = session.protocol_offered or { 0, 0 }
			local later = high ~= 0 or low >= vhu.power[DEVICE_STATE]
			session.context = changed(
				session.context,
				{ has_protocol_features = true, protocol_high = high, protocol_low = low }
			)
			-- The proposals are older than the bits above theirs, and STANDALONE wants STATUS.
			if later or bit(high, low, BIT_18) and not bit(offered[1], offered[2], STATUS) then
				learn_dialect(session, UPSTREAM, false)
			end
		end,
		GPU_SET_SOCKET = function(session)
			imply_device(session, GPU)
		end,
		SEND_RARP = imply_net,
		NET_SET_MTU = imply_net,
		POSTCOPY_LISTEN = function(session)
			session.context = changed(session.context, { postcopy = true })
		end,
		GET_CONFIG = function(session, note, _, offset)
			if offset == 0 then
				local _, size = get(note, 2)
				session.config_size = size
				learn_device(session)
			end
		end,
	}

	-- Learn from a message, after it was identified.
	local function learn(session, record, note)
		local layout = note.layout
		if not note.message or not layout or note.payload.captured < layout.size then
			return
		elseif note.vring and note.vring < VRINGS_MAX and record.channel == 0 then
			return
		end
		local from = note.reply and learn_answer or learn_request
		local tell = from[note.message.name]
		if not tell then
			return
		end
		local high, low = 0, 0
		if layout[1] then
			high, low = get(note, 1)
		end
		tell(session, note, high, low)
	end

	-- Records -----------------------------------------------------------------------------------------

	-- Return whether somebody may ask by PROBE: not where bit 18 was neither offered nor taken.
	local function is_probe_possible(session)
		local offered, context = session.protocol_offered, session.context
		return not offered
			or bit(offered[1], offered[2], BIT_18)
			or bit(context.protocol_high, context.protocol_low, BIT_18)
	end

	-- Return whether a reply of a size that no dialect has is that to GET_BACKEND_SPECS, which has grown.
	local function is_longer_specs(session, record, note)
		local taken = session.context.protocol_low
		return record.channel == 0
			and note.reply
			and #record.fds == 0
			and note.request == message.GET_BACKEND_SPECS.request
			and note.payload.size >= vhu.layout.backend_specs.size
			and bit(0, taken, BIT_18)
			and bit(0, taken, STATUS)
	end

	-- Find the request that a reply answers. Returns the size of its payload, -1 not known.
	local function answer(session, record, note, time)
		local queue = session.pending[record.channel]
		note.withheld = record.dropped and withhold(session, record, note, time) or false
		local at = not note.withheld and find_request(queue, note.request)
		if not at then
			return -1
		end
		local request = table.remove(queue, at)
		note_request(note, request, time)
		note.answered = request.message
		return request.size
	end

	-- Annotate a message: its type, its dialect, and the request it answers.
	local function annotate(session, record, note, time)
		local size = note.payload.size
		local request = note.reply and answer(session, record, note, time) or size
		if note.reply then
			size = note.payload.size
		end
		local agree = vhu.identify(
			note,
			record.channel,
			session.dialect_is_sure,
			is_probe_possible(session) and 0 or PROBE,
			request,
			note.reply and size or -1
		)
		if vhu.is_device_state(note, record, request) then
			note.message, agree = message.SET_DEVICE_STATE_FD, 0
		end
		if agree == 0 and request == 0 and is_longer_specs(session, record, note) then
			note.message, note.or_message, agree = message.GET_BACKEND_SPECS, nil, 1
		end
		-- A message that has FS_SYNC's number and brings a descriptor is FS_IO, as in later drafts.
		if
			note.message == message.BACKEND_FS_SYNC
			and (note.reply and note.answered == message.BACKEND_FS_IO or not note.reply and #record.fds > 0)
		then
			note.message = message.BACKEND_FS_IO
		end
		-- A message of one dialect alone tells the session's; one cut short tells nothing.
		if agree == 1 and not record.partial and note.message.dialect ~= 0 then
			learn_dialect(session, note.message.dialect, true)
			note.context = session.context
		end
		vhu.lay_out(note)
		if note.message and not note.reply then
			local name = note.message.name
			note.offer = name == "SET_FEATURES" and session.offered
				or name == "SET_PROTOCOL_FEATURES" and session.protocol_offered
				or nil
		end
	end

	local function feed_message(session, record, note, number, time)
		vhu.take_apart(note, record)
		if not note.has_header then
			return
		end
		annotate(session, record, note, time)
		-- What was not sent to its end, or not passed on, was never taken.
		if note.withheld or record.partial then
			return
		end
		if not note.reply and may_be_answered(note) then
			ask(session, record, note, number, time)
		end
		learn(session, record, note)
	end

	-- Take a session to be about the device that the one before on its back-end's socket was about.
	local function feed_opened(session, record)
		local path = record.back_end and record.back_end.path or ""
		if record.channel ~= 0 then
			return
		end
		session.socket = path ~= "" and path or nil
		local before = session.socket and sockets[path] or 0
		if before ~= 0 and session.context.device == 0 then
			session.context = changed(session.context, { device = before })
		end
	end

	-- Number each channel of each session.
	local function learn_stream(record)
		local of = streams[record.session] or {}
		streams[record.session] = of
		if not of[record.channel] then
			of[record.channel] = stream_count
			stream_count = stream_count + 1
		end
	end

	-- Feed a record that is seen for the first time, at `time` seconds. Returns its note.
	local function feed(record, number, time)
		local id = record.session
		local session = sessions[id] or new_session(id)
		sessions[id] = session
		if record.lost and id ~= "\0\0\0\0\0\0\0\0" then
			forget(session)
		elseif record.lost then
			for _, open in pairs(sessions) do
				forget(open)
			end
		end
		-- A repeated record adds nothing if its session was followed up to here.
		if record.earlier and (session.live or session.last_time == time) then
			return vhu.again(record, session.context)
		end
		local before = session.context
		local note = { context = before }
		-- What is reconstructed of a session follows its opened record.
		session.live = session.live or not (record.earlier or record.begun)
		session.last_time = time
		if record.type == 0 then
			feed_message(session, record, note, number, time)
		elseif record.type == 1 then
			feed_opened(session, record)
			note.context = session.context
		elseif record.type == 2 and record.channel == 0 then
			sessions[id] = nil
		end
		local context = session.context
		if context.device ~= before.device and session.socket then
			sockets[session.socket] = context.device
		end
		if context.device ~= before.device or context.dialect ~= before.dialect then
			remembered[id] = { dialect = context.dialect, device = context.device }
		end
		return note
	end

	-- Return a context with what its session revealed later, which may be surer.
	local function completed(context, id)
		local later = remembered[id] or NOTHING
		local dialect = forced_dialect ~= 0 and forced_dialect or later.dialect
		local device = forced_device ~= 0 and forced_device or later.device
		dialect = dialect ~= 0 and dialect or context.dialect
		device = device ~= 0 and device or context.device
		if dialect == context.dialect and device == context.device then
			return context
		end
		return changed(context, { dialect = dialect, device = device })
	end

	-- Return what was kept of a frame, with what is known now.
	local function recall(record, number)
		local note = vhu.again(record, completed(contexts[number] or NOTHING, record.session))
		if note.reply then
			note.request_number = others[number]
			note.delay = delays[number]
		end
		note.offer = offers[number]
		return note
	end

	-- Learn from frame `number`, or, if it was seen before, recall what it is. `time`: seconds.
	function vhu.note(record, number, time, seen)
		local note
		if seen or number <= last_frame then
			note = recall(record, number)
		else
			last_frame = number
			learn_stream(record)
			note = feed(record, number, time)
			contexts[number] = note.context
			offers[number] = note.offer
			if note.request_number then
				others[number], delays[number] = note.request_number, note.delay
				others[note.request_number] = number
			end
		end
		if not note.reply then
			note.reply_number = others[number]
		end
		note.stream = (streams[record.session] or {})[record.channel]
		return note
	end
end
