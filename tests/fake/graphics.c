/* The panel: a graphics output with a few modes, the last of which is the panel's own, as its EDID
 * says. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

static const EFI_GUID graphics_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
static const EFI_GUID edid_active_guid = { 0xbd8c1056, 0x9f36, 0x44ec,
					   { 0x92, 0xa8, 0xa6, 0x33, 0x7f, 0x81, 0x79, 0x86 } };

static struct {
	UINT32 size;
	UINT8 *bytes;
} edid;
static uint8_t edid_bytes[128];

static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[3];
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
static EFI_GRAPHICS_OUTPUT_PROTOCOL graphics;

static EFI_STATUS EFIAPI query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number, UINTN *size,
				    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **ret)
{
	void *pool;
	EFI_STATUS s;

	(void)self;
	if (number >= mode.MaxMode)
		return EFI_INVALID_PARAMETER;
	s = fake_boot.AllocatePool(EfiBootServicesData, sizeof(modes[0]), &pool);
	if (s)
		return s;
	*ret = memcpy(pool, &modes[number], sizeof(modes[0]));
	*size = sizeof(modes[0]);
	return EFI_SUCCESS;
}

static void mode_choose(UINT32 number)
{
	INSIDE->width = modes[number].HorizontalResolution;
	INSIDE->height = modes[number].VerticalResolution;
	memset(INSIDE->pixels, 0, 4 * (size_t)INSIDE->width * INSIDE->height);
	mode.Mode = number;
	mode.Info = &modes[number];
	mode.FrameBufferBase = (EFI_PHYSICAL_ADDRESS)(uintptr_t)INSIDE->pixels;
	mode.FrameBufferSize = 4 * (UINTN)INSIDE->width * INSIDE->height;
}

static EFI_STATUS EFIAPI set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number)
{
	EFI_STATUS s = fake_fault(FAKE_SET_MODE);

	(void)self;
	if (s)
		return s;
	if (number >= mode.MaxMode)
		return EFI_UNSUPPORTED;
	mode_choose(number);
	return EFI_SUCCESS;
}

static int is_inside(UINTN x, UINTN y, UINTN width, UINTN height)
{
	return x <= INSIDE->width && y <= INSIDE->height && width && height &&
	       width <= INSIDE->width - x && height <= INSIDE->height - y;
}

static uint32_t *pixel(UINTN x, UINTN y)
{
	return &INSIDE->pixels[y * INSIDE->width + x];
}

static void copy_rows(uint8_t *to, size_t to_step, const uint8_t *from, size_t from_step,
		      size_t len, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		memmove(to + i * to_step, from + i * from_step, len);
}

static EFI_STATUS EFIAPI blt(EFI_GRAPHICS_OUTPUT_PROTOCOL *self,
			     EFI_GRAPHICS_OUTPUT_BLT_PIXEL *buffer,
			     EFI_GRAPHICS_OUTPUT_BLT_OPERATION how, UINTN from_x, UINTN from_y,
			     UINTN to_x, UINTN to_y, UINTN width, UINTN height, UINTN delta)
{
	EFI_STATUS s = fake_fault(FAKE_BLT);
	size_t step = delta ? delta : width * 4, row = (size_t)INSIDE->width * 4;
	int to_screen = how != EfiBltVideoToBltBuffer,
	    from_screen = how == EfiBltVideoToBltBuffer || how == EfiBltVideoToVideo;
	uint8_t *place = (uint8_t *)buffer;

	(void)self;
	if (s)
		return s;
	if ((to_screen && !is_inside(to_x, to_y, width, height)) ||
	    (from_screen && !is_inside(from_x, from_y, width, height)))
		return EFI_INVALID_PARAMETER;
	if (how == EfiBltVideoFill)
		for (UINTN i = 0; i < width * height; i++)
			memcpy(pixel(to_x + i % width, to_y + i / width), buffer, 4);
	else if (how == EfiBltBufferToVideo)
		copy_rows((uint8_t *)pixel(to_x, to_y), row, place + from_y * step + from_x * 4,
			  step, width * 4, height);
	else if (how == EfiBltVideoToBltBuffer)
		copy_rows(place + to_y * step + to_x * 4, step, (uint8_t *)pixel(from_x, from_y),
			  row, width * 4, height);
	else
		copy_rows((uint8_t *)pixel(to_x, to_y), row, (uint8_t *)pixel(from_x, from_y), row,
			  width * 4, height);
	return EFI_SUCCESS;
}

/* Preferred timing of VESA E-EDID 1.3: the panel's own mode, and the checksum. */
static void edid_make(unsigned width, unsigned height)
{
	static const uint8_t head[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	uint8_t *d = edid_bytes + 54, sum = 0;

	memset(edid_bytes, 0, sizeof(edid_bytes));
	memcpy(edid_bytes, head, sizeof(head));
	edid_bytes[18] = 1;
	edid_bytes[19] = 3;
	edid_bytes[21] = 31; /* cm */
	edid_bytes[22] = 17;
	d[0] = 1; /* a pixel clock: the descriptor is a timing */
	d[2] = (uint8_t)width;
	d[4] = (uint8_t)(width >> 8 << 4);
	d[5] = (uint8_t)height;
	d[7] = (uint8_t)(height >> 8 << 4);
	for (size_t i = 0; i < 127; i++)
		sum = (uint8_t)(sum + edid_bytes[i]);
	edid_bytes[127] = (uint8_t)-sum;
	edid.size = sizeof(edid_bytes);
	edid.bytes = edid_bytes;
}

const uint32_t *fake_pixels(const struct fake *f, unsigned *ret_width, unsigned *ret_height)
{
	*ret_width = f->inside->width;
	*ret_height = f->inside->height;
	return f->panel_width ? f->inside->pixels : NULL;
}

void fake_graphics_start(void)
{
	static const unsigned sizes[2][2] = { { 800, 600 }, { 1024, 768 } };

	if (!fake_now->panel_width)
		return;
	if ((size_t)fake_now->panel_width * fake_now->panel_height > FAKE_PIXELS_MAX)
		abort();
	for (unsigned i = 0; i < 3; i++)
		modes[i] = (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){
			.HorizontalResolution = i < 2 ? sizes[i][0] : fake_now->panel_width,
			.VerticalResolution = i < 2 ? sizes[i][1] : fake_now->panel_height,
			.PixelFormat = PixelBlueGreenRedReserved8BitPerColor,
			.PixelsPerScanLine = i < 2 ? sizes[i][0] : fake_now->panel_width,
		};
	mode = (EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE){ .MaxMode = 3, .SizeOfInfo = sizeof(modes[0]) };
	mode_choose(0);
	edid_make(fake_now->panel_width, fake_now->panel_height);
	graphics = (EFI_GRAPHICS_OUTPUT_PROTOCOL){
		.QueryMode = query_mode, .SetMode = set_mode, .Blt = blt, .Mode = &mode
	};
	fake_protocol_add(fake_table.ConsoleOutHandle, &graphics_guid, &graphics);
	fake_protocol_add(fake_table.ConsoleOutHandle, &edid_active_guid, &edid);
}
