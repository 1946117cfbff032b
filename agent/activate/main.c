/* holdfast-activate: takes a laptop's LUKS2 volumes under management. Works on devices and on image files, as
 * nothing is opened for use. docs/agent.md, "Activation". */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/activate/activation.h"
#include "agent/activate/firmware.h"

static enum err activate(struct activation *a)
{
	enum err e = activation_preflight(a);

	if (!e)
		e = activation_keys(a);
	if (!e)
		e = activation_boot_files(a);
	if (!e)
		e = activation_volumes(a);
	return e ? e : activation_store(a);
}

static enum err act(struct activation *a)
{
	const struct plan *p = a->plan;

	if (p->loader)
		return firmware_update(p);
	if (p->self_test)
		return p->show ? firmware_show(p) : firmware_test(p);
	return p->boot_files_only ? activation_exchange(p) : activate(a);
}

int main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	struct plan plan;
	struct activation a = { .plan = &plan };
	enum err e;
	int r;

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	(void)setrlimit(RLIMIT_CORE, &none);
	umask(077);
	r = plan_read(&plan, argc, argv);
	if (r)
		return r > 0 ? EXIT_SUCCESS : 2;
	e = act(&a);
	activation_drop(&a);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}
