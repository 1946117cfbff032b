/* The firmware's tables, and the services that are too small for a file of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

EFI_SYSTEM_TABLE fake_table;
EFI_BOOT_SERVICES fake_boot;
EFI_RUNTIME_SERVICES fake_runtime;
EFI_HANDLE fake_image;

static void EFIAPI not_faked(void)
{
	fprintf(stderr, "fake: a service of the firmware was called that is not faked; see the "
			"stack in a debugger\n");
	abort();
}

static void fill(void *table, size_t size)
{
	void (EFIAPI *nothing)(void) = not_faked;

	for (size_t at = sizeof(EFI_TABLE_HEADER); at + sizeof(nothing) <= size;
	     at += sizeof(nothing))
		memcpy((uint8_t *)table + at, &nothing, sizeof(nothing));
}

static EFI_TPL EFIAPI raise_tpl(EFI_TPL tpl)
{
	(void)tpl;
	return TPL_APPLICATION;
}

static void EFIAPI restore_tpl(EFI_TPL tpl)
{
	(void)tpl;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN timeout, UINT64 code, UINTN len, CHAR16 *data)
{
	(void)timeout;
	(void)code;
	(void)len;
	(void)data;
	return EFI_SUCCESS;
}

static void EFIAPI copy_mem(void *to, void *from, UINTN len)
{
	memmove(to, from, len);
}

static void EFIAPI set_mem(void *to, UINTN len, UINT8 value)
{
	memset(to, value, len);
}

/* Of IEEE 802.3, as the specification has it. */
static EFI_STATUS EFIAPI calculate_crc32(void *data, UINTN len, UINT32 *ret)
{
	const uint8_t *bytes = data;
	uint32_t crc = UINT32_MAX;

	for (UINTN i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	*ret = ~crc;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_system(EFI_RESET_TYPE type, EFI_STATUS status, UINTN len,
				      CHAR16 *data)
{
	(void)status;
	(void)len;
	(void)data;
	fake_leave(type == EfiResetShutdown ? FAKE_POWER_OFF : FAKE_RESTART);
}

/* Days since 1970-01-01 as year, month and day of the Gregorian calendar, counted from March. */
static void civil(EFI_TIME *ret, int64_t days)
{
	int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t in_era = shifted - era * 146097;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100),
		march = (5 * in_year + 2) / 153;

	ret->Day = (UINT8)(in_year - (153 * march + 2) / 5 + 1);
	ret->Month = (UINT8)(march < 10 ? march + 3 : march - 9);
	ret->Year = (UINT16)(year + era * 400 + (ret->Month <= 2));
}

static EFI_STATUS EFIAPI get_time(EFI_TIME *ret, EFI_TIME_CAPABILITIES *capabilities)
{
	EFI_STATUS s = fake_fault(FAKE_GET_TIME);
	int64_t now = fake_now->rtc + (int64_t)(fake_time_100ns() / 10000000);

	(void)capabilities;
	if (s)
		return s;
	if (fake_now->rtc == FAKE_NO_CLOCK)
		return EFI_DEVICE_ERROR;
	memset(ret, 0, sizeof(*ret));
	civil(ret, now / 86400);
	ret->Hour = (UINT8)(now % 86400 / 3600);
	ret->Minute = (UINT8)(now % 3600 / 60);
	ret->Second = (UINT8)(now % 60);
	ret->TimeZone = EFI_UNSPECIFIED_TIMEZONE;
	return EFI_SUCCESS;
}

void fake_tables_start(void)
{
	fill(&fake_boot, sizeof(fake_boot));
	fill(&fake_runtime, sizeof(fake_runtime));
	memset(&fake_table, 0, sizeof(fake_table));
	fake_table.BootServices = &fake_boot;
	fake_table.RuntimeServices = &fake_runtime;
	fake_boot.RaiseTPL = raise_tpl;
	fake_boot.RestoreTPL = restore_tpl;
	fake_boot.SetWatchdogTimer = set_watchdog;
	fake_boot.CopyMem = copy_mem;
	fake_boot.SetMem = set_mem;
	fake_boot.CalculateCrc32 = calculate_crc32;
	fake_boot.Hdr.HeaderSize = sizeof(fake_boot);
	fake_runtime.ResetSystem = reset_system;
	fake_runtime.GetTime = get_time;
}
