#include "delay.h"

#define DELAY_MAX_S 30

unsigned delay_s(unsigned failures)
{
	if (!failures)
		return 0;
	if (failures > 5)
		return DELAY_MAX_S;
	return 1u << (failures - 1);
}
