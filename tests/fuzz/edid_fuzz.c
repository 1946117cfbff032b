/* EDID: whatever a monitor says, the size is one that a panel can have. */
#include "core_fuzz.h"

#include "preboot/edid.h"

#define PIXELS_MIN 320
#define PIXELS_MAX 16384

static void sign(uint8_t bytes[static EDID_BYTES])
{
	uint8_t sum = 0;

	for (size_t i = 0; i < EDID_BYTES - 1; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[EDID_BYTES - 1] = (uint8_t)-sum;
}

static int panel_can(unsigned pixels)
{
	return pixels >= PIXELS_MIN && pixels <= PIXELS_MAX;
}

static int try(const uint8_t *bytes, size_t len)
{
	unsigned width = 0, height = 0;

	if (edid_preferred(&width, &height, bytes, len)) {
		if (width || height)
			abort();
		return 0;
	}
	if (!panel_can(width) || !panel_can(height))
		abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* 1920 x 1080: VESA E-EDID 1.4, section 3.10.2 */
	uint8_t bytes[EDID_BYTES] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, [54] = 0x02, 0x3a, 0x80,
				      0x18, 0x71, 0x38, 0x2d, 0x40 };

	(void)argc;
	fuzz_begin();
	sign(bytes);
	if (!try(bytes, sizeof(bytes)))
		abort();
	fuzz_seed(*argv, "panel", bytes, sizeof(bytes));
	return 0;
}

/* As it is, and with the checksum that makes it believable. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	if (len >= EDID_BYTES) {
		sign(bytes);
		try(bytes, len);
	}
	free(bytes);
	return 0;
}
