#include "display.h"

#include <efi.h>

#include "edid.h"
#include "firmware.h"

#define MODES_MAX 1024 /* that are looked at */
/* The largest mode that is taken without a monitor's word for it. */
#define UNASKED_WIDTH_MAX 3840
#define UNASKED_HEIGHT_MAX 2400
/* A present mode below that is not the panel's own. */
#define USUAL_WIDTH 800
#define USUAL_HEIGHT 600

static const EFI_GUID graphics_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
static const EFI_GUID edid_active_guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;
static const EFI_GUID edid_discovered_guid = EFI_EDID_DISCOVERED_PROTOCOL_GUID;

static EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics;
static struct rect panel;

struct size {
	unsigned width, height;
};

static int sensible(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info)
{
	return info->HorizontalResolution >= DISPLAY_WIDTH_MIN && info->VerticalResolution >= DISPLAY_HEIGHT_MIN &&
	       info->HorizontalResolution <= DISPLAY_SIDE_MAX && info->VerticalResolution <= DISPLAY_SIDE_MAX;
}

/* 0 when the mode cannot be used. */
static int mode_size(struct size *ret, EFI_GRAPHICS_OUTPUT_PROTOCOL *g, UINT32 number)
{
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = NULL;
	UINTN size = 0;
	int good;

	if (EFI_ERROR(g->QueryMode(g, number, &size, &info)) || !info)
		return 0;
	good = size >= sizeof(*info) && sensible(info);
	if (good)
		*ret = (struct size){ info->HorizontalResolution, info->VerticalResolution };
	firmware_free(info);
	return good;
}

static int present_size(struct size *ret, const EFI_GRAPHICS_OUTPUT_PROTOCOL *g)
{
	if (!g->Mode || !g->Mode->Info || !sensible(g->Mode->Info))
		return 0;
	*ret = (struct size){ g->Mode->Info->HorizontalResolution, g->Mode->Info->VerticalResolution };
	return 1;
}

/* Handles with graphics: the panels, and the firmware's console over all of them. */
struct found {
	EFI_GRAPHICS_OUTPUT_PROTOCOL *first, *console;
	EFI_HANDLE first_handle;
	unsigned panels;
};

static struct found find(void)
{
	struct found f = { 0 };
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &graphics_guid);

	for (UINTN i = 0; i < count; i++) {
		EFI_GRAPHICS_OUTPUT_PROTOCOL *g = firmware_protocol(handles[i], &graphics_guid);

		if (!g || !g->Blt || !g->QueryMode || !g->SetMode || !g->Mode)
			continue;
		if (handles[i] == firmware->ConsoleOutHandle) {
			f.console = g;
			continue;
		}
		if (!f.panels++) {
			f.first = g;
			f.first_handle = handles[i];
		}
	}
	firmware_free(handles);
	return f;
}

/* The console's own graphics exist without any panel, too: then they have no frame buffer. */
static int console_alone(const struct found *f)
{
	return !f->panels && f->console && f->console->Mode->Info &&
	       f->console->Mode->Info->PixelFormat != PixelBltOnly;
}

static int edid_size(struct size *ret, EFI_HANDLE handle)
{
	const EFI_GUID *const guids[] = { &edid_active_guid, &edid_discovered_guid };

	for (int i = 0; i < 2; i++) {
		const EFI_EDID_ACTIVE_PROTOCOL *e = handle ? firmware_protocol(handle, guids[i]) : NULL;

		if (e && e->Edid && !edid_preferred(&ret->width, &ret->height, e->Edid, e->SizeOfEdid))
			return 1;
	}
	return 0;
}

static UINT32 mode_count(const EFI_GRAPHICS_OUTPUT_PROTOCOL *g)
{
	return g->Mode->MaxMode < MODES_MAX ? g->Mode->MaxMode : MODES_MAX;
}

static int set_size(EFI_GRAPHICS_OUTPUT_PROTOCOL *g, const struct size *want)
{
	struct size size;

	for (UINT32 i = 0; i < mode_count(g); i++)
		if (mode_size(&size, g, i) && size.width == want->width && size.height == want->height &&
		    !EFI_ERROR(g->SetMode(g, i)))
			return 1;
	return 0;
}

static void set_largest(EFI_GRAPHICS_OUTPUT_PROTOCOL *g)
{
	struct size size, best = { 0 };

	for (UINT32 i = 0; i < mode_count(g); i++)
		if (mode_size(&size, g, i) && size.width <= UNASKED_WIDTH_MAX &&
		    size.height <= UNASKED_HEIGHT_MAX && size.width * size.height > best.width * best.height)
			best = size;
	if (best.width)
		set_size(g, &best);
}

static void choose_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *g, EFI_HANDLE handle)
{
	struct size own, present = { 0 };
	int known = edid_size(&own, handle), present_good = present_size(&present, g);

	if (known && present.width == own.width && present.height == own.height)
		return;
	if (known && set_size(g, &own))
		return;
	if (!present_good || present.width < USUAL_WIDTH || present.height < USUAL_HEIGHT)
		set_largest(g);
}

enum err display_start(struct display *ret)
{
	struct found f = find();
	EFI_GRAPHICS_OUTPUT_PROTOCOL *g = f.first;
	EFI_HANDLE monitor = f.first_handle;
	struct size size;

	if (f.panels > 1 && f.console)
		g = f.console;
	if (console_alone(&f)) {
		g = f.console;
		monitor = firmware->ConsoleOutHandle;
	}
	if (!g)
		return ERR_UNSUPPORTED;
	choose_mode(g, monitor);
	if (!present_size(&size, g))
		return ERR_UNSUPPORTED;
	graphics = g;
	panel = (struct rect){ 0, 0, (int)size.width, (int)size.height };
	*ret = (struct display){ panel.width, panel.height };
	return OK;
}

void display_show(const struct canvas *c)
{
	struct rect in = rect_common(&panel, &c->at);

	if (!graphics || rect_empty(&in))
		return;
	graphics->Blt(graphics, (EFI_GRAPHICS_OUTPUT_BLT_PIXEL *)c->pixels, EfiBltBufferToVideo,
		      (UINTN)(in.x - c->at.x), (UINTN)(in.y - c->at.y), (UINTN)in.x, (UINTN)in.y,
		      (UINTN)in.width, (UINTN)in.height, (UINTN)c->at.width * sizeof(*c->pixels));
}

void display_fill(const struct rect *r, uint32_t colour)
{
	struct rect in = rect_common(&panel, r);

	if (!graphics || rect_empty(&in))
		return;
	graphics->Blt(graphics, (EFI_GRAPHICS_OUTPUT_BLT_PIXEL *)&colour, EfiBltVideoFill, 0, 0, (UINTN)in.x,
		      (UINTN)in.y, (UINTN)in.width, (UINTN)in.height, 0);
}

void display_stop(void)
{
	graphics = NULL;
	panel = (struct rect){ 0 };
}
