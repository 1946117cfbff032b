#include "agent/volumed/erasure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/volumed/attest.h"
#include "agent/volumed/binding.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/event.h"
#include "agent/volumed/managed.h"
#include "common/tombstone.h"
#include "driver/handoff_file.h"

#define TOMBSTONE_FILE "tombstone"
#define PROOF_FILE "kill-proof.jws"

static enum err tombstone_put(const struct volumed *v, const struct tombstone *t)
{
	uint8_t *bytes = malloc(TOMBSTONE_BYTES_MAX);
	size_t len = 0;
	enum err e = bytes ? tombstone_encode(bytes, &len, t) : ERR_MEMORY;

	if (!e)
		e = durable_write(v->esp.folder, TOMBSTONE_FILE, bytes, len, 0600);
	free(bytes);
	sync();
	return e;
}

static enum err tombstone_get(struct tombstone *ret, const struct volumed *v)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, v->esp.folder, TOMBSTONE_FILE, TOMBSTONE_BYTES_MAX);

	if (!e)
		e = tombstone_decode(ret, bytes, len);
	free(bytes);
	return e;
}

/* The disk's LUKS UUID is gone once its header is overwritten: then the partition's GUID finds it. */
static enum err area_path(char *ret, size_t size, const struct volumed *v,
			  const struct manifest_volume *m)
{
	char guid[37];

	if (!managed_path(ret, size, v, m))
		return OK;
	managed_uuid(guid, m->partition);
	if (snprintf(ret, size, "/dev/disk/by-partuuid/%s", guid) >= (int)size)
		return ERR_RANGE;
	return access(ret, F_OK) ? ERR_NOT_FOUND : OK;
}

static json_t *volume_kill(const struct volumed *v, const struct manifest_volume *m)
{
	char path[512], uuid[37];
	enum err e = area_path(path, sizeof(path), v, m);

	if (!e)
		e = volume_erase(path, m->header_bytes);
	managed_uuid(uuid, m->uuid);
	if (e) {
		volumed_log("a volume was not erased", err_text(e));
		return json_pack("{s:s, s:I, s:b, s:s}", "uuid", uuid, "bytes",
				 (json_int_t)m->header_bytes, "read_back", 0, "error", err_name(e));
	}
	return json_pack("{s:s, s:I, s:b}", "uuid", uuid, "bytes", (json_int_t)m->header_bytes,
			 "read_back", 1);
}

static int volumes_kill(json_t *ret, const struct volumed *v, const struct manifest *m)
{
	int all = 1;

	for (size_t i = 0; i < m->volume_count; i++) {
		json_t *one = volume_kill(v, &m->volumes[i]);

		all = all && json_is_true(json_object_get(one, "read_back"));
		(void)json_array_append_new(ret, one);
	}
	return all;
}

static void targets_remove(const struct volumed *v, const struct manifest *m)
{
	static const char *const files[] = { "vmlinuz", "initrd.img", "cmdline" };
	char path[1024];

	for (size_t i = 0; i < m->target_count; i++)
		for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++) {
			(void)snprintf(path, sizeof(path), "%s/boot/%.15s/%s", v->esp.folder,
				       (const char *)m->targets[i].name, files[f]);
			(void)unlink(path);
		}
}

static void state_remove(struct volumed *v)
{
	char number[17];

	for (size_t i = 0; i < v->outbox.count; i++) {
		(void)snprintf(number, sizeof(number), "%016llx",
			       (unsigned long long)v->outbox.entries[i].number);
		if (durable_shred(v->outbox.folder, number))
			volumed_log("an outbox file was not removed", NULL);
	}
	if (durable_shred(v->options.state, VSTATE_FILE) || attest_destroy(v->options.state))
		volumed_log("the state was not removed", NULL);
}

/* The key that signed it is gone, so the proof is kept where the erased laptop can still be asked for it. */
static void proof_keep(const struct volumed *v, const char *event)
{
	const struct outbox_entry *proof = outbox_find(&v->outbox, event);

	if (proof && durable_write(v->esp.folder, PROOF_FILE, proof->message, strlen(proof->message), 0600))
		volumed_log("the proof of the kill was not kept on the ESP", NULL);
}

void erasure_delivered(struct volumed *v, const char *event)
{
	if (v->killed && !strcmp(event, v->power.event) && durable_remove(v->esp.folder, PROOF_FILE))
		volumed_log("the delivered proof was not removed from the ESP", NULL);
}

