/* The firmware's other processors: threads behind an MP services protocol, for processors_run. Without
 * fake_processors there is no such protocol. */
#ifndef HOLDFAST_FAKE_PROCESSORS_H
#define HOLDFAST_FAKE_PROCESSORS_H

enum fake_processors_habit {
	FAKE_COME,
	FAKE_COME_LATE,  /* when everything is done */
	FAKE_COME_NEVER, /* are started, and then nothing is heard of them */
	FAKE_NO_SSE,     /* come, and cannot run our code */
	FAKE_REFUSE,     /* StartupAllAPs fails */
	FAKE_MISCOUNT,   /* GetNumberOfProcessors fails */
};

/* After fake_here, once. count: all of them, with the one that asks. */
void fake_processors(unsigned count, enum fake_processors_habit habit);
/* Let those who come late come now, and wait until all that came are gone. */
void fake_processors_end(void);
/* Calls of StartupAllAPs. */
unsigned fake_processors_started(void);
/* Of the processors that worked: did each wipe its registers when it left? */
int fake_processors_wiped(void);

#endif
