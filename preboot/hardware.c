#include "hardware.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "clock.h"
#include "common/argon2.h"
#include "common/credential.h"
#include "common/workplace.h"
#include "display.h"
#include "edid.h"
#include "files.h"
#include "firmware.h"
#include "secureboot.h"
#include "tpm.h"
#include "variable.h"

#define TIME_MIN 1767225600u /* 2026-01-01: this program is not older */
#define MEMORY_SPARE_MIB 32u
#define FILE_BYTES 65536u
#define FILE_NAME FILES_HOME "selftest.tmp"
#define VARIABLE_BYTES 32u
#define RANDOM_BYTES 16u
#define UEFI_2_0 (2u << 16) /* QueryVariableInfo came with it */

static const EFI_GUID vendor_guid = { 0x6a1f4c3e, 0x6d0b, 0x4f5e,
				      { 0x9d, 0x61, 0x0f, 0x6b, 0x1b, 0x6f, 0x8a, 0x21 } };
static const EFI_GUID global_guid = { 0x8BE4DF61, 0x93CA, 0x11D2,
				      { 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C } };
static const EFI_GUID tcg2_guid = { 0x607f766c, 0x7455, 0x42be,
				    { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } };
static const EFI_GUID graphics_guid = { 0x9042A9DE, 0x23DC, 0x4A38,
					{ 0x96, 0xFB, 0x7A, 0xDE, 0xD0, 0x80, 0x51, 0x6A } };
