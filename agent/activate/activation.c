#include "agent/activate/activation.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/activate/bootfiles.h"
#include "agent/activate/firmware.h"
#include "agent/activate/takeover.h"
#include "agent/keyboard_conf.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/loader.h"
#include "agent/volumed/ownervar.h"
#include "agent/volumed/passwords.h"
#include "agent/volumed/ruleset.h"
#include "common/code.h"
#include "common/text.h"
#include "driver/volume.h"

static enum err complain(enum err e, const char *what)
{
	if (e)
		fprintf(stderr, "holdfast-activate: %s: %s\n", what, err_text(e));
	return e;
}

void activation_drop(struct activation *a)
{
	store_drop(&a->store);
	unlock_key_wipe(&a->uk);
	secret_drop(&a->existing);
	secret_drop(&a->password);
	secret_drop(&a->recovery);
}

static enum err key_file_read(struct secret *ret, const char *path)
{
	uint8_t bytes[4096 + 1];
	FILE *f = fopen(path, "re");
	size_t len;
	enum err e;

	if (!f)
		return ERR_NOT_FOUND;
	setvbuf(f, NULL, _IONBF, 0);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	e = !len ? ERR_FORMAT : len > 4096 ? ERR_RANGE : secret_copy(ret, bytes, len);
	secret_wipe(bytes, sizeof(bytes));
	return e;
}

static enum err password_read(struct secret *ret, int fd)
{
	char line[PASSWORD_BYTES_MAX + 2];
	size_t len = 0;
	const char *why;
	enum err e;

	while (len < sizeof(line) - 1 && read(fd, &line[len], 1) == 1 && line[len] != '\n')
		len++;
	line[len] = '\0';
	e = passwords_check(&why, line);
	if (e)
		fprintf(stderr, "holdfast-activate: %s\n", why);
	else
		e = secret_copy(ret, line, len);
	secret_wipe(line, sizeof(line));
	return e;
}

static enum err file_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return complain(ERR_NOT_FOUND, path);
	return access(path, R_OK) ? complain(ERR_DENIED, path) : OK;
}

static enum err volume_preflight(const struct plan *p, const struct plan_volume *pv)
{
	VOLUME *v = NULL;
	enum err e;

	if (access(pv->device, R_OK | W_OK))
		return complain(errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED, pv->device);
	if (p->format)
		return OK;
	e = volume_load(&v, pv->device);
	return complain(e, pv->device);
}

static enum err esp_preflight(struct activation *a)
{
	struct espstore_found found;
	char folder[DURABLE_PATH_MAX];
	STORE s = { 0 };
	enum err e = bootfiles_folder(folder, sizeof(folder), a->plan->esp, "EFI/holdfast");

	if (!e)
		e = espstore_at(&a->esp, a->plan->esp, a->plan->efivars);
	if (e)
		return complain(e, a->plan->esp);
	if (!espstore_load(&s, &found, &a->esp))
		return complain(ERR_EXISTS, "there is a credential store on this ESP: the laptop is under "
					    "management");
	return OK;
}

enum err activation_preflight(struct activation *a)
{
	const struct plan *p = a->plan;
	const char *why;
	enum err e = passwords_check_user(&why, p->user);

	if (e)
		return complain(e, why);
	e = file_check(p->kernel);
	if (!e)
		e = file_check(p->initrd);
	if (!e && p->efi)
		e = file_check(p->efi);
	if (!e)
		e = access(p->esp, W_OK) ? complain(ERR_NOT_FOUND, p->esp) : OK;
	for (size_t i = 0; !e && i < p->volume_count; i++)
		e = volume_preflight(p, &p->volumes[i]);
	if (!e && p->key_file)
		e = complain(key_file_read(&a->existing, p->key_file), p->key_file);
	if (!e)
		e = password_read(&a->password, p->password_fd);
	return e ? e : esp_preflight(a);
}

static enum err record_add(struct activation *a, const struct credential_spec *spec,
			   const struct secret *password)
{
	struct store_vk vk;
	struct record r;
	enum err e;

	memcpy(vk.bytes, a->store.head.store_vk, sizeof(vk.bytes));
	e = credential_new(&r, spec, password, &vk, &a->uk);
	return e ? e : store_add(&a->store, &r);
}

/* So that pre-boot shows the right keyboard before an organisation has said anything. */
static enum err rules_begin(struct store *s)
{
	rules_drop(&s->rules);
	return ruleset_preset(&s->rules, KEYBOARD_CONF_ETC);
}

enum err activation_keys(struct activation *a)
{
	const struct credential_spec user = { .kind = CREDENTIAL_PASSWORD, .user = a->plan->user,
					      .changed_day = (uint16_t)(time(NULL) / 86400),
					      .kdf_memory_kib = a->plan->kdf_memory_kib,
					      .kdf_passes = a->plan->kdf_passes,
					      .kdf_lanes = KDF_PASSWORD_LANES };
	const struct credential_spec recovery = { .kind = CREDENTIAL_RECOVERY_KEY, .user = "",
						  .kdf_memory_kib = KDF_CODE_MEMORY_KIB,
						  .kdf_passes = KDF_CODE_PASSES,
						  .kdf_lanes = KDF_CODE_LANES };
	uint8_t device[DEVICE_ID_BYTES];
	enum err e;

