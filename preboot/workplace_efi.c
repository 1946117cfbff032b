/* Workplace under UEFI: memory from fragments, and the other processors. */
#include "common/workplace.h"

#include "fragments.h"
#include "processors.h"

enum err workplace_open(struct workplace *ret, uint64_t bytes)
{
	return fragments_gather(ret, bytes);
}

void workplace_close(struct workplace *w)
{
	fragments_return(w);
}

void workplace_run(const struct workplace_job *job)
{
	processors_run(job);
}