static const EFI_GUID edid_active_guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;
static const EFI_GUID edid_discovered_guid = EFI_EDID_DISCOVERED_PROTOCOL_GUID;
static const EFI_GUID files_guid = { 0x964E5B22, 0x6459, 0x11D2,
				     { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID system_info_guid = { 0x09576E93, 0x6D3F, 0x11D2,
					   { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

static void finish(struct selftest_test *t, enum selftest_result result, enum selftest_cause cause)
{
	t->result = (uint8_t)result;
	t->cause = (uint8_t)cause;
}

static void verdict(struct selftest_test *t, int good, enum selftest_cause otherwise)
{
	finish(t, good ? SELFTEST_OK : SELFTEST_FAILED, good ? SELFTEST_NO_CAUSE : otherwise);
}

static enum selftest_cause cause_of(enum err e)
{
	switch (e) {
	case ERR_NOT_FOUND:
		return SELFTEST_ABSENT;
	case ERR_SPACE:
	case ERR_MEMORY:
		return SELFTEST_NO_ROOM;
	case ERR_DENIED:
	case ERR_UNSUPPORTED:
		return SELFTEST_REFUSED;
	case ERR_CHANGED:
		return SELFTEST_WRONG;
	default:
		return SELFTEST_UNREADABLE;
	}
}

/* ---- memory, processors, KDF ---- */

static void add(void *context, uint8_t *range, uint64_t size)
{
	(void)range;
	*(uint64_t *)context += size;
}

static void test_memory(struct selftest_test *t)
{
	uint64_t total = 0;

	firmware_memory(EfiConventionalMemory, add, &total);
	t->figure = firmware_memory_mib();
	t->figure2 = (uint32_t)(total >> 20);
	verdict(t, t->figure2 >= KDF_PASSWORD_MEMORY_KIB / 1024 + MEMORY_SPARE_MIB, SELFTEST_TOO_LITTLE);
}

/* Argon2id at the default cost, of a text and a salt of our own; the answer is libargon2's. */
static void test_kdf(struct selftest_test *t)
{
	static const char password[] = "holdfast self-test", salt[] = "holdfast kat 001";
	static const uint8_t want[ARGON2_KEY_BYTES] = {
		0x8f, 0x98, 0x9c, 0xc2, 0x02, 0x90, 0xf3, 0x8e, 0xd1, 0x57, 0xc8, 0xcd, 0x7e, 0x69, 0xd9, 0x48,
		0x99, 0x40, 0x05, 0x27, 0x88, 0xab, 0x3c, 0x1d, 0xa3, 0xbd, 0x26, 0x54, 0xa5, 0x9c, 0x8b, 0xbb,
	};
	const struct argon2_cost cost = { KDF_PASSWORD_MEMORY_KIB, KDF_PASSWORD_PASSES, KDF_PASSWORD_LANES };
	uint8_t key[ARGON2_KEY_BYTES] = { 0 };
	uint64_t start = clock_ms();
	enum err e = argon2id(key, password, sizeof(password) - 1, (const uint8_t *)salt, &cost);

	t->figure = (uint32_t)(clock_ms() - start);
	t->figure2 = workplace_processors();
	verdict(t, !e && !memcmp(key, want, sizeof(want)), e ? cause_of(e) : SELFTEST_WRONG);
}

/* ---- variables ---- */

static enum err variable_set(UINT32 attributes, const uint8_t *bytes, UINTN len)
{
	EFI_GUID guid = vendor_guid;

	return firmware_err(RUNTIME->SetVariable((CHAR16 *)(uintptr_t)VARIABLE_SELFTEST, &guid, attributes, len,
						 (void *)(uintptr_t)bytes));
}

static enum err variable_get(uint8_t *ret, UINTN *len, UINT32 *attributes)
{
	EFI_GUID guid = vendor_guid;

	return firmware_err(
		RUNTIME->GetVariable((CHAR16 *)(uintptr_t)VARIABLE_SELFTEST, &guid, attributes, len, ret));
}

/* Written, read back as it was, and gone again. */
static enum err variable_try(UINT32 attributes)
{
	uint8_t bytes[VARIABLE_BYTES], back[VARIABLE_BYTES] = { 0 };
	UINTN len = sizeof(back);
	UINT32 have = 0;
	enum err e;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(clock_ms() + 7 * i);
	e = variable_set(attributes, bytes, sizeof(bytes));
	if (!e)
		e = variable_get(back, &len, &have);
	if (!e && (len != sizeof(bytes) || have != attributes || memcmp(bytes, back, sizeof(bytes)) != 0))
		e = ERR_CHANGED;
	if (e) {
		(void)!variable_set(0, NULL, 0);
		return e;
	}
	e = variable_set(0, NULL, 0);
	len = sizeof(back);
	if (!e && variable_get(back, &len, &have) != ERR_NOT_FOUND)
		e = ERR_CHANGED;
	return e;
}

static void test_variables(struct selftest_test *t)
{
	UINT32 attributes = EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS;
	UINT64 room, left, largest;
	enum err e = variable_try(attributes);

	if (RUNTIME->Hdr.Revision >= UEFI_2_0 &&
	    !EFI_ERROR(RUNTIME->QueryVariableInfo(attributes, &room, &left, &largest)))
		t->figure = (uint32_t)(left >> 10);
	verdict(t, !e, cause_of(e));
}

static void test_runtime_variables(struct selftest_test *t)
{
	enum err e = variable_try(EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS |
				  EFI_VARIABLE_RUNTIME_ACCESS);

	verdict(t, !e, cause_of(e));
}

/* ---- EFI system partition ---- */

static uint32_t free_mib(void)
{
	union {
		EFI_FILE_SYSTEM_INFO info;
		uint8_t room[sizeof(EFI_FILE_SYSTEM_INFO) + 2 * 256];
	} u;
	EFI_FILE_IO_INTERFACE *system = firmware_protocol(files_device(), &files_guid);
	EFI_GUID guid = system_info_guid;
	UINTN size = sizeof(u);
	EFI_FILE_HANDLE root;
	uint32_t mib = 0;

	if (!system || EFI_ERROR(system->OpenVolume(system, &root)))
		return 0;
	if (!EFI_ERROR(root->GetInfo(root, &guid, &size, &u)))
		mib = (uint32_t)(u.info.FreeSpace >> 20);
	root->Close(root);
	return mib;
}

/* files_write reads back and compares. */
static void test_disk(struct selftest_test *t)
{
	uint64_t start = clock_ms();
	uint8_t *bytes = malloc(FILE_BYTES);
	enum err e = bytes ? OK : ERR_MEMORY, deleted;

	for (unsigned i = 0; bytes && i < FILE_BYTES; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 8));
	if (!e)
		e = files_write(FILE_NAME, bytes, FILE_BYTES);
	free(bytes);
	deleted = files_delete(FILE_NAME);
	t->figure = (uint32_t)(clock_ms() - start);
	t->figure2 = free_mib();
	verdict(t, !e && !deleted, cause_of(e ? e : deleted));
}

/* ---- TPM ---- */

static int has_tcg2(void)
{
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &tcg2_guid);

	firmware_free(handles);
	return count != 0;
}

/* Nothing of the kind in this laptop is no failure; one that does not do what is needed is. */
static const struct tpm *tpm_needed(struct selftest_test *t)
{
	const struct tpm *tpm = tpm_efi();

	if (!tpm)
		finish(t, SELFTEST_NOT_TESTED, SELFTEST_ABSENT);
	return tpm;
}

static void test_tpm(struct selftest_test *t)
{
	if (tpm_efi())
		finish(t, SELFTEST_OK, SELFTEST_NO_CAUSE);
	else if (has_tcg2())
		finish(t, SELFTEST_FAILED, SELFTEST_TOO_LITTLE); /* TPM 1.2, or no SHA-256 bank */
	else
		finish(t, SELFTEST_NOT_TESTED, SELFTEST_ABSENT);
}

static void test_tpm_pcr7(struct selftest_test *t)
{
	uint8_t pcr[TPM_PCR_BYTES];
	const struct tpm *tpm = tpm_needed(t);
	enum err e;

	if (!tpm)
		return;
	e = tpm_pcr_read(pcr, tpm, TPM_PCR_SECURE_BOOT);
	verdict(t, !e && !sodium_is_zero(pcr, sizeof(pcr)), e ? cause_of(e) : SELFTEST_WRONG);
}

static void test_tpm_pcr11(struct selftest_test *t)
{
	uint8_t pcr[TPM_PCR_BYTES];
	const struct tpm *tpm = tpm_needed(t);
	enum err e;

	if (!tpm)
		return;
	e = tpm_pcr_read(pcr, tpm, TPM_PCR_OWN);
	verdict(t, !e && sodium_is_zero(pcr, sizeof(pcr)), e ? cause_of(e) : SELFTEST_WRONG);
}

/* TPM2_GetRandom (TPM 2.0 Library, part 3, 16.1): 10 bytes of head, size, bytes. */
static enum err tpm_random(uint8_t ret[static RANDOM_BYTES], const struct tpm *tpm)
{
	static const uint8_t command[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, RANDOM_BYTES };
	uint8_t answer[TPM_MESSAGE_MAX];
	size_t len = sizeof(answer);
	enum err e = tpm->submit(tpm->context, answer, &len, command, sizeof(command));

	if (e)
		return e;
	if (len != 12 + RANDOM_BYTES || answer[6] || answer[7] || answer[8] || answer[9] || answer[10] ||
	    answer[11] != RANDOM_BYTES)
		return ERR_FORMAT;
	memcpy(ret, answer + 12, RANDOM_BYTES);
	return OK;
}

static void test_tpm_random(struct selftest_test *t)
{
	uint8_t one[RANDOM_BYTES], two[RANDOM_BYTES];
	const struct tpm *tpm = tpm_needed(t);
	enum err e;

	if (!tpm)
		return;
	e = tpm_random(one, tpm);
	if (!e)
		e = tpm_random(two, tpm);
	verdict(t, !e && memcmp(one, two, sizeof(one)) != 0, e ? cause_of(e) : SELFTEST_WRONG);
}

/* ---- clock, Secure Boot ---- */

static void test_clock(struct selftest_test *t)
{
	uint64_t now = 0;
	enum err e = calendar_now(&now);

	verdict(t, !e && now >= TIME_MIN, e ? cause_of(e) : SELFTEST_WRONG);
}

/* 0 off, 1 on, 2 set-up mode: none of them is a failure. */
static void test_secure_boot(struct selftest_test *t)
{
	EFI_GUID guid = global_guid;
	uint8_t set_up = 0;
	UINTN len = sizeof(set_up);

	if (EFI_ERROR(RUNTIME->GetVariable((CHAR16 *)(uintptr_t)L"SetupMode", &guid, NULL, &len, &set_up))) {
		finish(t, SELFTEST_NOT_TESTED, SELFTEST_ABSENT);
		return;
	}
	t->figure = set_up == 1 ? 2 : secureboot_is_on() ? 1 : 0;
	finish(t, SELFTEST_OK, SELFTEST_NO_CAUSE);
}

/* ---- screen ---- */

/* The console's, which stands for all panels; else the first. */
static void *panel(const EFI_GUID *guid)
{
	void *found = firmware->ConsoleOutHandle ? firmware_protocol(firmware->ConsoleOutHandle, guid) : NULL;
	EFI_HANDLE *handles;
	UINTN count;

	if (found)
		return found;
	count = firmware_handles(&handles, guid);
	if (count)
		found = firmware_protocol(handles[0], guid);
	firmware_free(handles);
	return found;
}

static void test_screen(struct selftest_test *t)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics = panel(&graphics_guid);

	if (!graphics || !graphics->Mode || !graphics->Mode->Info) {
		finish(t, SELFTEST_NOT_TESTED, SELFTEST_ABSENT);
		return;
	}
	t->figure = graphics->Mode->Info->HorizontalResolution;
	t->figure2 = graphics->Mode->Info->VerticalResolution;
	verdict(t, t->figure >= DISPLAY_WIDTH_MIN && t->figure2 >= DISPLAY_HEIGHT_MIN, SELFTEST_TOO_LITTLE);
}

static void test_modes(struct selftest_test *t)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics = panel(&graphics_guid);

	if (!graphics || !graphics->Mode) {
		finish(t, SELFTEST_NOT_TESTED, SELFTEST_ABSENT);
		return;
	}
	t->figure = graphics->Mode->MaxMode;
	verdict(t, t->figure != 0, SELFTEST_WRONG);
}

