/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each fault does, a case a line: its name, the options, what the front-end sends, what of it
 * the back-end gets, what the back-end sends then, what of it the front-end gets. The messages are
 * written as in script.h. faults.golden has what the captures say.
 *
 * How a case goes: ALL_SENT: each side ends sending when it has sent all; STOPPED: the back-end
 * waits for the first EARLY bytes, then the proxy is stopped; CLOSED: the front-end closes;
 * BACK_FIRST: the back-end sends first, and the front-end when it has got EARLY bytes.
 */
/* clang-format off */
#ifndef CASE
#define CASE(...)
#endif
#define R(fault) "--fault", fault
#define M(what) "--mask", what
#define NONE {NULL}
CASE("nothing", ALL_SENT, 0, NONE,
     "SET_OWNER SET_VRING_KICK=0+1", "SET_OWNER SET_VRING_KICK=0+a",
     "GET_FEATURES=1!5", "GET_FEATURES=1!5")
CASE("drop", ALL_SENT, 0, {R("front SET_VRING_KICK vring=1: drop")},
     "SET_VRING_KICK=0+1 SET_VRING_KICK=1+1 SET_VRING_CALL=1+1", "SET_VRING_KICK=0+a SET_VRING_CALL=1+c",
     "", "")
CASE("drop nth", ALL_SENT, 0, {R("SET_VRING_KICK nth=2: drop")},
     "SET_VRING_KICK=0 SET_VRING_KICK=1 SET_VRING_KICK=2", "SET_VRING_KICK=0 SET_VRING_KICK=2",
     "", "")
CASE("drop every", ALL_SENT, 0, {R("front any every=2: drop")},
     "1 2=1 3 200=4 201/0", "GET_FEATURES SET_OWNER 201",
     "GET_FEATURES=1!5 GET_FEATURES=2!5", "GET_FEATURES=1!5 GET_FEATURES=2!5")
CASE("drop a reply", ALL_SENT, 0, {R("back GET_FEATURES: drop")},
     "GET_FEATURES GET_FEATURES", "GET_FEATURES GET_FEATURES",
     "SET_OWNER=0!5 GET_FEATURES=1!5 GET_PROTOCOL_FEATURES=2!5", "SET_OWNER=0!5 GET_PROTOCOL_FEATURES=2!5")
CASE("drop by chance", ALL_SENT, 0, {R("any probability=1/2: drop"), "--seed", "1"},
     "10=0 10=1 10=2 10=3 10=4 10=5 10=6 10=7",
     "SET_VRING_BASE=1 SET_VRING_BASE=4 SET_VRING_BASE=6 SET_VRING_BASE=7",
     "", "")
CASE("duplicate", ALL_SENT, 0, {R("SET_VRING_CALL: duplicate 2")},
     "SET_VRING_CALL=0+1 SET_OWNER", "SET_VRING_CALL=0+a SET_VRING_CALL=0+a SET_VRING_CALL=0+a SET_OWNER",
     "", "")
CASE("duplicate altered", ALL_SENT, 0, {R("SET_VRING_NUM: set vring.size=512, duplicate")},
     "SET_VRING_NUM=0x10000000001", "SET_VRING_NUM=0x20000000001 SET_VRING_NUM=0x20000000001",
     "", "")
CASE("delay", STOPPED, 12, {R("SET_VRING_KICK: delay 10min")},
     "SET_OWNER SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_OWNER SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("delay for a while", ALL_SENT, 0, {R("SET_VRING_KICK: delay 1ms..2ms"), "--seed", "1"},
     "SET_OWNER SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_OWNER SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("delay and drop", ALL_SENT, 0, {R("SET_VRING_KICK: delay 1ms, drop")},
     "SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_FEATURES=3",
     "", "")
