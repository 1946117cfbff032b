/* Unlock: one volume after the other; a refused one means that no key is passed on. */
#include "unlock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../../common/secret.h"
#include "../handoff_file.h"
#include "../keyring.h"
#include "../volume.h"
#include "device.h"

struct outcome {
	unsigned opened, refused, failed;
};

static void say(const char *name, const char *what, const char *hint)
{
	fprintf(stderr, "holdfast: volume %s: %s%s%s\n", name, what, *hint ? ": " : "", hint);
}

static void refuse(struct outcome *o, const char *name, const char *what)
{
	fprintf(stderr,
		"holdfast: volume %s REFUSED: its %s is not the one that was vouched for. "
		"Somebody may have changed the disk; it was not opened.\n",
		name, what);
	o->refused++;
}

static enum err open_checked(struct volume *v, const char *name, const struct unlock_key *uk,
			     int check_only)
{
	return check_only ? volume_test_unlock(v, uk) : volume_open(v, name, uk);
}

static enum err find_device(char *ret, size_t size, const struct manifest_volume *m,
			    const char *name, const struct options *opt)
{
	if (opt->name && !strcmp(opt->name, name))
		return device_wait_source(ret, size, opt->device, name, opt->wait_s);
	return device_wait_uuid(ret, size, m->uuid, name, opt->wait_s);
}

static void open_volume(struct outcome *o, const struct manifest_volume *m,
			const struct unlock_key *uk, const struct options *opt)
{
	char name[sizeof(m->name) + 1] = { 0 }, device[PATH_MAX];
	const char *what = "header";
	VOLUME *v = NULL;
	enum err e;

	memcpy(name, m->name, sizeof(m->name));
	if (!opt->check_only && volume_is_mapped(name)) {
		o->opened++;
		return;
	}
	e = find_device(device, sizeof(device), m, name, opt);
	if (e) {
		say(name, "its disk has not appeared", "is it connected?");
		o->failed++;
		return;
	}
	e = volume_load(&v, device);
	e = e ? e : volume_check(v, m, uk, &what);
	if (e == ERR_CHANGED || e == ERR_FORMAT) {
		refuse(o, name, what);
		return;
	}
	e = e ? e : open_checked(v, name, uk, opt->check_only);
	if (e == ERR_AUTH) {
		refuse(o, name, "keyslot");
		return;
	}
	if (e)
		say(name, err_text(e), volume_problem(v));
	*(e ? &o->failed : &o->opened) += 1;
}

/* The agent can be told about a lost key later; a boot is not stopped for it. */
static void keys_to_keyring(const struct handoff *h)
{
	enum err e = keyring_put(KEYRING_UNLOCK, h->head.unlock_key);

	e = e ? e : keyring_put(KEYRING_USER, h->head.user_seed);
	if (e)
		fprintf(stderr, "holdfast: the keys did not reach the kernel's keyring: %s\n",
			err_text(e));
}

static enum err pass_on(struct handoff *h, const struct options *opt)
{
	enum err e;

	if (!opt->no_keyring)
		keys_to_keyring(h);
	handoff_strip(h);
	e = handoff_file_write(opt->run, h);
	if (e)
		fprintf(stderr, "holdfast: %s/handoff: %s\n", opt->run, err_text(e));
	return e;
}

static enum err take_handoff(struct handoff *ret, const char *path)
{
	enum err e = handoff_file_read(ret, path);

	if (e == ERR_NOT_FOUND || (!e && (ret->head.flags & HANDOFF_NO_KEYS))) {
		fprintf(stderr,
			"holdfast: this start did not come from holdfast.efi: there is no hand-off\n");
		return ERR_NOT_FOUND;
	}
	if (e)
		fprintf(stderr, "holdfast: the hand-off %s is not usable: %s\n", path, err_text(e));
	return e ? ERR_CHANGED : OK;
}

static enum err open_all(struct handoff *h, const struct options *opt)
{
	struct outcome o = { 0 };
	UNLOCK_KEY uk = { 0 };
	unsigned i;
	enum err e;

	memcpy(uk.bytes, h->head.unlock_key, sizeof(uk.bytes));
	for (i = 0; !opt->keyring_only && i < h->manifest.volume_count; i++)
		open_volume(&o, &h->manifest.volumes[i], &uk, opt);
	/* With the key in the keyring, any later tool would open the refused volume through its
	 * token. */
	if (o.refused)
		return ERR_CHANGED;
	if (o.failed && !o.opened)
		return ERR_IO;
	e = pass_on(h, opt);
	return e || o.failed ? ERR_IO : OK;
}

enum err unlock_run(const struct options *o)
{
	HANDOFF h = { 0 };
	enum err e = take_handoff(&h, o->handoff);

	e = e ? e : open_all(&h, o);
	if (handoff_file_destroy(o->handoff)) {
		fprintf(stderr, "holdfast: %s holds keys and could not be removed\n", o->handoff);
		return e ? e : ERR_IO;
	}
	return e;
}
