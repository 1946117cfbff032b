/* For the tests of the screen: a firmware that has panels and nothing else. Each panel is a frame buffer
 * in memory, filled with noise by each change of mode. Start with panel_reset. */
#ifndef HOLDFAST_PANEL_H
#define HOLDFAST_PANEL_H

#include <efi.h>

#include <stdlib.h>
#include <string.h>

#include "preboot/firmware.h"

#define PANELS_MAX 3
#define PANEL_MODES_MAX 8

struct panel {
	EFI_GRAPHICS_OUTPUT_PROTOCOL graphics; /* first: the protocol is the panel */
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[PANEL_MODES_MAX];
	EFI_EDID_ACTIVE_PROTOCOL edid; /* Edid NULL: none */
	uint8_t edid_bytes[128];
	int is_console, fails;
	unsigned sets, blts, bad_blts;
	size_t painted; /* pixels */
	uint32_t *pixels;
};

static struct panel panels[PANELS_MAX];
static unsigned panel_count;
static EFI_BOOT_SERVICES panel_boot;
static EFI_SYSTEM_TABLE panel_table;
static int panel_console; /* what the console's handle points to */

static void panel_enter(struct panel *p, UINT32 number)
{
	size_t count;

	p->mode.Mode = number;
	p->mode.Info = &p->modes[number];
	count = (size_t)p->mode.Info->HorizontalResolution * p->mode.Info->VerticalResolution;
	free(p->pixels);
	p->pixels = malloc(4 * count);
	for (size_t i = 0; i < count; i++)
		p->pixels[i] = (uint32_t)(i * 2654435761u) >> 8;
}

static EFI_STATUS EFIAPI panel_set(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number)
{
	struct panel *p = (struct panel *)self;

	p->sets++;
	if (number >= p->mode.MaxMode || p->fails)
		return EFI_UNSUPPORTED;
	panel_enter(p, number);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI panel_query(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 number, UINTN *size,
				     EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **ret)
{
	struct panel *p = (struct panel *)self;

	if (number >= PANEL_MODES_MAX || !p->modes[number].HorizontalResolution)
		return EFI_INVALID_PARAMETER;
	*ret = malloc(sizeof(**ret));
	**ret = p->modes[number];
	*size = sizeof(**ret);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI panel_blt(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, EFI_GRAPHICS_OUTPUT_BLT_PIXEL *buffer,
				   EFI_GRAPHICS_OUTPUT_BLT_OPERATION how, UINTN from_x, UINTN from_y, UINTN x, UINTN y,
				   UINTN width, UINTN height, UINTN delta)
{
	struct panel *p = (struct panel *)self;
	UINTN across = p->mode.Info->HorizontalResolution, down = p->mode.Info->VerticalResolution;
	const uint32_t *from = (const uint32_t *)buffer;

	p->blts++;
	if (!width || !height || x > across || y > down || width > across - x || height > down - y) {
		p->bad_blts++;
		return EFI_INVALID_PARAMETER;
	}
	p->painted += width * height;
	for (UINTN row = 0; row < height; row++)
		for (UINTN i = 0; i < width; i++)
			p->pixels[(y + row) * across + x + i] =
				how == EfiBltVideoFill ? *from : from[(from_y + row) * (delta / 4) + from_x + i];
	return EFI_SUCCESS;
}

static int panel_is(const EFI_GUID *a, const EFI_GUID *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static EFI_STATUS EFIAPI panel_locate(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *count,
				      EFI_HANDLE **ret)
{
	static const EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;

	(void)how;
	(void)key;
	if (!panel_is(guid, &graphics) || !panel_count)
		return EFI_NOT_FOUND;
	*ret = malloc(panel_count * sizeof(**ret));
	for (unsigned i = 0; i < panel_count; i++)
		(*ret)[i] = panels[i].is_console ? (EFI_HANDLE)&panel_console : (EFI_HANDLE)&panels[i];
	*count = panel_count;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI panel_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret)
{
	static const EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID, edid = EFI_EDID_ACTIVE_PROTOCOL_GUID;

	for (unsigned i = 0; i < panel_count; i++) {
		if (handle != (panels[i].is_console ? (EFI_HANDLE)&panel_console : (EFI_HANDLE)&panels[i]))
			continue;
		*ret = panel_is(guid, &graphics) ? (void *)&panels[i].graphics :
		       panel_is(guid, &edid) && panels[i].edid.Edid ? (void *)&panels[i].edid : NULL;
		return *ret ? EFI_SUCCESS : EFI_UNSUPPORTED;
	}
	return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI panel_free(void *pool)
{
	free(pool);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI panel_watchdog(UINTN timeout, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)timeout;
	(void)code;
	(void)size;
	(void)data;
	return EFI_SUCCESS;
}

/* No panel at all. */
static inline void panel_reset(void)
{
	for (unsigned i = 0; i < PANELS_MAX; i++)
		free(panels[i].pixels);
	memset(panels, 0, sizeof(panels));
	panel_count = 0;
	panel_boot = (EFI_BOOT_SERVICES){ .LocateHandleBuffer = panel_locate, .HandleProtocol = panel_protocol,
					  .FreePool = panel_free, .SetWatchdogTimer = panel_watchdog };
	panel_table = (EFI_SYSTEM_TABLE){ .BootServices = &panel_boot, .ConsoleOutHandle = &panel_console };
	firmware_start(NULL, &panel_table);
}

/* A panel with one mode, which is the present one. */
static inline struct panel *panel_add(unsigned width, unsigned height)
{
	struct panel *p = &panels[panel_count++];

	p->graphics = (EFI_GRAPHICS_OUTPUT_PROTOCOL){ panel_query, panel_set, panel_blt, &p->mode };
	p->modes[0] = (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){ .HorizontalResolution = width,
							      .VerticalResolution = height,
							      .PixelFormat = PixelBlueGreenRedReserved8BitPerColor };
	p->mode.MaxMode = 1;
	panel_enter(p, 0);
	return p;
}

static inline void panel_add_mode(struct panel *p, unsigned width, unsigned height)
{
	p->modes[p->mode.MaxMode] = p->modes[0];
	p->modes[p->mode.MaxMode].HorizontalResolution = width;
	p->modes[p->mode.MaxMode++].VerticalResolution = height;
}

static inline void panel_edid_sign(struct panel *p)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < 127; i++)
		sum = (uint8_t)(sum + p->edid_bytes[i]);
	p->edid_bytes[127] = (uint8_t)-sum;
}

/* A monitor that prefers this size. */
static inline void panel_prefers(struct panel *p, unsigned width, unsigned height)
{
	static const uint8_t head[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	uint8_t *timing = p->edid_bytes + 54;

	memset(p->edid_bytes, 0, sizeof(p->edid_bytes));
	memcpy(p->edid_bytes, head, sizeof(head));
	timing[0] = 1; /* a pixel clock */
	timing[2] = (uint8_t)width;
	timing[4] = (uint8_t)(width >> 8 << 4);
	timing[5] = (uint8_t)height;
	timing[7] = (uint8_t)(height >> 8 << 4);
	panel_edid_sign(p);
	p->edid = (EFI_EDID_ACTIVE_PROTOCOL){ sizeof(p->edid_bytes), p->edid_bytes };
}

#endif
