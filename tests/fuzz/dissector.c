/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the Wireshark plugin inside of a Wireshark without a window: an input is a few records,
 * dissected as packets one after another, and then once more, as Wireshark does it. Each record is
 * preceded by two bytes, its size (big endian), and one, how many bytes a snap length cut off.
 */
#include "dissector/ws_compat.h"

#include <epan/column-info.h>
#include <epan/column.h>
#include <epan/epan.h>
#include <epan/epan_dissect.h>
#include <epan/frame_data.h>
#include <epan/timestamp.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>
#include <wsutil/privileges.h>
#include <wsutil/wslog.h>

#include "tests/fuzz/lib/fuzz.h"

#define PACKETS 16
#define HEAD    3
/* After so many inputs, the file is closed and another one opened. */
#define INPUTS  4096

/* What leads from link type 252 to the plugin. */
static const uint8_t tags[] = {0,   12,  0,   12,  'v', 'h', 'o', 's', 't', '_',
			       'u', 's', 'e', 'r', 0,   0,   0,   0,   0,   0};

struct fuzz_packet {
	uint8_t *bytes;
	uint32_t captured, sent;
	frame_data frame;
};

static epan_t *file;
static uint32_t frames, inputs;
static int malformed;

void plugin_register(void);
const char *__asan_default_options(void);

/* Wireshark keeps much for as long as it runs. Returns what AddressSanitizer is not to look for. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* Return when a frame was captured. */
static const nstime_t *time_of(struct packet_provider_data *file_data _U_, uint32_t number _U_)
{
	static const nstime_t never;

	return &never;
}

/* Begin with another file, whose frames are numbered from 1. */
static void open_file(void)
{
	static const struct packet_provider_funcs provider = {.get_frame_ts = time_of};

	if (file)
		epan_free(file);
	file = epan_new(NULL, &provider);
	frames = 0;
}

/* What Wireshark's versions begin with, for a program of this name. */
static void start_wireshark(const char *name)
{
#if WS_VERSION_AT_LEAST(4, 6)
	ws_log_init(NULL);
	init_process_policies();
	g_free(configuration_init(name));
#else
	ws_log_init(name, NULL);
	init_process_policies();
	g_free(configuration_init(name, NULL));
#endif
}

/* Start Wireshark, with each of its blocks of memory on its own, where it can be watched. */
static void start(void)
{
	setenv("WIRESHARK_DEBUG_WMEM_OVERRIDE", "simple", 1);
	setenv("WIRESHARK_ABORT_ON_DISSECTOR_BUG", "1", 1);
	setenv("HOME", "/nonexistent", 1);
	start_wireshark("fuzz_dissector");
	wtap_init(false);
	plugin_register();
	must(epan_init(NULL, NULL, false));
	epan_load_settings();
	timestamp_set_type(TS_RELATIVE);
	timestamp_set_seconds_type(TS_SECONDS_DEFAULT);
	timestamp_set_precision(TS_PREC_FIXED_NSEC);
	malformed = proto_get_id_by_filter_name("_ws.malformed");
	open_file();
}

/* Return whether Wireshark calls a packet malformed: reading it went beyond its end. */
static bool is_malformed(const epan_dissect_t *dissection)
{
	for (proto_node *node = dissection->tree->first_child; node; node = node->next)
		if (PNODE_FINFO(node) && PNODE_FINFO(node)->hfinfo->id == malformed)
			return true;
	return false;
}

/* Make @rec a packet's record that has no bytes yet. */
static void init_record(wtap_rec *rec)
{
#if WS_VERSION_AT_LEAST(4, 6)
	wtap_rec_init(rec, 0);
	wtap_setup_packet_rec(rec, WTAP_ENCAP_WIRESHARK_UPPER_PDU);
#else
	wtap_rec_init(rec);
	rec->rec_type = REC_TYPE_PACKET;
	rec->rec_header.packet_header.pkt_encap = WTAP_ENCAP_WIRESHARK_UPPER_PDU;
#endif
}

