#include "calendar.h"

#include "firmware.h"

#define DAY_S 86400
#define UNSPECIFIED_ZONE 2047 /* EFI_UNSPECIFIED_TIMEZONE */
#define ZONE_MAX_MIN 1440

static int is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (unsigned)(month == 2 && is_leap(year));
}

static int date_valid(const EFI_TIME *t)
{
	return t->Year >= 1970 && t->Year <= 9999 && t->Month >= 1 && t->Month <= 12 && t->Day >= 1 &&
	       t->Day <= month_days(t->Year, t->Month);
}

static int time_valid(const EFI_TIME *t)
{
	return t->Hour < 24 && t->Minute < 60 && t->Second < 60 &&
	       (t->TimeZone == UNSPECIFIED_ZONE ||
		(t->TimeZone >= -ZONE_MAX_MIN && t->TimeZone <= ZONE_MAX_MIN));
}

/* Days from 1970-01-01 to the first of January. */
static int64_t year_days(unsigned year)
{
	unsigned before = year - 1;

	return 365 * ((int64_t)year - 1970) + (before / 4 - before / 100 + before / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

enum err calendar_unix(uint64_t *ret, const EFI_TIME *t)
{
	int64_t days, seconds;

	if (!date_valid(t) || !time_valid(t))
		return ERR_RANGE;
	days = year_days(t->Year) + t->Day - 1;
	for (unsigned month = 1; month < t->Month; month++)
		days += month_days(t->Year, month);
	seconds = days * DAY_S + t->Hour * 3600 + t->Minute * 60 + t->Second;
	/* local time = UTC - TimeZone */
	if (t->TimeZone != UNSPECIFIED_ZONE)
		seconds += t->TimeZone * 60;
	if (seconds < 0)
		return ERR_RANGE;
	*ret = (uint64_t)seconds;
	return OK;
}

enum err calendar_now(uint64_t *ret)
{
	EFI_TIME t = { 0 };
	enum err e = firmware_err(RUNTIME->GetTime(&t, NULL));

	return e ? e : calendar_unix(ret, &t);
}