CASE("hold", CLOSED, 0, {R("SET_VRING_KICK: hold")},
     "SET_OWNER SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_OWNER SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("hold until stopped", STOPPED, 12, {R("SET_VRING_KICK: hold")},
     "SET_OWNER SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_OWNER SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("hold for a while", ALL_SENT, 0, {R("SET_VRING_KICK: hold 1ms")},
     "SET_OWNER SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_OWNER SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("reorder", ALL_SENT, 0, {R("SET_VRING_KICK vring=0: reorder")},
     "SET_VRING_KICK=0+1 SET_VRING_CALL=0+1 SET_VRING_KICK=1+1",
     "SET_VRING_CALL=0+b SET_VRING_KICK=0+a SET_VRING_KICK=1+c",
     "", "")
CASE("reorder two", ALL_SENT, 0, {R("front any nth=1..2: reorder 2")},
     "10=1+1 10=2+1 10=3+1 10=4+1 10=5", "SET_VRING_BASE=3+c SET_VRING_BASE=4+d SET_VRING_BASE=1+a SET_VRING_BASE=2+b SET_VRING_BASE=5",
     "", "")
CASE("reorder at the end", ALL_SENT, 0, {R("SET_FEATURES: reorder 9")},
     "SET_FEATURES=1 SET_OWNER SET_FEATURES=2", "SET_OWNER SET_FEATURES=1 SET_FEATURES=2",
     "", "")
CASE("split", ALL_SENT, 0, {R("SET_VRING_KICK: split 4, 12, 16")},
     "SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("split with a pause", STOPPED, 14, {R("SET_VRING_KICK: split 14 pause 10min")},
     "SET_VRING_KICK=0+1 SET_FEATURES=3", "SET_VRING_KICK=0+a SET_FEATURES=3",
     "", "")
CASE("truncate", ALL_SENT, 0, {R("SET_VRING_KICK: truncate 15")},
     "SET_OWNER SET_VRING_KICK=0x0807060504030201+1", "SET_OWNER ~0c0000000100000008000000010203+a",
     "", "")
CASE("truncate in the header", ALL_SENT, 0, {R("SET_VRING_KICK: truncate 5")},
     "SET_VRING_KICK=0x0807060504030201+1", "~0c00000001+a",
     "", "")
CASE("truncate all", ALL_SENT, 0, {R("SET_VRING_KICK: truncate 0")},
     "SET_VRING_KICK=0+1 SET_OWNER", "SET_OWNER",
     "", "")
CASE("resize up", ALL_SENT, 0, {R("SET_FEATURES: resize 16")},
     "SET_FEATURES=0x12+1 SET_OWNER", "SET_FEATURES=0x12,0+a SET_OWNER",
     "", "")
CASE("resize down", ALL_SENT, 0, {R("back GET_FEATURES: resize 3")},
     "", "", "GET_FEATURES=0x12!5 SET_OWNER=0!5", "GET_FEATURES/3!5 SET_OWNER=0!5")
CASE("resize over the buffer", ALL_SENT, 0, {R("SET_OWNER: resize 65536")},
     "SET_OWNER SET_FEATURES=1", "SET_OWNER=0,0,0,0,0,0,0,0/65536 SET_FEATURES=1",
     "", "")
CASE("size", ALL_SENT, 0, {R("SET_FEATURES: size 0")},
     "SET_FEATURES=0x500000003", "SET_FEATURES ~0300000005000000",
     "", "")
CASE("cut before", ALL_SENT, 0, {R("SET_VRING_KICK nth=2: cut")},
     "SET_VRING_KICK=0+1 SET_VRING_KICK=1+1 SET_OWNER", "SET_VRING_KICK=0+a",
     "GET_FEATURES=1!5", "")
CASE("cut after", ALL_SENT, 0, {R("SET_VRING_KICK nth=2: cut after")},
     "SET_VRING_KICK=0+1 SET_VRING_KICK=1+1 SET_OWNER", "SET_VRING_KICK=0+a SET_VRING_KICK=1+b",
     "GET_FEATURES=1!5", "")
