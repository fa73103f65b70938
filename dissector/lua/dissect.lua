-- SPDX-License-Identifier: GPL-2.0-or-later
-- The dissector. A packet is one record. The columns are made of every packet, the tree only where
-- somebody looks at it, filters by it, or where it has an expert item.
do
	local proto, expert = vhu.proto, vhu.expert
	local decode, note_of, describe = vhu.decode, vhu.note, vhu.describe
	local itself -- as Wireshark knows it, found when it is first needed

	-- Preferences: a dialect and a device to assume.
	local dialects, devices = { { 0, "auto", 0 } }, { { 0, "auto", 0 } }
	for i = 1, #vhu.dialects do
		dialects[i + 1] = { i, vhu.dialects[i], i }
	end
	for _, name in ipairs(vhu.names.virtio_device) do
		devices[#devices + 1] = { #devices, name.name:lower(), name.value }
	end
	proto.prefs.dialect =
		Pref.enum("Dialect", 0, "What messages 41 to 43, the back-end's 6 to 9 and protocol feature 18 mean", dialects, false)
	proto.prefs.device = Pref.enum(
		"Virtio device",
		0,
		"The device of all sessions, whose feature bits and configuration space are shown by name",
		devices,
		false
	)

	function proto.init()
		vhu.begin(proto.prefs.dialect, proto.prefs.device)
	end

	local CUT = "[Packet size limited during capture]" -- in Wireshark's words

	-- Return whether a packet has expert items, for which the tree is made whoever looks.
	local function is_noteworthy(record, note, sent)
		local payload = note.payload
		if record.marks ~= 0 and (record.redacted or record.fds_lost or record.partial or record.altered) then
			return true
		elseif record.type == 6 then
			return record.snapshot ~= nil and record.snapshot.hangs
		elseif record.type ~= 0 or not payload then
			return record.type == 3 or record.type == 0
		end
		return sent > #record.bytes
			or note.size ~= payload.size
			or not note.message
			or note.or_message ~= nil
			or note.unfit
	end

	-- Show a packet whose record could not be decoded.
	local function show_undecoded(tvb, pinfo, root, cut)
		local text = cut and "Cut before the message" or "Not a record of vhu"
		pinfo.cols.info = cut and text .. CUT or text
		local tree = root:add(proto, tvb())
		tree:add_proto_expert_info(cut and expert.cut or expert.record, text)
	end

	-- Set the sender and the receiver of a message; the flow graph uses them too.
	local function set_sides(pinfo, record)
		local cols = pinfo.cols
		cols.src = record.back and "back-end" or "front-end"
		cols.dst = record.back and "front-end" or "back-end"
	end

	local function show(tvb, pinfo, root, record, sent)
		local note = note_of(record, pinfo.number, pinfo.rel_ts, pinfo.visited)
		local info = describe(record, note)
		if record.type == 0 then
			set_sides(pinfo, record)
		end
		pinfo.cols.info = sent > #record.bytes and info .. CUT or info
		itself = itself or Dissector.get("vhost_user")
		if not is_noteworthy(record, note, sent) and not root:referenced(itself) then
			return
		end
		local tree = root:add(proto, tvb())
		if root.visible then
			local high, low = vhu.read(record.bytes, 9, 8, true)
			tree:append_text(", session " .. vhu.decimal(high, low) .. ": " .. info)
		end
		vhu.add_tree(tree, tvb, record, note)
		if sent > #record.bytes then
			tree:add_proto_expert_info(expert.cut, "Packet size limited during capture")
		end
	end

	function proto.dissector(tvb, pinfo, root)
		local captured, sent = tvb:len(), tvb:reported_len()
		local bytes = captured > 0 and tvb:raw() or ""
		pinfo.cols.protocol = "vhost-user"
		if bytes:byte(1) == 0 then
			local rest, cut = vhu.without_tags(bytes)
			if not rest then
				show_undecoded(tvb, pinfo, root, cut and sent > captured)
				return captured
			end
			sent, tvb, bytes = sent - #bytes + #rest, tvb(#bytes - #rest):tvb(), rest
		end
		local record, cut = decode(bytes, sent)
		if record then
			show(tvb, pinfo, root, record, sent)
		else
			show_undecoded(tvb, pinfo, root, cut)
		end
		return captured
	end
end
