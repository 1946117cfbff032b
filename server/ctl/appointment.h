/* Appointment: making a new officer: key file, keys, certificates by the root, and the object that the
 * server keeps (docs/protocol.md, "Officer object"). */
#ifndef HOLDFAST_CTL_APPOINTMENT_H
#define HOLDFAST_CTL_APPOINTMENT_H

#include "officer.h"

#define PERMISSIONS_ALL \
	"kill lock reset rotate-recovery policy escrow-help escrow-recovery officers tokens audit"
#define PERMISSIONS_HELPDESK "kill lock reset rotate-recovery escrow-help escrow-recovery"

struct appointment {
	const char *dir, *name, *enterprise, *permissions;
	const char *passphrase_file;     /* NULL: typed */
	const struct sign_sk *root;
	const struct agree_sk *help;     /* escrow keys to hand on; NULL: not this one */
	const struct agree_sk *recovery;
};

/* *ret_object is a new reference. ret_branches and ret_keys may be NULL. The key file is in dir when this
 * returns OK. Says on standard error what went wrong; returns an exit status. */
int appointment_make(json_t **ret_object, struct officer_branches *ret_branches,
		     struct officer_keys *ret_keys, const struct appointment *a);

#endif
