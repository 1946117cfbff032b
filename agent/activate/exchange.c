/* New boot files on a laptop under management (after an update of the kernel or the initramfs). */
#include <stdio.h>
#include <string.h>

#include "agent/activate/activation.h"
#include "agent/activate/bootfiles.h"
#include "agent/volumed/unlocked.h"

static struct manifest_target *target_find(struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->target_count; i++)
		if (!strcmp((const char *)m->targets[i].name, name))
			return &m->targets[i];
	return NULL;
}

static enum err target_set(struct manifest *m, const struct manifest_target *t)
{
	struct manifest_target *there = target_find(m, (const char *)t->name);

	if (!there && m->target_count == MANIFEST_TARGETS_MAX)
		return ERR_SPACE;
	if (!there)
		there = &m->targets[m->target_count++];
	*there = *t;
	return OK;
}

/* The present files are vouched for under their second name before the first is touched: a power cut
 * anywhere leaves one target whose files match. */
static enum err exchange(struct unlocked *u, struct volumed *v, const char **ret_what,
			 const struct plan *p)
{
	struct manifest *m = &u->store.manifest;
	struct manifest_target old, fresh;
	const struct manifest_target *current = target_find(m, BOOTFILES_CURRENT);
	enum err e = OK;

	*ret_what = "boot target current";
	/* Damaged ones must not take the place of a previous target that still starts. */
	if (current && bootfiles_match(current, v->esp.folder)) {
		e = bootfiles_copy(&old, ret_what, v->esp.folder, BOOTFILES_CURRENT,
				   BOOTFILES_PREVIOUS);
		if (!e)
			e = target_set(m, &old);
		if (!e)
			e = unlocked_save(u, v, 0);
	}
	if (!e)
		e = bootfiles_install(&fresh, ret_what, v->esp.folder, BOOTFILES_CURRENT, p->kernel,
				      p->initrd, p->cmdline);
	if (!e)
		e = target_set(m, &fresh);
	return e ? e : unlocked_save(u, v, 0);
}

enum err activation_exchange(const struct plan *plan)
{
	static struct volumed v;
	UNLOCKED u = { 0 };
	const char *what = plan->esp;
	enum err e = espstore_at(&v.esp, plan->esp, plan->efivars);

	bootkeys_init(&v.keys);
	if (!e && plan->handoff)
		e = volumed_about(&v, bootfacts_load_file(&v.boot, &v.keys, plan->handoff), plan->handoff);
	if (!e)
		e = unlocked_open(&u, &v);
	if (e) {
		fprintf(stderr, "holdfast-activate: %s\n", *v.about ? v.about : err_text(e));
		return e;
	}
	e = exchange(&u, &v, &what, plan);
	bootkeys_drop(&v.keys);
	if (e)
		fprintf(stderr, "holdfast-activate: %s: %s\n", what, err_text(e));
	return e;
}
