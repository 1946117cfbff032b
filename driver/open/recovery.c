/* Recovery: unlimited tries, each after a longer pause, and no way to a shell. */
#include "recovery.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../../common/secret.h"
#include "../volume.h"
#include "crypttab.h"
#include "device.h"
#include "prompt.h"

#define PAUSE_S_MAX 30

enum state { CLOSED, OPENED, MISSING, REFUSED };

struct door {
	struct crypttab_entry entry;
	enum state state;
};

static size_t count(const struct door *d, size_t n, enum state s)
{
	size_t i, found = 0;

	for (i = 0; i < n; i++)
		found += d[i].state == s;
	return found;
}

static enum err wanted(struct crypttab *ret, const struct options *o)
{
	if (!o->device)
		return crypttab_read(ret, o->crypttab);
	ret->count = 1;
	if (snprintf(ret->at[0].name, sizeof(ret->at[0].name), "%s", o->name) >=
		    (int)sizeof(ret->at[0].name) ||
	    snprintf(ret->at[0].source, sizeof(ret->at[0].source), "%s", o->device) >=
		    (int)sizeof(ret->at[0].source))
		return ERR_RANGE;
	return OK;
}

static enum state door_state(const struct door *d, enum err e, const char *problem)
{
	const char *name = d->entry.name;

	switch (e) {
	case OK:
	case ERR_EXISTS:
		fprintf(stderr, "holdfast: volume %s is open\n", name);
		return OPENED;
	case ERR_AUTH:
		fprintf(stderr, "holdfast: this recovery key does not open volume %s\n", name);
		return CLOSED;
	case ERR_CHANGED:
		fprintf(stderr,
			"holdfast: volume %s REFUSED: its header says that it is not, or not all, "
			"encrypted in aes-xts-plain64. Somebody may have changed the disk; it was "
			"not opened.\n",
			name);
		return REFUSED;
	default:
		fprintf(stderr, "holdfast: volume %s (%s): %s %s\n", name, d->entry.source,
			err_text(e), problem);
		return MISSING;
	}
}

static void try_door(struct door *d, const struct secret *recovery, const struct options *o)
{
	const char *name = d->entry.name;
	char device[PATH_MAX];
	VOLUME *v = NULL;
	enum err e = device_wait_source(device, sizeof(device), d->entry.source, name, o->wait_s);

	e = e ? e : volume_load(&v, device);
	e = e ? e : volume_open_recovery(v, o->check_only ? NULL : name, recovery);
	d->state = door_state(d, e, volume_problem(v));
}

static enum err ask_once(struct door *d, size_t n, const struct options *o)
{
	SECRET struct secret recovery = { 0 };
	enum err e = prompt_recovery(&recovery);
	size_t i;

	if (e)
		return e;
	for (i = 0; i < n; i++)
		if (d[i].state == CLOSED)
			try_door(&d[i], &recovery, o);
	if (count(d, n, REFUSED))
		return ERR_CHANGED;
	/* While nothing at all is open, a disk that was missing may still come. */
	for (i = 0; i < n && !count(d, n, OPENED); i++)
		d[i].state = CLOSED;
	return count(d, n, CLOSED) ? ERR_AUTH : OK;
}

static enum err ask_until_open(struct door *d, size_t n, const struct options *o)
{
	unsigned pause_s = 1;
	enum err e;

	while (count(d, n, CLOSED)) {
		e = ask_once(d, n, o);
		if (e != OK && e != ERR_AUTH && e != ERR_FORMAT)
			return e;
		if (e != ERR_AUTH)
			continue;
		sleep(pause_s);
		pause_s = 2 * pause_s < PAUSE_S_MAX ? 2 * pause_s : PAUSE_S_MAX;
	}
	return count(d, n, MISSING) ? ERR_NOT_FOUND : OK;
}

/* Once the hand-off has opened something, a second disk that is not there is no reason to ask its
 * owner for a key that he does not have. */
static void leave_missing(struct door *d, size_t n)
{
	char device[PATH_MAX];
	size_t i;

	for (i = 0; i < n && count(d, n, OPENED); i++)
		if (d[i].state == CLOSED &&
		    device_wait_source(device, sizeof(device), d[i].entry.source,
				       d[i].entry.name, 0) == ERR_NOT_FOUND)
			d[i].state = MISSING;
}

enum err recovery_run(const struct options *o)
{
	struct door doors[CRYPTTAB_ENTRIES_MAX];
	struct crypttab t = { 0 };
	enum err e = wanted(&t, o);
	size_t i;

	if (e) {
		fprintf(stderr, "holdfast: %s names no volume to open\n",
			o->device ? o->device : o->crypttab);
		return e;
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	for (i = 0; i < t.count; i++) {
		doors[i].entry = t.at[i];
		doors[i].state = !o->check_only && volume_is_mapped(t.at[i].name) ? OPENED : CLOSED;
	}
	leave_missing(doors, t.count);
	return ask_until_open(doors, t.count, o);
}
