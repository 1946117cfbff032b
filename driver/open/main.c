/* holdfast-open: opens the managed volumes in the initramfs, from pre-boot's hand-off or, with
 * --recovery, with the recovery key. Started by scripts/local-top/holdfast before the
 * distribution's own script. */
#include <sodium.h>
#include <stdio.h>

#include "options.h"
#include "recovery.h"
#include "unlock.h"

static const char usage[] =
	"holdfast-open: open the volumes that the hand-off of holdfast.efi vouches for.\n"
	"\n"
	"  --handoff FILE    the hand-off (/holdfast/handoff); overwritten and removed\n"
	"  --run DIR         where the hand-off without its keys goes (/run/holdfast)\n"
	"  --wait SECONDS    for a disk to appear (10)\n"
	"  --no-keyring      pass no keys on\n"
	"  --keyring-only    pass the keys on, open nothing\n"
	"  --check-only      check and test everything, activate nothing\n"
	"  --recovery        ask for the recovery key instead, and open crypttab's volumes\n"
	"  --crypttab FILE   with --recovery (/cryptroot/crypttab)\n"
	"  --device DEVICE --name NAME\n"
	"                    this volume is on this device: its UUID is not looked for; with\n"
	"                    --recovery: open this one only, whatever crypttab says\n"
	"\n"
	"Exit status: 0 all open; 1 no hand-off; 2 refused: something differs from what was vouched\n"
	"for; 3 a disk is missing or cannot be read; 64 wrong usage.\n";

static int exit_status(enum err e, int recovery)
{
	switch (e) {
	case OK: return 0;
	case ERR_NOT_FOUND: return recovery ? 3 : 1;
	case ERR_CHANGED: return 2;
	default: return 3;
	}
}

int main(int argc, char **argv)
{
	struct options o;

	if (options_parse(&o, argc, argv))
		return 64;
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (sodium_init() < 0)
		return 3;
	return exit_status(o.recovery ? recovery_run(&o) : unlock_run(&o), o.recovery);
}
