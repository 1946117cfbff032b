/* Processors: lanes of a KDF on all of the machine's, by the MP services protocol (PI specification,
 * volume 2, 13.4). Firmware without it, with one processor, or with any that do not come, is slower and
 * gives the same. */
#ifndef HOLDFAST_PROCESSORS_H
#define HOLDFAST_PROCESSORS_H

#include "common/workplace.h"

/* workplace_run under UEFI. Timers go on meanwhile. */
void processors_run(const struct workplace_job *job);

#endif