/* Only what was erased and read back is "done": the server calls the laptop killed on this word. */
static void proof_put(struct volumed *v, int all, const char *id, uint64_t sequence, const char *jws,
		      json_t *volumes)
{
	uint8_t digest[DIGEST_BYTES];
	TEXT *digest_text = NULL;
	char event[33];

	jws_digest(digest, jws);
	if (b64_encode(&digest_text, digest, sizeof(digest)) ||
	    event_put(event, v, all ? "command-done" : "kill-incomplete",
		      json_pack("{s:s, s:s, s:I, s:s, s:O}", "command", "kill", "id", id, "sequence",
				(json_int_t)sequence, "digest", digest_text, "volumes", volumes)))
		volumed_log("the proof of the kill could not be made", NULL);
	else {
		power_after(&v->power, POWER_OFF, event);
		proof_keep(v, event);
	}
}

/* The hand-off of this start, which the initramfs left: the same manifest, where an ESP is damaged. */
static enum err handoff_manifest(struct manifest *ret, const struct volumed *v)
{
	char path[512];
	HANDOFF h = { 0 };
	enum err e;

	if (!v->boot.known || snprintf(path, sizeof(path), "%s/handoff", v->options.run) >= (int)sizeof(path))
		return ERR_RANGE;
	e = handoff_file_read(&h, v->options.handoff ? v->options.handoff : path);
	if (!e)
		*ret = h.manifest;
	return e;
}

/* The store's own words are enough here: who could change them can overwrite the disk as well. */
static enum err manifest_find(struct manifest *ret, const struct volumed *v)
{
	struct espstore_found found;
	struct manifest m = { 0 };
	STORE s = { 0 };
	enum err e = espstore_load(&s, &found, &v->esp);

	if (!e)
		m = s.manifest;
	else
		e = handoff_manifest(&m, v);
	if (e || !m.volume_count)
		return ERR_NOT_FOUND;
	*ret = m;
	return OK;
}

static void erase_everything(struct volumed *v, struct tombstone *t, const struct manifest *m,
			     const char *id, uint64_t sequence)
{
	JSON *volumes = json_array();
	TEXT *jws = strndup((const char *)t->command, t->command_bytes);
	struct binding_end tpm = { 0 };
	int all;

	binding_end_take(&tpm, v);
	all = volumes_kill(volumes, v, m);
	if (espstore_destroy(&v->esp))
		volumed_log("the credential store was not destroyed", NULL);
	targets_remove(v, m);
	t->erased = all;
	if (all && tombstone_put(v, t))
		volumed_log("the tombstone was not completed", NULL);
	for (int i = 0; i < BOOTKEY_COUNT; i++)
		bootkeys_forget(&v->keys, (enum bootkey)i);
	state_remove(v);
	outbox_detach(&v->outbox);
	if (jws)
		proof_put(v, all, id, sequence, jws, volumes);
	binding_end(v, &tpm);
	volumed_log(all ? "killed: every keyslot is overwritten" : "killed, but not every volume", NULL);
}

enum err erasure_run(struct volumed *v, const struct command *kill, const char *jws)
{
	struct manifest m;
	struct tombstone *t;
	enum err e = strlen(jws) > TOMBSTONE_COMMAND_MAX ? ERR_RANGE : manifest_find(&m, v);

	if (e)
		return volumed_about(v, e, "NOTHING was erased: no list of the volumes, or an overlong order");
	t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_MEMORY;
	v->killed = 1;
	memcpy(t->device, v->device_id, DEVICE_ID_BYTES);
	tombstone_areas(t, &m);
	t->command_bytes = (uint32_t)strlen(jws);
	memcpy(t->command, jws, t->command_bytes);
	/* A full ESP must not save a stolen laptop. */
	if (tombstone_put(v, t))
		volumed_log("the tombstone was not written", NULL);
	erase_everything(v, t, &m, kill->id, kill->sequence);
	free(t);
	return OK;
}

int erasure_resume(struct volumed *v)
{
	struct tombstone *t = calloc(1, sizeof(*t));
	const char *id = NULL;
	uint64_t sequence = 0;
	JSON *command = NULL;
	TEXT *jws = NULL;
	struct manifest m;
	enum err e = t ? tombstone_get(t, v) : ERR_MEMORY;

	if (e || memcmp(t->device, v->device_id, DEVICE_ID_BYTES)) {
		free(t);
		return 0;
	}
	v->killed = 1;
	volumed_log("a kill was interrupted: it is finished now", NULL);
	jws = strndup((const char *)t->command, t->command_bytes);
	if (!jws || jws_peek(&command, NULL, "holdfast-command", jws) ||
	    json_get_string(&id, command, "id") || json_get_u64(&sequence, command, "sequence"))
		id = "";
	/* No list is not an empty one: then pre-boot finishes what the tombstone says, and nothing is claimed here. */
	if (manifest_find(&m, v))
		volumed_log("the store is gone: pre-boot finishes the kill at the next start", NULL);
	else
		erase_everything(v, t, &m, id, sequence);
	free(t);
	return 1;
}