/* Of the first monitor that has one. */
static const EFI_EDID_ACTIVE_PROTOCOL *edid_find(const EFI_GUID *guid)
{
	const EFI_EDID_ACTIVE_PROTOCOL *found = NULL;
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, guid);

	for (UINTN i = 0; i < count && !found; i++) {
		found = firmware_protocol(handles[i], guid);
		if (found && (!found->Edid || !found->SizeOfEdid))
			found = NULL;
	}
	firmware_free(handles);
	return found;
}

static void test_edid(struct selftest_test *t)
{
	const EFI_EDID_ACTIVE_PROTOCOL *edid = edid_find(&edid_active_guid);
	unsigned width, height;
	enum err e;

	if (!edid)
		edid = edid_find(&edid_discovered_guid);
	if (!edid) {
		finish(t, SELFTEST_NOT_TESTED, SELFTEST_ABSENT);
		return;
	}
	e = edid_preferred(&width, &height, edid->Edid, edid->SizeOfEdid);
	if (!e) {
		t->figure = width;
		t->figure2 = height;
	}
	verdict(t, !e, SELFTEST_WRONG);
}

const struct hardware_step hardware_steps[] = {
	{ SELFTEST_MEMORY, test_memory },
	{ SELFTEST_KDF, test_kdf },
	{ SELFTEST_VARIABLES, test_variables },
	{ SELFTEST_RUNTIME_VARIABLES, test_runtime_variables },
	{ SELFTEST_DISK, test_disk },
	{ SELFTEST_TPM, test_tpm },
	{ SELFTEST_TPM_PCR7, test_tpm_pcr7 },
	{ SELFTEST_TPM_PCR11, test_tpm_pcr11 },
	{ SELFTEST_TPM_RANDOM, test_tpm_random },
	{ SELFTEST_CLOCK, test_clock },
	{ SELFTEST_SECURE_BOOT, test_secure_boot },
	{ SELFTEST_SCREEN, test_screen },
	{ SELFTEST_MODES, test_modes },
	{ SELFTEST_EDID, test_edid },
	{ 0, NULL },
};

void hardware_describe(struct selftest_head *h)
{
	const CHAR16 *vendor = firmware->FirmwareVendor;
	uint64_t now = 0;

	for (size_t i = 0; vendor && vendor[i] && i + 1 < sizeof(h->vendor); i++)
		h->vendor[i] = vendor[i] >= ' ' && vendor[i] <= '~' ? (uint8_t)vendor[i] : '?';
	h->firmware = firmware->FirmwareRevision;
	h->uefi = firmware->Hdr.Revision;
	h->time = calendar_now(&now) ? 0 : now;
}
