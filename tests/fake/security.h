/* Security: firmware that checks an image before it loads it, through the security protocols of UEFI's
 * Platform Initialization, and refuses. In the process of a run, or after fake_here. */
#ifndef HOLDFAST_FAKE_SECURITY_H
#define HOLDFAST_FAKE_SECURITY_H

#include <stddef.h>
#include <stdint.h>

struct fake_security {
	/* To be set before. */
	int has2, has1;         /* which protocols there are */
	uint64_t says2, says1;  /* what they say of every image */
	size_t moved, longer;   /* what is asked about is not the image: from there on, so much longer */
	int other_path;         /* it is asked about under another path; 1: a shorter, 2: none */
	int copies_path;        /* ... or under a copy */
	int never_asks;         /* LoadImage is somebody else's, who asks nobody (shim) */
	uint64_t load_fails;    /* with that status, after the check */

	/* To be looked at after. */
	unsigned asked2, asked1; /* how often the firmware's own check was asked */
	unsigned unloaded;
};
void fake_security_start(struct fake_security *s);

/* Are the firmware's own checks where they were? */
int fake_security_is_whole(void);

#endif
