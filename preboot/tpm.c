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
#define ENTROPY_TRIES 5
#define ENTROPY_WAIT_US 10000

static const EFI_GUID tcg2_guid = { 0x607F766C, 0x7455, 0x42BE,
				    { 0x93, 0x0B, 0xE4, 0xD7, 0x6D, 0xB2, 0x72, 0x0F } };

/* Structure version 1.0, of drafts and of Windows 8's time, ends before the banks. */
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
static int looked, has_bank, has_random;

/* That there is no TPM is told by the absence of the protocol alone. */
static enum err command_err(EFI_STATUS s)
{
	enum err e = firmware_err(s);

	return e == ERR_NOT_FOUND ? ERR_IO : e;
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
		return command_err(s);
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

static const struct tpm transport = { submit, wait_ms, NULL };

static int entropy_is_there(void)
{
	uint8_t seed[32];
	enum err e = entropy_seed(seed);

	sodium_memzero(seed, sizeof(seed));
	return !e;
}

/* For firmware that does not tell which banks are active. */
static int bank_answers(void)
{
	uint8_t value[TPM_PCR_BYTES];

	return !tpm_pcr_read(value, &transport, TPM_PCR_SECURE_BOOT);
}

static void look_at_banks(void)
{
	struct capability c = { .size = sizeof(c) };

	if (EFI_ERROR(tcg2->get_capability(tcg2, &c)))
		has_bank = bank_answers();
	else if (!c.is_present)
		tcg2 = NULL;
	else if (c.structure_version[0] == 1 && c.structure_version[1] == 0)
		has_bank = bank_answers();
	else
		has_bank = (c.active_banks & BANK_SHA256) != 0;
}

static void look(void)
{
	EFI_GUID guid = tcg2_guid;
	void *found = NULL;

	if (looked)
		return;
	looked = 1;
	if (EFI_ERROR(BOOT->LocateProtocol(&guid, NULL, &found)))
		return;
	tcg2 = found;
	look_at_banks();
	for (int i = 0; has_bank && !has_random && i < ENTROPY_TRIES; i++) {
		if (i)
			BOOT->Stall(ENTROPY_WAIT_US);
		has_random = entropy_is_there();
	}
}

const struct tpm *tpm_efi_plain(void)
{
	look();
	return has_bank ? &transport : NULL;
}

const struct tpm *tpm_efi(void)
{
	look();
	return has_bank && has_random ? &transport : NULL;
}

void tpm_efi_end(void)
{
	const struct tpm *t = looked ? tpm_efi_plain() : NULL;

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
	return s == EFI_VOLUME_FULL ? OK : command_err(s);
}