CASE("truncate and cut", ALL_SENT, 0, {R("SET_VRING_KICK: truncate 6, cut after")},
     "SET_VRING_KICK=0+1 SET_OWNER", "~0c0000000100+a",
     "", "")
CASE("set", ALL_SENT, 0, {R("SET_VRING_KICK vring=1: set vring=3 vring.nofd=1")},
     "SET_VRING_KICK=0+1 SET_VRING_KICK=1+1", "SET_VRING_KICK=0+a SET_VRING_KICK=0x103+b",
     "", "")
CASE("set an element", ALL_SENT, 0, {R("SET_MEM_TABLE: set region.size[1]=0x77 mem.regions=2")},
     "SET_MEM_TABLE=2,1,2,3,4,5,6,7,8+2", "SET_MEM_TABLE=2,1,2,3,4,5,0x77,7/72+a,b",
     "", "")
CASE("set all elements", ALL_SENT, 0, {R("SET_MEM_TABLE: set region.size=9")},
     "SET_MEM_TABLE=2,1,2,3,4,5,6,7,8+2", "SET_MEM_TABLE=2,1,9,3,4,5,9,7/72+a,b",
     "", "")
CASE("set the header", ALL_SENT, 0, {R("SET_FEATURES: set header.flags=0x12 header.request=200")},
     "SET_FEATURES=1 SET_OWNER", "200=1!12 SET_OWNER",
     "", "")
CASE("set a bit of the header", ALL_SENT, 0, {R("SET_FEATURES: set header.need_reply=1"), R("SET_OWNER: set header.version=2")},
     "SET_FEATURES=1 SET_OWNER", "SET_FEATURES=1!9 SET_OWNER!2",
     "", "")
CASE("set bytes", ALL_SENT, 0, {R("200: set u8[0]=1 u16[2]=0x203 u32[4]=4")},
     "200=0 201=0", "200=0x402030001 201=0",
     "", "")
CASE("set what is not there", ALL_SENT, 0, {R("SET_FEATURES: set u64[8]=1, set features=2")},
     "SET_FEATURES=1", "SET_FEATURES=2",
     "", "")
CASE("set a name", ALL_SENT, 0, {R("back GET_PROTOCOL_FEATURES: set protocol_features=MQ|STATUS")},
     "", "", "GET_PROTOCOL_FEATURES=0xff!5", "GET_PROTOCOL_FEATURES=0x10001!5")
CASE("reply", ALL_SENT, 0, {R("back GET_QUEUE_NUM: reply 65535")},
     "", "", "GET_QUEUE_NUM=2!5 GET_QUEUE_NUM=2/12!5", "GET_QUEUE_NUM=0xffff!5 GET_QUEUE_NUM=0xffff!5")
CASE("reply in its place", ALL_SENT, 0, {R("GET_QUEUE_NUM: reply 7")},
     "GET_QUEUE_NUM GET_FEATURES", "GET_FEATURES",
     "GET_FEATURES=1!5", "GET_QUEUE_NUM=7!5 GET_FEATURES=1!5")
CASE("reply in its place, late", ALL_SENT, 0, {R("GET_QUEUE_NUM: delay 1ms, reply 7")},
     "GET_QUEUE_NUM GET_FEATURES", "GET_FEATURES",
     "GET_FEATURES=1!5", "GET_QUEUE_NUM=7!5 GET_FEATURES=1!5")
CASE("error", ALL_SENT, 0, {R("SET_VRING_KICK: error")},
     "SET_VRING_KICK=1+1!9 SET_OWNER!9", "SET_OWNER!9",
     "SET_OWNER=0!5", "SET_VRING_KICK=1!5 SET_OWNER=0!5")
CASE("error where none is due", ALL_SENT, 0, {R("any: error 5")},
     "SET_VRING_KICK=1+1 GET_FEATURES", "SET_VRING_KICK=1+a GET_FEATURES",
     "", "")
CASE("error in a reply", ALL_SENT, 0, {R("back SET_OWNER: error 22")},
     "", "", "SET_OWNER=0!5 SET_FEATURES=0!5", "SET_OWNER=0x16!5 SET_FEATURES=0!5")