	randombytes_buf(device, sizeof(device));
	randombytes_buf(a->uk.bytes, sizeof(a->uk.bytes));
	e = code_new(&a->recovery, CODE_RECOVERY);
	if (!e)
		e = store_new(&a->store, device, a->plan->name, &a->uk);
	if (!e)
		e = rules_begin(&a->store);
	if (!e)
		e = record_add(a, &user, &a->password);
	if (!e)
		e = record_add(a, &recovery, &a->recovery);
	return complain(e, "making the keys");
}

static enum err efi_install(const struct activation *a)
{
	const struct bootentry_place place = { .efivars = a->esp.efivars, .folder = a->esp.folder };
	const struct loader_home home = { .place = &place, .installed = LOADER_INSTALLED, .boot = "" };
	LOADER_LOCK lock = -1;
	int foreign = 0;
	enum err e = loader_lock(&lock, a->esp.folder);

	if (!e)
		e = bootfiles_copy_file(a->plan->efi, a->esp.folder, LOADER_CURRENT);
	if (!e)
		e = loader_removable_write(&foreign, &home, a->plan->efi);
	if (!e && foreign)
		fprintf(stderr, "holdfast-activate: EFI/BOOT/BOOTX64.EFI is another program's, and is left as it is: "
				"firmware that loses its boot entries will start that one\n");
	return e;
}

enum err activation_boot_files(struct activation *a)
{
	struct manifest *m = &a->store.manifest;
	const char *what = a->plan->efi;
	enum err e = OK;

	if (a->plan->efi)
		e = complain(efi_install(a), what);
	if (!e && a->plan->efi)
		firmware_enter(&a->esp);
	if (e)
		return e;
	e = bootfiles_install(&m->targets[0], &what, a->esp.folder, BOOTFILES_CURRENT,
			      a->plan->kernel, a->plan->initrd, a->plan->cmdline);
	if (!e)
		m->target_count = 1;
	return complain(e, what);
}

static enum err volume_take(struct activation *a, const struct plan_volume *pv)
{
	struct manifest_volume *m = &a->store.manifest.volumes[a->store.manifest.volume_count];
	VOLUME *v = NULL;
	enum err e = OK;

	if (a->plan->format)
		e = volume_format(pv->device, &a->uk, &a->recovery, takeover_no_escrow);
	if (!e)
		e = volume_load(&v, pv->device);
	if (!e && !a->plan->format)
		e = takeover_run(v, &a->existing, &a->uk, &a->recovery);
	if (!e)
		e = volume_test_unlock(v, &a->uk);
	if (!e)
		e = volume_test_recovery(v, &a->recovery);
	if (!e)
		e = volume_describe(m, v, &a->uk);
	if (e)
		return e;
	memcpy(m->partition, pv->partition, sizeof(m->partition));
	if (!text_set(m->name, sizeof(m->name), pv->name))
		return ERR_RANGE;
	a->store.manifest.volume_count++;
	return OK;
}

enum err activation_volumes(struct activation *a)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < a->plan->volume_count; i++) {
		e = complain(volume_take(a, &a->plan->volumes[i]), a->plan->volumes[i].device);
		if (e == ERR_AUTH)
			fprintf(stderr, "holdfast-activate: does --key-file hold a passphrase of this "
					"volume, without a newline that is not part of it?\n");
		if (e == ERR_EXISTS && a->plan->format)
			fprintf(stderr, "holdfast-activate: there is something on it, be it of an activation that "
				"was cut short; if nothing of it is needed: wipefs --all %s\n",
				a->plan->volumes[i].device);
		/* At once: from here on there is a keyslot that only this key opens for everybody. */
		if (!e && !i) {
			printf("recovery key: %.*s\n", (int)a->recovery.len,
			       (const char *)a->recovery.bytes);
			fflush(stdout);
		}
	}
	return e;
}

static enum err others_remove(struct activation *a)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < a->plan->volume_count; i++) {
		VOLUME *v = NULL;

		e = volume_load(&v, a->plan->volumes[i].device);
		if (!e)
			e = volume_adopt(v, &a->existing, &a->uk, &a->recovery, takeover_no_escrow, 1);
	}
	return complain(e, "removing the other keyslots");
}

/* What an installation before has left. Pre-boot passes over another device's tombstone, but only while there is
 * a store; and tries counted before are to be no more of this one's. */
static enum err traces_remove(const struct activation *a)
{
	enum err e = ownervar_write(a->esp.efivars, a->store.head.store_vk);

	if (e && e != ERR_NOT_FOUND)
		fprintf(stderr, "holdfast-activate: the firmware keeps no note of the new installation: %s; wrong "
				"answers that the one before has counted may still count\n", err_text(e));
	return complain(durable_remove(a->esp.folder, "tombstone"), "removing an old tombstone");
}

enum err activation_store(struct activation *a)
{
	STORE_SK sk = { 0 };
	enum err e = store_signing_key(&sk, &a->store, &a->uk);

	if (!e)
		e = manifest_sign(&a->store.manifest, a->store.head.device, &sk);
	if (!e)
		e = store_sign(&a->store, &sk);
	if (!e)
		e = espstore_write(&a->esp, &a->store, 1);
	if (e)
		return complain(e, "writing the credential store");
	e = traces_remove(a);
	if (e)
		return e;
	return a->plan->remove_others && !a->plan->format ? others_remove(a) : OK;
}
