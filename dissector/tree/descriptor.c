/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors that passed with a message. */
#include "dissector/tree/descriptor.h"

#include <fcntl.h>
#include <string.h>

/* Not in every C library yet. */
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

static int hf_count = -1, hf_fd = -1, hf_number = -1, hf_kind = -1, hf_inode = -1, hf_device = -1;
static int hf_size = -1, hf_page_size = -1, hf_eventfd_id = -1, hf_eventfd_count = -1;
static int hf_semaphore = -1, hf_name = -1;
static int hf_seals = -1, hf_seal_seal = -1, hf_seal_shrink = -1, hf_seal_grow = -1;
static int hf_seal_write = -1, hf_seal_future_write = -1, hf_seal_exec = -1;
static int hf_flags = -1, hf_access = -1, hf_append = -1, hf_nonblock = -1;
static int ett_fd = -1, ett_seals = -1, ett_flags = -1;

static value_string kinds[VHU_FD_KINDS + 1];

static const value_string accesses[] = {
    {O_RDONLY, "read only"}, {O_WRONLY, "write only"}, {O_RDWR, "read and write"}, {0, NULL}};

/* Short forms of rows: a number, and a bit of a word of 32. */
#define NUMBER(hf, label, filter, type, base, blurb)                                               \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.fd." filter, type, base, NULL, 0, blurb, HFILL          \
		}                                                                                  \
	}
#define BIT(hf, label, filter, mask)                                                               \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.fd." filter, FT_BOOLEAN, 32, TFS(&tfs_set_notset),      \
			    mask, NULL, HFILL                                                      \
		}                                                                                  \
	}

static hf_register_info fields[] = {
    {&hf_count,
     {"Descriptors", "vhost_user.fds", FT_UINT16, BASE_DEC, NULL, 0,
      "How many passed with the message", HFILL}},
    {&hf_fd, {"Descriptor", "vhost_user.fd", FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL}},
    NUMBER(hf_number, "Position", "number", FT_UINT16, BASE_DEC, "Among those of its message"),
    {&hf_kind, {"Kind", "vhost_user.fd.kind", FT_UINT8, BASE_DEC, VALS(kinds), 0, NULL, HFILL}},
    NUMBER(hf_inode, "Inode", "inode", FT_UINT64, BASE_DEC, NULL),
    NUMBER(hf_device, "Device", "device", FT_UINT64, BASE_HEX, "Where its inode is: st_dev"),
    NUMBER(hf_size, "Size", "size", FT_UINT64, BASE_DEC, "Bytes"),
    NUMBER(hf_page_size, "Page size", "page_size", FT_UINT64, BASE_DEC, "Of huge pages, bytes"),
    NUMBER(hf_eventfd_id, "Eventfd", "eventfd_id", FT_UINT32, BASE_DEC,
	   "Its id, the same in every process"),
    NUMBER(hf_eventfd_count, "Eventfd's count", "eventfd_count", FT_UINT64, BASE_DEC, NULL),
    {&hf_semaphore,
     {"Semaphore", "vhost_user.fd.semaphore", FT_BOOLEAN, BASE_NONE, NULL, 0,
      "An eventfd with EFD_SEMAPHORE", HFILL}},
    {&hf_name,
     {"Name", "vhost_user.fd.name", FT_STRING, BASE_NONE, NULL, 0, "As /proc has it", HFILL}},
    NUMBER(hf_seals, "Seals", "seals", FT_UINT32, BASE_HEX, "As F_GET_SEALS has them"),
    BIT(hf_seal_seal, "Seal", "seals.seal", F_SEAL_SEAL),
    BIT(hf_seal_shrink, "Shrink", "seals.shrink", F_SEAL_SHRINK),
    BIT(hf_seal_grow, "Grow", "seals.grow", F_SEAL_GROW),
    BIT(hf_seal_write, "Write", "seals.write", F_SEAL_WRITE),
    BIT(hf_seal_future_write, "Future write", "seals.future_write", F_SEAL_FUTURE_WRITE),
    BIT(hf_seal_exec, "Execute", "seals.exec", F_SEAL_EXEC),
    NUMBER(hf_flags, "Flags", "flags", FT_UINT32, BASE_HEX, "As F_GETFL has them"),
    {&hf_access,
     {"Access", "vhost_user.fd.flags.access", FT_UINT32, BASE_DEC, VALS(accesses), O_ACCMODE, NULL,
      HFILL}},
    BIT(hf_append, "Append", "flags.append", O_APPEND),
    BIT(hf_nonblock, "Not blocking", "flags.nonblock", O_NONBLOCK),
};