CASE("lose-fd", ALL_SENT, 0, {R("SET_VRING_CALL: lose-fd")},
     "SET_VRING_KICK=1+1 SET_VRING_CALL=1+1", "SET_VRING_KICK=1+a SET_VRING_CALL=1",
     "", "")
CASE("lose one of several", ALL_SENT, 0, {R("SET_MEM_TABLE: lose-fd 1")},
     "SET_MEM_TABLE=3+3", "SET_MEM_TABLE=3+a,c",
     "", "")
CASE("lose one that is not there", ALL_SENT, 0, {R("SET_OWNER: lose-fd 1")},
     "SET_OWNER+1", "SET_OWNER+a",
     "", "")
CASE("extra-fd", ALL_SENT, 0, {R("SET_MEM_TABLE: extra-fd")},
     "SET_MEM_TABLE=2+2", "SET_MEM_TABLE=2+a,b,b",
     "", "")
CASE("extra-fd null", ALL_SENT, 0, {R("back GET_FEATURES: extra-fd null, extra-fd")},
     "", "", "GET_FEATURES=1!5", "GET_FEATURES=1+null,null!5")
CASE("another fd", ALL_SENT, 0, {R("SET_VRING_KICK: lose-fd, extra-fd null")},
     "SET_VRING_KICK=1+1", "SET_VRING_KICK=1+null",
     "", "")
CASE("need-reply", ALL_SENT, 0, {R("SET_VRING_KICK: need-reply")},
     "SET_VRING_KICK=1+1 SET_VRING_KICK=2+1!9 GET_FEATURES",
     "SET_VRING_KICK=1+a!9 SET_VRING_KICK=2+b!9 GET_FEATURES",
     "SET_VRING_KICK=0!5 SET_VRING_KICK=0!5 GET_FEATURES=1!5", "SET_VRING_KICK=0!5 GET_FEATURES=1!5")
CASE("need-reply that is ignored", ALL_SENT, 0, {R("SET_OWNER: need-reply")},
     "SET_OWNER GET_FEATURES SET_OWNER!9", "SET_OWNER!9 GET_FEATURES SET_OWNER!9",
     "GET_FEATURES=1!5 SET_OWNER=0!5", "GET_FEATURES=1!5 SET_OWNER=0!5")
CASE("need-reply of a question", ALL_SENT, 0, {R("GET_FEATURES: need-reply")},
     "GET_FEATURES", "GET_FEATURES!9", "GET_FEATURES=1!5", "GET_FEATURES=1!5")
CASE("too long to be altered", ALL_SENT, 0, {R("200: set u8[0]=1, delay 1ms")},
     "200/300000 SET_OWNER", "200=0,0,0,0,0,0,0,0/300000 SET_OWNER",
     "", "")
CASE("too long, cut before", ALL_SENT, 0, {R("200: cut before")},
     "SET_OWNER 200/300000 SET_OWNER", "SET_OWNER",
     "", "")
CASE("too long, cut after", ALL_SENT, 0, {R("200: cut after")},
     "200/300000 SET_OWNER", "200=0,0,0,0,0,0,0,0/300000",
     "", "")
CASE("several faults", ALL_SENT, 0, {R("SET_VRING_KICK vring=1: set vring=2"), R("SET_VRING_KICK vring=2: drop"), R("any fds=1: lose-fd")},
     "SET_VRING_KICK=1+1 SET_VRING_KICK=2+1", "SET_VRING_KICK=2",
     "", "")
CASE("another session's", ALL_SENT, 0, {R("any session=2: drop")},
     "SET_OWNER", "SET_OWNER", "", "")
