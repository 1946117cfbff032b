#include "agent/volumed/volumed.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum err volumed_about(struct volumed *v, enum err e, const char *what)
{
	if (e)
		(void)snprintf(v->about, sizeof(v->about), "%s: %s", what, err_text(e));
	return e;
}

void volumed_unsettled(struct volumed *v)
{
	if (strcmp(v->unsettled, v->about))
		volumed_log("not finished, tried again in a minute", v->about);
	if (!v->unsettled_since)
		v->unsettled_since = volumed_now();
	memcpy(v->unsettled, v->about, sizeof(v->unsettled));
}

uint64_t volumed_now(void)
{
	return (uint64_t)time(NULL);
}

void volumed_id(char ret[static 33])
{
	uint8_t id[16];

	randombytes_buf(id, sizeof(id));
	hex_encode(ret, id, sizeof(id));
}

void volumed_log(const char *what, const char *detail)
{
	fprintf(stderr, "holdfast-volumed: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
}
