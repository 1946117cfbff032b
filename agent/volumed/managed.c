#include "agent/volumed/managed.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/event.h"

enum err managed_path(char *ret, size_t size, const struct volumed *v,
		      const struct manifest_volume *m)
{
	for (size_t i = 0; i < v->options.device_count; i++)
		if (!memcmp(v->options.devices[i].uuid, m->uuid, sizeof(m->uuid)))
			return snprintf(ret, size, "%s", v->options.devices[i].path) < (int)size
				       ? OK : ERR_RANGE;
	return volume_find(ret, size, m->uuid);
}

enum err managed_load(struct volume **ret, struct volumed *v, const struct manifest_volume *m)
{
	char path[512], what[128];
	enum err e = managed_path(path, sizeof(path), v, m);

	if (!e)
		e = volume_load(ret, path);
	(void)snprintf(what, sizeof(what), "volume %.31s", (const char *)m->name);
	return volumed_about(v, e, what);
}

void managed_uuid(char ret[static 37], const uint8_t uuid[static 16])
{
	char hex[33];

	hex_encode(hex, uuid, 16);
	(void)snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
}

static const char *header_state(struct volume *volume, const struct manifest_volume *m,
				const struct unlock_key *uk)
{
	const char *what = "header";
	enum err e = volume_check(volume, m, uk, &what);

	if (!e)
		return "as vouched";
	if (e != ERR_CHANGED)
		return err_text(e);
	if (!strcmp(what, "UUID"))
		return "UUID changed";
	if (!strcmp(what, "cipher"))
		return "cipher changed";
	return strcmp(what, "keyslot") ? "header changed" : "keyslot changed";
}

static void check_one(struct volume_state *ret, struct volumed *v, const struct unlocked *u,
		      const struct manifest_volume *m)
{
	VOLUME *volume = NULL;
	enum err e = managed_load(&volume, v, m);

	memset(ret, 0, sizeof(*ret));
	managed_uuid(ret->uuid, m->uuid);
	(void)snprintf(ret->name, sizeof(ret->name), "%.31s", (const char *)m->name);
	if (e) {
		ret->header = err_text(e);
		return;
	}
	ret->header = header_state(volume, m, &u->uk);
	ret->opens = !volume_test_unlock(volume, &u->uk);
	if (volume_foreign_keyslots(&ret->foreign, volume))
		ret->foreign = 0;
}

static void tell_worse(struct volumed *v, const struct volume_state *old,
		       const struct volume_state *now)
{
	if (strcmp(now->header, "as vouched") && (!old->header || strcmp(old->header, now->header)))
		event_tell(v, "volume-changed",
			   json_pack("{s:s, s:s, s:s}", "volume", now->uuid, "name", now->name, "state",
				     now->header));
	if (now->foreign > old->foreign)
		event_tell(v, "foreign-keyslots",
			   json_pack("{s:s, s:s, s:i}", "volume", now->uuid, "name", now->name, "count",
				     (int)now->foreign));
}

void managed_check(struct volumed *v, const struct unlocked *u)
{
	const struct manifest *m = &u->store.manifest;
	struct volume_state old[MANIFEST_VOLUMES_MAX];

	memcpy(old, v->volumes, sizeof(old));
	for (size_t i = 0; i < m->volume_count; i++) {
		check_one(&v->volumes[i], v, u, &m->volumes[i]);
		tell_worse(v, &old[i], &v->volumes[i]);
	}
	v->volume_count = m->volume_count;
}
