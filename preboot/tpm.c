#include "tpm.h"

#include <efi.h>

#include <sodium.h>
#include <string.h>

#include "common/cursor.h"
#include "common/registers.h"
#include "entropy.h"
#include "firmware.h"

#define BANK_SHA256 0x2u
#define EV_IPL 0x0du
#define EVENT_BYTES_MAX 512
#define EVENT_HEAD_BYTES 18 /* size, header's size, version, PCR, type */
#define EVENT_HEADER_BYTES 14
#define EVENT_VERSION 1

static const EFI_GUID tcg2_guid = { 0x607F766C, 0x7455, 0x42BE,
				    { 0x93, 0x0B, 0xE4, 0xD7, 0x6D, 0xB2, 0x72, 0x0F } };

struct capability {
	UINT8 size, structure_version[2], protocol_version[2];
	UINT32 hash_algorithms, logs;
	BOOLEAN is_present;
	UINT16 command_max, answer_max;
	UINT32 manufacturer, banks, active_banks;
};

struct tcg2 {
	EFI_STATUS (EFIAPI *get_capability)(struct tcg2 *self, struct capability *ret);
	void *get_event_log;
	EFI_STATUS (EFIAPI *hash_log_extend)(struct tcg2 *self, UINT64 flags, EFI_PHYSICAL_ADDRESS data,
					     UINT64 len, void *event);
	EFI_STATUS (EFIAPI *submit)(struct tcg2 *self, UINT32 len, const UINT8 *command, UINT32 room,
				    UINT8 *ret);
	void *get_active_banks, *set_active_banks, *get_result;
};

static struct tcg2 *tcg2;
static int looked, usable;

static void look(void)
{
	struct capability c = { .size = sizeof(c) };
	EFI_GUID guid = tcg2_guid;
	void *found = NULL;

	looked = 1;
	if (EFI_ERROR(BOOT->LocateProtocol(&guid, NULL, &found)))
		return;
	tcg2 = found;
	if (EFI_ERROR(tcg2->get_capability(tcg2, &c)) || !c.is_present)
		tcg2 = NULL;
	usable = tcg2 && (c.active_banks & BANK_SHA256);
}

static enum err submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	struct cursor c;
	size_t size = 0;
	EFI_STATUS s;

	(void)context;
	registers_wipe();
	memset(ret, 0, *ret_len);
	s = tcg2->submit(tcg2, (UINT32)len, command, (UINT32)*ret_len, ret);
	if (s == EFI_BUFFER_TOO_SMALL)
		return ERR_RANGE;
	if (EFI_ERROR(s))
		return firmware_err(s);
	/* The firmware does not tell the length; the answer does. */
	c = cursor_over(ret + 2, 4);
	for (int i = 0; i < 4; i++)
		size = size << 8 | cursor_u8(&c);
	if (size > *ret_len)
		return ERR_RANGE;
	*ret_len = size;
	return OK;
}

static void wait_ms(void *context, unsigned ms)
{
	(void)context;
	BOOT->Stall(1000 * (UINTN)ms);
}

const struct tpm *tpm_efi(void)
{
	static const struct tpm t = { submit, wait_ms, NULL };
	uint8_t seed[32];

	if (!looked)
		look();
	if (!usable || entropy_seed(seed))
		return NULL;
	sodium_memzero(seed, sizeof(seed));
	return &t;
}

void tpm_efi_end(void)
{
	const struct tpm *t = looked ? tpm_efi() : NULL;

	/* A try that counts too many is all that comes of a failure. */
	if (t && tpm_shutdown(t))
		return;
}

enum err tpm_measure(unsigned pcr, const char *text)
{
	uint8_t event[EVENT_BYTES_MAX];
	size_t len = strlen(text), total = EVENT_HEAD_BYTES + len;
	struct writer w = writer_over(event, sizeof(event));
	EFI_STATUS s;

	if (!looked)
		look();
	if (!tcg2)
		return ERR_NOT_FOUND;
	writer_u32(&w, (uint32_t)total);
	writer_u32(&w, EVENT_HEADER_BYTES);
	writer_u16(&w, EVENT_VERSION);
	writer_u32(&w, pcr);
	writer_u32(&w, EV_IPL);
	writer_bytes(&w, text, len);
	if (w.e)
		return ERR_RANGE;
	s = tcg2->hash_log_extend(tcg2, 0, (EFI_PHYSICAL_ADDRESS)(uintptr_t)text, len, event);
	/* Extended, but the log has no room. */
	return s == EFI_VOLUME_FULL ? OK : firmware_err(s);
}
