/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's memory. */
#include "samples/backend/memory/memory.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Put a page of zeros under the address that could not be read or written, and go on there. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);

	(void)context;
	if (info->si_code != BUS_ADRERR ||
	    mmap((void *)at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) == MAP_FAILED)
		signal(number, SIG_DFL);
}

int vhu_memory_guard(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	return sigaction(SIGBUS, &action, NULL) ? -errno : 0;
}

int vhu_memory_map(int fd, uint64_t offset, uint64_t size, void **map, size_t *map_size)
{
	struct stat file;
	uint64_t end;
	void *mapped;

	if (size == 0 || __builtin_add_overflow(offset, size, &end) || end > SIZE_MAX)
		return -EINVAL;
	if (fstat(fd, &file))
		return -errno;
	if (S_ISREG(file.st_mode) && end > (uint64_t)file.st_size)
		return -EINVAL;
	/* From the file's start: the offset need not be a multiple of the file's page size, which
	 * is not this machine's where the memory is of huge pages. */
	mapped = mmap(NULL, end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*map = mapped;
	*map_size = end;
	return 0;
}

/* Return whether two ranges have an address in common. */
static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

int vhu_memory_add(struct vhu_memory *memory, const struct vhu_device_region *told, uint64_t offset,
		   int fd)
{
	struct vhu_device_region region = *told;
	int error;

	if (memory->regions == VHU_MEMORY_SLOTS)
		return -ENOSPC;
	if (region.guest + region.size < region.guest || region.user + region.size < region.user)
		return -EINVAL;
	for (unsigned i = 0; i < memory->regions; i++) {
		const struct vhu_device_region *other = &memory->region[i];

		if (overlap(region.guest, region.size, other->guest, other->size) ||
		    overlap(region.user, region.size, other->user, other->size))
			return -EEXIST;
	}
	error = vhu_memory_map(fd, offset, region.size, &region.map, &region.map_size);
	if (error)
		return error;
	region.here = (uint8_t *)region.map + offset;
	memory->region[memory->regions++] = region;
	return 0;
}

int vhu_memory_remove(struct vhu_memory *memory, const struct vhu_device_region *told)
{
	for (unsigned i = 0; i < memory->regions; i++) {
		struct vhu_device_region *region = &memory->region[i];

		if (region->guest != told->guest || region->user != told->user ||
		    region->size != told->size)
			continue;
		munmap(region->map, region->map_size);
		*region = memory->region[--memory->regions];
		return 0;
	}
	return -ENOENT;
}

void vhu_memory_clear(struct vhu_memory *memory)
{
	while (memory->regions > 0) {
		struct vhu_device_region *region = &memory->region[--memory->regions];

		munmap(region->map, region->map_size);
	}
}

void vhu_memory_forget(struct vhu_memory *memory, uint64_t iova, uint64_t size)
{
	unsigned left = 0;

	for (unsigned i = 0; i < memory->translations; i++)
		if (!overlap(memory->translation[i].iova, memory->translation[i].size, iova, size))
			memory->translation[left++] = memory->translation[i];
	memory->translations = left;
}

int vhu_memory_translate(struct vhu_memory *memory, const struct vhu_device_translation *told)
{
	if (told->size == 0 || told->iova + (told->size - 1) < told->iova ||
	    told->user + (told->size - 1) < told->user)
		return -EINVAL;
	vhu_memory_forget(memory, told->iova, told->size);
	if (memory->translations == VHU_MEMORY_TRANSLATIONS)
		return -ENOSPC;
	memory->translation[memory->translations++] = *told;
	return 0;
}

/* Return where the front-end's address @user is, and cut *@size to what one region holds of it;
 * NULL if no region holds it. */
static uint8_t *at_user(const struct vhu_memory *memory, uint64_t user, uint64_t *size)
{
	for (unsigned i = 0; i < memory->regions; i++) {
		const struct vhu_device_region *region = &memory->region[i];
		uint64_t at = user - region->user;

		if (at >= region->size)
			continue;
		if (*size > region->size - at)
			*size = region->size - at;
		return region->here + at;
	}
	return NULL;
}

/* Do the same for an IOVA. */
static uint8_t *at_iova(const struct vhu_memory *memory, uint64_t iova, uint64_t *size)
{
	for (unsigned i = 0; i < memory->translations; i++) {
		const struct vhu_device_translation *translation = &memory->translation[i];
		uint64_t at = iova - translation->iova;

		if (at >= translation->size)
			continue;
		if (*size > translation->size - at)
			*size = translation->size - at;
		return at_user(memory, translation->user + at, size);
	}
	return NULL;
}

void *vhu_memory_at_ring(const struct vhu_memory *memory, uint64_t address, uint64_t size)
{
	uint8_t *first = NULL, *here;

	for (uint64_t done = 0, some; done < size; done += some) {
		some = size - done;
		here = (memory->iommu ? at_iova : at_user)(memory, address + done, &some);
		/* Several translations may make up what lies together. */
		if (!here || (first && here != first + done))
			return NULL;
		first = first ? first : here;
	}
	return first;
}

void *vhu_memory_at_buffer(const struct vhu_memory *memory, uint64_t address, uint64_t *size)
{
	if (memory->iommu)
		return at_iova(memory, address, size);
	for (unsigned i = 0; i < memory->regions; i++) {
		const struct vhu_device_region *region = &memory->region[i];
		uint64_t at = address - region->guest;

		if (at >= region->size)
			continue;
		if (*size > region->size - at)
			*size = region->size - at;
		return region->here + at;
	}
	return NULL;
}

bool vhu_memory_guest_of(const struct vhu_memory *memory, const void *at, uint64_t *guest)
{
	for (unsigned i = 0; i < memory->regions; i++) {
		const struct vhu_device_region *region = &memory->region[i];
		uint64_t from = (uintptr_t)at - (uintptr_t)region->here;

		if (from >= region->size)
			continue;
		*guest = region->guest + from;
		return true;
	}
	return false;
}
