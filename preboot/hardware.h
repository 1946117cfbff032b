/* Hardware: what of the laptop and its firmware can be tried without a person. Harmless: neither store nor
 * volumes nor objects of the TPM are touched; what is written is a variable and a file of its own, which go
 * again at once. docs/self-test.md. */
#ifndef HOLDFAST_HARDWARE_H
#define HOLDFAST_HARDWARE_H

#include "common/selftest.h"

/* Each gives result, cause and figures of one kind. */
typedef void hardware_test(struct selftest_test *t);

struct hardware_step {
	enum selftest_kind kind;
	hardware_test *run;
};
/* All of them, in the order in which they are to run; ended by run NULL. */
extern const struct hardware_step hardware_steps[];

/* Vendor, revisions, clock. */
void hardware_describe(struct selftest_head *h);

#endif
