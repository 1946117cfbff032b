/* Notify: tell systemd how the daemon stands, as sd_notify(3) describes. Done here in a few lines, because
 * libsystemd and what it needs cost more memory than the rest of the daemon's own. */
#ifndef HOLDFAST_NOTIFY_H
#define HOLDFAST_NOTIFY_H

/* state: "READY=1" and such. Does nothing when not started by systemd. */
void notify_systemd(const char *state);

#endif