CASE("mask", ALL_SENT, 0, {M("protocol:STATUS,MQ"), M("virtio:RING_PACKED,29")},
     "SET_FEATURES=0x730000000 SET_PROTOCOL_FEATURES=0x10009 SET_OWNER",
     "SET_FEATURES=0x310000000 SET_PROTOCOL_FEATURES=8 SET_OWNER",
     "GET_FEATURES=0x730000000!5 GET_PROTOCOL_FEATURES=0x10209!5 GET_STATUS=0xff!5",
     "GET_FEATURES=0x310000000!5 GET_PROTOCOL_FEATURES=0x208!5 GET_STATUS=0xff!5")
CASE("mask what is not offered", ALL_SENT, 0, {M("protocol:STATUS")},
     "SET_PROTOCOL_FEATURES=0x9", "SET_PROTOCOL_FEATURES=9",
     "GET_PROTOCOL_FEATURES=0x209!5", "GET_PROTOCOL_FEATURES=0x209!5")
CASE("mask and fault", ALL_SENT, 0, {M("0x1"), R("SET_FEATURES features=3: set features=7")},
     "SET_FEATURES=3 SET_FEATURES=1", "SET_FEATURES=7 SET_FEATURES=0",
     "", "")
CASE("mask config", BACK_FIRST, 36, {M("config:5=0xff,7=0x08"), M("config:100=1")},
     "GET_CONFIG=0xc00000000,0,0x0c0b0a090807ee05 SET_CONFIG=0xc00000000,0x0403020100000000,0x0c0b0a090807ff77",
     "GET_CONFIG=0xc00000000,0,0xc0b0a090807ee05 SET_CONFIG=0xc00000000,0x403020100000000,0xc0b0a0908070677",
     "GET_CONFIG=0xc00000000,0x0403020100000000,0x0c0b0a0908070605!5",
     "GET_CONFIG=0xc00000000,0x403020100000000,0xc0b0a090807ff05!5")
#undef CASE

/* The same on the channel that SET_BACKEND_REQ_FD opens: its name, the fault, how many descriptors the
 * back-end gets with how many messages, and, of what it sends on the last of them, what the
 * front-end gets. */
#ifndef CHANNEL
#define CHANNEL(...)
#endif
#define CALLS "4=1 4=2 2"
CHANNEL("channel, nothing", "front SET_OWNER: drop", 1, 1, "BACKEND_VRING_CALL=1 BACKEND_VRING_CALL=2 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, drop on it", "BACKEND_VRING_CALL vring=2: drop", 1, 1, "BACKEND_VRING_CALL=1 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, drop by number", "4 channel=back-end nth=1: drop", 1, 1, "BACKEND_VRING_CALL=2 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, reorder on it", "back any channel=back-end nth=1: reorder", 1, 1, "BACKEND_VRING_CALL=2 BACKEND_VRING_CALL=1 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, delay on it", "any channel=back-end: delay 1ms", 1, 1, "BACKEND_VRING_CALL=1 BACKEND_VRING_CALL=2 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, cut", "BACKEND_VRING_CALL nth=2: cut", 1, 1, "BACKEND_VRING_CALL=1")
CHANNEL("channel, delay its message", "SET_BACKEND_REQ_FD: delay 1ms", 1, 1, "BACKEND_VRING_CALL=1 BACKEND_VRING_CALL=2 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, reorder its message", "SET_BACKEND_REQ_FD: reorder", 1, 1, "BACKEND_VRING_CALL=1 BACKEND_VRING_CALL=2 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, duplicate its message", "SET_BACKEND_REQ_FD: duplicate", 2, 2, "BACKEND_VRING_CALL=1 BACKEND_VRING_CALL=2 BACKEND_CONFIG_CHANGE_MSG")
CHANNEL("channel, an extra fd", "SET_BACKEND_REQ_FD: extra-fd null", 2, 1, "")
CHANNEL("channel, drop its message", "SET_BACKEND_REQ_FD: drop", 0, 0, "")
CHANNEL("channel, lose its fd", "SET_BACKEND_REQ_FD: lose-fd", 0, 1, "")
/* clang-format on */
#undef CHANNEL
#undef R
#undef M
#undef NONE