void vhu_descriptor_register(int proto)
{
	static int *ett[] = {&ett_fd, &ett_seals, &ett_flags};

	for (unsigned i = 0; i < VHU_FD_KINDS; i++)
		kinds[i] = (value_string){i, vhu_fd_kind_name((enum vhu_fd_kind)i)};
	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
}

/* Add a word of bits and each of the bits of @hf, which ends with NULL. */
static void add_word(proto_tree *tree, tvbuff_t *tvb, int head, int hf_word, int ett,
		     int *const *hf, uint32_t word)
{
	proto_item *item = proto_tree_add_uint(tree, hf_word, tvb, 0, head, word);
	proto_tree *below = proto_item_add_subtree(item, ett);

	for (; *hf; hf++)
		if (proto_registrar_get_ftype(**hf) == FT_BOOLEAN)
			proto_tree_add_boolean(below, **hf, tvb, 0, head, word);
		else
			proto_tree_add_uint(below, **hf, tvb, 0, head, word);
}

/* Add what is known of an eventfd. */
static void add_eventfd(proto_tree *tree, tvbuff_t *tvb, int head, const struct vhu_fd_info *fd)
{
	if (fd->has & VHU_FD_HAS_EVENTFD)
		proto_tree_add_uint(tree, hf_eventfd_id, tvb, 0, head, fd->eventfd_id);
	if (fd->has & VHU_FD_HAS_COUNT)
		proto_tree_add_uint64(tree, hf_eventfd_count, tvb, 0, head, fd->eventfd_count);
	if (fd->has & VHU_FD_HAS_SEMAPHORE)
		proto_tree_add_boolean(tree, hf_semaphore, tvb, 0, head, fd->semaphore);
}

/* Add a descriptor to its sub-tree. */
static void add(proto_tree *tree, tvbuff_t *tvb, const uint8_t *bytes, int head,
		const struct vhu_fd_info *fd)
{
	static int *const seals[] = {
	    &hf_seal_seal,         &hf_seal_shrink, &hf_seal_grow, &hf_seal_write,
	    &hf_seal_future_write, &hf_seal_exec,   NULL};
	static int *const flags[] = {&hf_access, &hf_append, &hf_nonblock, NULL};

	proto_tree_add_uint(tree, hf_kind, tvb, 0, head, fd->kind);
	add_eventfd(tree, tvb, head, fd);
	if (fd->has & VHU_FD_HAS_INODE) {
		proto_tree_add_uint64(tree, hf_inode, tvb, 0, head, fd->inode);
		proto_tree_add_uint64(tree, hf_device, tvb, 0, head, fd->device);
	}
	if (fd->has & VHU_FD_HAS_SIZE)
		proto_tree_add_uint64(tree, hf_size, tvb, 0, head, fd->size);
	if (fd->has & VHU_FD_HAS_PAGE_SIZE)
		proto_tree_add_uint64(tree, hf_page_size, tvb, 0, head, fd->page_size);
	if (fd->has & VHU_FD_HAS_SEALS)
		add_word(tree, tvb, head, hf_seals, ett_seals, seals, fd->seals);
	add_word(tree, tvb, head, hf_flags, ett_flags, flags, fd->flags);
	if (*fd->name)
		proto_tree_add_item(tree, hf_name, tvb, (int)((const uint8_t *)fd->name - bytes),
				    (int)strlen(fd->name), ENC_UTF_8);
}

void vhu_descriptor_add_all(proto_tree *tree, wmem_allocator_t *pool, tvbuff_t *tvb,
			    const uint8_t *bytes, int head, const struct vhu_record *record)
{
	char text[VHU_RECORD_TEXT_MAX + 64];

	proto_tree_add_uint(tree, hf_count, tvb, 0, head, record->fds);
	for (unsigned i = 0; i < record->fds; i++) {
		proto_item *item = proto_tree_add_item(tree, hf_fd, tvb, 0, head, ENC_NA);
		proto_tree *below = proto_item_add_subtree(item, ett_fd);

		if (ws_is_visible(tree)) {
			vhu_fd_text(&record->fd[i], text, sizeof(text));
			proto_item_append_text(item, " %u: %s", i,
					       ws_printable(pool, text, strlen(text)));
		}
		proto_tree_add_uint(below, hf_number, tvb, 0, head, i);
		add(below, tvb, bytes, head, &record->fd[i]);
	}
}
