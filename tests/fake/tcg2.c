#include "tcg2.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "inside.h"

static const EFI_GUID tcg2_guid = { 0x607F766C, 0x7455, 0x42BE,
				    { 0x93, 0x0B, 0xE4, 0xD7, 0x6D, 0xB2, 0x72, 0x0F } };

#define BANK_SHA1 1u
#define BANK_SHA256 2u
#define EVENT_HEAD 18u
#define OLD_BYTES 28

static struct fake_tcg2 *now;

struct fake_tcg2 *fake_tcg2_new(void)
{
	void *p = mmap(NULL, sizeof(struct fake_tcg2), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void fake_tcg2_free(struct fake_tcg2 *t)
{
	munmap(t, sizeof(*t));
}

/* By the offsets of the specification, so that pre-boot's own idea of them is held against it. */
static EFI_STATUS EFIAPI get_capability(void *self, uint8_t *ret)
{
	uint32_t banks = now->no_sha256 ? BANK_SHA1 : BANK_SHA1 | BANK_SHA256;
	uint8_t c[36] = { 36, 1, 1, 1, 1, 0, 0, 0, 0x1f, 0, 0, 0, 2 };

	(void)self;
	if (now->capability_fails)
		return now->capability_fails;
	if (ret[0] < sizeof(c))
		return EFI_BUFFER_TOO_SMALL;
	c[16] = !now->is_absent;
	c[18] = c[20] = 0;
	c[19] = c[21] = 0x10; /* 4096 each */
	c[28] = 2;            /* banks */
	c[32] = (uint8_t)banks;
	if (now->is_old)
		c[0] = OLD_BYTES, c[2] = c[4] = 0;
	memcpy(ret, c, c[0]);
	return EFI_SUCCESS;
}

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void record(const uint8_t *event, uint32_t len, const void *data, uint64_t data_len)
{
	struct fake_tcg2_event *e = &now->events[now->event_count];

	if (now->event_count == FAKE_TCG2_EVENTS || len >= FAKE_TCG2_TEXT)
		abort();
	now->event_count++;
	e->pcr = le32(event + 10);
	e->type = le32(event + 14);
	e->len = len;
	memcpy(e->text, event + EVENT_HEAD, len);
	e->text[len] = 0;
	crypto_hash_sha256(e->digest, data, data_len);
	if (now->extend && !now->extends_nothing)
		now->extend(now->context, e->pcr, e->digest);
}

static EFI_STATUS EFIAPI hash_log_extend(void *self, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 len,
					 const uint8_t *event)
{
	uint32_t size = le32(event);

	(void)self;
	if (now->is_absent)
		return EFI_DEVICE_ERROR;
	if (flags || size < EVENT_HEAD || le32(event + 4) != 14 || event[8] != 1 || event[9])
		return EFI_INVALID_PARAMETER;
	if (now->extend_fails && now->event_count >= now->extend_first)
		return now->extend_fails;
	record(event, size - EVENT_HEAD, (const void *)(uintptr_t)data, len);
	return now->log_full ? EFI_VOLUME_FULL : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI submit(void *self, UINT32 len, const UINT8 *command, UINT32 room, UINT8 *ret)
{
	size_t got = room;

	(void)self;
	now->submits++;
	if (now->submit_fails)
		return now->submit_fails;
	if (!now->submit)
		return EFI_DEVICE_ERROR;
	switch (now->submit(now->context, ret, &got, command, len)) {
	case OK:
		return EFI_SUCCESS;
	case ERR_RANGE:
		return EFI_BUFFER_TOO_SMALL;
	default:
		return EFI_DEVICE_ERROR;
	}
}

static EFI_STATUS EFIAPI not_faked(void)
{
	abort();
}

void fake_tcg2_start(struct fake_tcg2 *t)
{
	static void *protocol[7];

	now = t;
	for (size_t i = 0; i < sizeof(protocol) / sizeof(protocol[0]); i++)
		protocol[i] = (void *)(uintptr_t)not_faked;
	protocol[0] = (void *)(uintptr_t)get_capability;
	protocol[2] = (void *)(uintptr_t)hash_log_extend;
	protocol[3] = (void *)(uintptr_t)submit;
	fake_protocol_add(fake_handle_new(), &tcg2_guid, protocol);
}