/*
 * Let Wireshark dissect a packet. Wireshark 4.6 takes the bytes from the record: it gets ours and
 * no copy, because AddressSanitizer knows where ours end.
 */
static void run(epan_dissect_t *dissection, wtap_rec *rec, struct fuzz_packet *packet,
		column_info *columns)
{
#if WS_VERSION_AT_LEAST(4, 6)
	Buffer own = rec->data;

	rec->data = (Buffer){
	    .data = packet->bytes, .allocated = packet->captured, .first_free = packet->captured};
	epan_dissect_run(dissection, WTAP_FILE_TYPE_SUBTYPE_UNKNOWN, rec, &packet->frame, columns);
	rec->data = own;
#else
	epan_dissect_run(dissection, WTAP_FILE_TYPE_SUBTYPE_UNKNOWN, rec,
			 tvb_new_real_data(packet->bytes, packet->captured, (int)packet->sent),
			 &packet->frame, columns);
#endif
}

/* Dissect a packet in full. @pass: 0 for the first time. */
static void dissect(struct fuzz_packet *packet, unsigned pass)
{
	static column_info columns;
	nstime_t elapsed = NSTIME_INIT_ZERO;
	const frame_data *reference = &packet->frame;
	epan_dissect_t *dissection = epan_dissect_new(file, true, true);
	wtap_rec rec;
	uint32_t cumulated = 0;

	if (!columns.num_cols)
		build_column_format_array(&columns, prefs.num_cols, true);
	init_record(&rec);
	rec.presence_flags = WTAP_HAS_TS | WTAP_HAS_CAP_LEN;
	rec.rec_header.packet_header.caplen = packet->captured;
	rec.rec_header.packet_header.len = packet->sent;
	rec.tsprec = WTAP_TSPREC_NSEC;
	rec.ts.secs = (time_t)frames;
	if (pass == 0) {
		frame_data_init(&packet->frame, ++frames, &rec, 0, 0);
		frame_data_set_before_dissect(&packet->frame, &elapsed, &reference, NULL);
	}
	run(dissection, &rec, packet, &columns);
	frame_data_set_after_dissect(&packet->frame, &cumulated);
	must(!is_malformed(dissection));
	epan_dissect_free(dissection);
	wtap_rec_cleanup(&rec);
}

/* Give a record a session that no earlier input had; of its number, an input has the last byte. */
static void renumber(uint8_t *record, size_t size)
{
	for (unsigned i = 0; size >= 16 && i < 7; i++)
		record[8 + i] = (uint8_t)((uint64_t)inputs >> 8 * (6 - i));
}

/* Take a packet off an input. Returns how many bytes of it that was. */
static size_t take(struct fuzz_packet *packet, const uint8_t *data, size_t size)
{
	size_t record = data[0] * 256u + data[1];

	record = record < size - HEAD ? record : size - HEAD;
	packet->captured = (uint32_t)(sizeof(tags) + record);
	packet->sent = packet->captured + data[2];
	packet->bytes = malloc(packet->captured);
	must(packet->bytes != NULL);
	memcpy(packet->bytes, tags, sizeof(tags));
	memcpy(packet->bytes + sizeof(tags), data + HEAD, record);
	renumber(packet->bytes + sizeof(tags), record);
	return HEAD + record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_packet packet[PACKETS];
	unsigned count = 0;

	if (!file)
		start();
	if (++inputs % INPUTS == 0)
		open_file();
	while (count < PACKETS && size > HEAD) {
		size_t taken = take(&packet[count++], data, size);

		data += taken;
		size -= taken;
	}
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < count; i++)
			dissect(&packet[i], pass);
	for (unsigned i = 0; i < count; i++) {
		frame_data_destroy(&packet[i].frame);
		free(packet[i].bytes);
	}
	return 0;
}
