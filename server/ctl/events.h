/* Events: what a laptop has told its organisation, newest first. Each is held against the laptop's own key on
 * this machine; the server can keep one back, not make one. */
#ifndef HOLDFAST_CTL_EVENTS_H
#define HOLDFAST_CTL_EVENTS_H

#include "laptop.h"

/* Print the last so many. Says on standard error what went wrong; returns an exit status. */
int events_show(const struct ctl *ctl, struct link *l, const struct laptop *p, unsigned last);

#endif
