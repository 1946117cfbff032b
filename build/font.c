/* Takes the outlines of the characters that pre-boot shows from TrueType files, and writes them as C
 * source for preboot/font.c:
 *
 *     font REGULAR.ttf BOLD.ttf >build/out/gen/font_tables.c
 *
 * Outlines, not bitmaps, so that one table serves every panel. Bytes of a glyph, numbers as LEB128,
 * signed ones in zigzag:
 *
 *     advance
 *     parts           n > 0: n x { glyph, x, y }, other glyphs of the table, moved
 *     contours        (parts is 0) n x { points, points x { flags, x, y } }
 *
 * x and y of a point are steps from the one before it, the first from 0. Flags: bit 0 on the curve;
 * bits 1-2 and 3-4 how x and y are written: 0 no step, 1 one byte up, 2 one byte down, 3 two bytes;
 * bits 5-7 how many more points have the same flags. A contour begins on the curve. */
#include <ft2build.h>
#include FT_FREETYPE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EM 1024
#define GLYPHS_MAX 2000
#define BYTES_MAX 65535
#define POINTS_MAX 512
#define PAIRS_MAX 1000

/* Characters, first and last, and whether the bold face has them too: it is for headings and names. */
static const struct {
	uint16_t first, last;
	int bold;
} wanted[] = {
	{ 0x20, 0x7e, 1 },     { 0xa0, 0x17f, 1 },    { 0x18f, 0x18f, 0 },   { 0x192, 0x192, 0 },
	{ 0x1a0, 0x1a1, 0 },   { 0x1af, 0x1b0, 0 },   { 0x1cd, 0x1dc, 0 },   { 0x1e6, 0x1eb, 0 },
	{ 0x1f4, 0x1f5, 0 },   { 0x1f8, 0x1ff, 0 },   { 0x218, 0x21b, 1 },   { 0x21e, 0x21f, 0 },
	{ 0x226, 0x233, 0 },   { 0x259, 0x259, 0 },   { 0x2b9, 0x2bc, 0 },   { 0x2c6, 0x2c7, 0 },
	{ 0x2d8, 0x2dd, 0 },   { 0x300, 0x30c, 0 },   { 0x323, 0x323, 0 },   { 0x326, 0x328, 0 },
	{ 0x37e, 0x37e, 0 },   { 0x384, 0x3ce, 1 },   { 0x3d1, 0x3d1, 0 },   { 0x3d5, 0x3d6, 0 },
	{ 0x400, 0x45f, 1 },   { 0x490, 0x491, 1 },   { 0x492, 0x493, 0 },   { 0x49a, 0x49d, 0 },
	{ 0x4a2, 0x4a3, 0 },   { 0x4ae, 0x4b3, 0 },   { 0x4ba, 0x4bb, 0 },   { 0x4d8, 0x4d9, 0 },
	{ 0x4e8, 0x4e9, 0 },   { 0x1e02, 0x1e99, 0 }, { 0x1e9e, 0x1e9e, 1 }, { 0x1ea0, 0x1ef9, 0 },
	{ 0x2010, 0x2015, 1 }, { 0x2018, 0x201f, 1 }, { 0x2020, 0x2022, 0 }, { 0x2026, 0x2026, 1 },
	{ 0x2030, 0x2030, 0 }, { 0x2032, 0x2033, 0 }, { 0x2039, 0x203a, 0 }, { 0x2044, 0x2044, 0 },
	{ 0x2070, 0x2071, 0 }, { 0x2074, 0x208e, 0 }, { 0x20a4, 0x20a4, 0 }, { 0x20a9, 0x20ab, 0 },
	{ 0x20ac, 0x20ac, 1 }, { 0x20b4, 0x20b4, 0 }, { 0x20b8, 0x20ba, 0 }, { 0x20bd, 0x20bd, 0 },
	{ 0x2116, 0x2116, 0 }, { 0x2122, 0x2122, 1 }, { 0x2126, 0x2126, 0 }, { 0x2139, 0x2139, 0 },
	{ 0x2153, 0x215e, 0 }, { 0x2190, 0x2195, 0 }, { 0x21b5, 0x21b5, 0 }, { 0x21e5, 0x21e5, 0 },
	{ 0x21e7, 0x21e7, 0 }, { 0x21ea, 0x21ea, 0 }, { 0x2202, 0x2202, 0 }, { 0x220f, 0x220f, 0 },
	{ 0x2211, 0x2212, 0 }, { 0x221a, 0x221a, 0 }, { 0x221e, 0x221e, 0 }, { 0x222b, 0x222b, 0 },
	{ 0x2248, 0x2248, 0 }, { 0x2260, 0x2260, 0 }, { 0x2264, 0x2265, 0 }, { 0x25a0, 0x25a1, 0 },
	{ 0x25b2, 0x25b2, 0 }, { 0x25b6, 0x25b6, 0 }, { 0x25bc, 0x25bc, 0 }, { 0x25c6, 0x25c6, 0 },
	{ 0x25cb, 0x25cb, 0 }, { 0x25cf, 0x25cf, 0 }, { 0x26a0, 0x26a0, 0 }, { 0x2713, 0x2713, 0 },
	{ 0x2717, 0x2717, 0 },
};

struct range {
	uint16_t first, count, glyph;
};

/* One face on its way from file to source. */
struct face {
	FT_Face file;
	FT_UInt sources[GLYPHS_MAX]; /* the file's number of each of ours; 0 is its box for what is missing */
	unsigned count;
	struct range ranges[GLYPHS_MAX];
	unsigned range_count;
	uint16_t offsets[GLYPHS_MAX];
	uint8_t bytes[BYTES_MAX];
	unsigned len;
};

static _Noreturn void die(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	fputs("build/font: ", stderr);
	vfprintf(stderr, what, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static int scale(const struct face *f, FT_Pos v)
{
	long em = f->file->units_per_EM;

	return (int)((v * EM * 2 + (v < 0 ? -em : em)) / (2 * em));
}

static void put(struct face *f, unsigned byte)
{
	if (f->len == BYTES_MAX)
		die("the outlines are too large");
	f->bytes[f->len++] = (uint8_t)byte;
}

static void put_number(struct face *f, unsigned v)
{
	for (; v >= 0x80; v >>= 7)
		put(f, (v & 0x7f) | 0x80);
	put(f, v);
}

static void put_signed(struct face *f, int v)
{
	put_number(f, v < 0 ? (unsigned)(-v) * 2 - 1 : (unsigned)v * 2);
}

static unsigned our_glyph(struct face *f, FT_UInt source)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->sources[i] == source)
			return i;
	if (f->count == GLYPHS_MAX)
		die("too many glyphs");
	f->sources[f->count] = source;
	return f->count++;
}

/* A glyph made of others, moved only: written as such. */
static int put_parts(struct face *f)
{
	FT_GlyphSlot slot = f->file->glyph;
	FT_Int index, x, y;
	FT_UInt flags;
	FT_Matrix m;

	if (slot->format != FT_GLYPH_FORMAT_COMPOSITE)
		return 0;
	for (unsigned i = 0; i < slot->num_subglyphs; i++) {
		if (FT_Get_SubGlyph_Info(slot, i, &index, &flags, &x, &y, &m))
			die("a part of a glyph cannot be read");
		if (!(flags & FT_SUBGLYPH_FLAG_ARGS_ARE_XY_VALUES) ||
		    flags & (FT_SUBGLYPH_FLAG_SCALE | FT_SUBGLYPH_FLAG_XY_SCALE | FT_SUBGLYPH_FLAG_2X2))
			return 0;
	}
	put_number(f, slot->num_subglyphs);
	for (unsigned i = 0; i < slot->num_subglyphs; i++) {
		FT_Get_SubGlyph_Info(slot, i, &index, &flags, &x, &y, &m);
		put_number(f, our_glyph(f, (FT_UInt)index));
		put_signed(f, scale(f, x));
		put_signed(f, scale(f, y));
	}
	return 1;
}

static unsigned step_kind(int step)
{
	if (!step)
		return 0;
	if (step > -256 && step < 256)
		return step > 0 ? 1 : 2;
	return 3;
}

static void put_step(struct face *f, int step)
{
	if (step_kind(step) == 3)
		put(f, (unsigned)step >> 8 & 0xff);
	if (step)
		put(f, (unsigned)(step_kind(step) == 2 ? -step : step) & 0xff);
}

struct point {
	int x, y, on;
};

static unsigned flags_of(const struct point *p, const struct point *before)
{
	return (unsigned)p->on | step_kind(p->x - before->x) << 1 | step_kind(p->y - before->y) << 3;
}

static void put_contour(struct face *f, struct point *last, const struct point *points, unsigned count)
{
	unsigned run = 0;

	put_number(f, count);
	for (unsigned i = 0; i < count; i++) {
		const struct point *before = i ? &points[i - 1] : last;
		unsigned flags = flags_of(&points[i], before);

		if (!run) {
			while (run < 7 && i + run + 1 < count &&
			       flags_of(&points[i + run + 1], &points[i + run]) == flags)
				run++;
			put(f, flags | run << 5);
		} else {
			run--;
		}
		put_step(f, points[i].x - before->x);
		put_step(f, points[i].y - before->y);
	}
	*last = points[count - 1];
}

/* A contour from a point on the curve on; one without any begins between its last and its first. */
static unsigned read_contour(struct point ret[POINTS_MAX + 1], const struct face *f, const FT_Outline *o,
			     int first, int last)
{
	unsigned count = (unsigned)(last + 1 - first), start = 0, n = 0;

	if (count > POINTS_MAX)
		die("an outline has too many points");
	while (start < count && !(o->tags[first + (int)start] & 1))
		start++;
	if (start == count)
		ret[n++] = (struct point){ scale(f, (o->points[first].x + o->points[last].x) / 2),
					   scale(f, (o->points[first].y + o->points[last].y) / 2), 1 };
	for (unsigned i = 0; i < count; i++) {
		int at = first + (int)((start + i) % count);

		ret[n++] = (struct point){ scale(f, o->points[at].x), scale(f, o->points[at].y),
					   o->tags[at] & 1 };
	}
	return n;
}

static void put_outline(struct face *f, FT_UInt source)
{
	struct point points[POINTS_MAX + 1], last = { 0, 0, 0 };
	const FT_Outline *o = &f->file->glyph->outline;
	int first = 0;

	if (FT_Load_Glyph(f->file, source, FT_LOAD_NO_SCALE))
		die("glyph %u cannot be read", source);
	put_number(f, 0);
	put_number(f, (unsigned)o->n_contours);
	for (int c = 0; c < o->n_contours; first = o->contours[c++] + 1)
		put_contour(f, &last, points, read_contour(points, f, o, first, o->contours[c]));
}

static void put_glyph(struct face *f, unsigned ours)
{
	FT_UInt source = f->sources[ours];

	for (unsigned i = 0; i < ours; i++) {
		if (f->sources[i] == source) {
			f->offsets[ours] = f->offsets[i];
			return;
		}
	}
	f->offsets[ours] = (uint16_t)f->len;
	if (FT_Load_Glyph(f->file, source, FT_LOAD_NO_SCALE | FT_LOAD_NO_RECURSE))
		die("glyph %u cannot be read", source);
	put_number(f, (unsigned)scale(f, f->file->glyph->metrics.horiAdvance));
	if (!put_parts(f))
		put_outline(f, source);
}

static void choose(struct face *f, int bold)
{
	f->count = 1;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		for (uint16_t c = wanted[i].first; c <= wanted[i].last; c++) {
			struct range *r = &f->ranges[f->range_count];
			FT_UInt source = FT_Get_Char_Index(f->file, c);

			if (!source || (bold && !wanted[i].bold))
				continue;
			if (f->range_count && r[-1].first + r[-1].count == c) {
				r[-1].count++;
			} else {
				*r = (struct range){ c, 1, (uint16_t)f->count };
				f->range_count++;
			}
			f->sources[f->count++] = source;
		}
	}
}

static int top_of(const struct face *f, FT_ULong c)
{
	if (FT_Load_Char(f->file, c, FT_LOAD_NO_SCALE))
		die("character %lu cannot be read", c);
	return scale(f, f->file->glyph->metrics.horiBearingY);
}

static void print_bytes(const struct face *f, const char *name)
{
	printf("static const uint8_t %s_bytes[] = {", name);
	for (unsigned i = 0; i < f->len; i++)
		printf("%s%u,", i % 24 ? "" : "\n\t", f->bytes[i]);
	printf("\n};\nstatic const uint16_t %s_offsets[] = {", name);
	for (unsigned i = 0; i < f->count; i++)
		printf("%s%u,", i % 16 ? "" : "\n\t", f->offsets[i]);
	printf("\n};\nstatic const struct font_range %s_ranges[] = {", name);
	for (unsigned i = 0; i < f->range_count; i++)
		printf("%s{ %u, %u, %u },", i % 5 ? " " : "\n\t", f->ranges[i].first, f->ranges[i].count,
		       f->ranges[i].glyph);
	printf("\n};\n");
}

static unsigned print_pairs(const struct face *f, const char *name)
{
	unsigned count = 0;

	printf("static const struct font_pair %s_pairs[] = {", name);
	for (unsigned left = '!'; left <= '~'; left++) {
		for (unsigned right = '!'; right <= '~'; right++) {
			FT_Vector by;

			if (FT_Get_Kerning(f->file, FT_Get_Char_Index(f->file, left),
					   FT_Get_Char_Index(f->file, right), FT_KERNING_UNSCALED, &by) ||
			    !scale(f, by.x))
				continue;
			printf("%s{ %u, %u, %d },", count++ % 6 ? " " : "\n\t", left, right, scale(f, by.x));
		}
	}
	printf("\n};\n");
	return count;
}

static void print_face(FT_Library library, const char *path, const char *name, int bold)
{
	static struct face f;
	unsigned pairs;

	memset(&f, 0, sizeof(f));
	if (FT_New_Face(library, path, 0, &f.file))
		die("%s cannot be read", path);
	choose(&f, bold);
	for (unsigned i = 0; i < f.count; i++) /* parts join the list meanwhile */
		put_glyph(&f, i);
	print_bytes(&f, name);
	pairs = print_pairs(&f, name);
	printf("const struct font_table font_%s = {\n\t%s_bytes, %u, %s_offsets, %u, %s_ranges, %u, %s_pairs, %u,\n"
	       "\t%d, %d, %d,\n};\n", name, name, f.len, name, f.count, name, f.range_count, name, pairs,
	       top_of(&f, 'x'), top_of(&f, 'H'), top_of(&f, 'l'));
	FT_Done_Face(f.file);
}

int main(int argc, char **argv)
{
	FT_Library library = NULL;

	if (argc != 3 || FT_Init_FreeType(&library))
		die("usage: font REGULAR.ttf BOLD.ttf");
	printf("/* Made by build/font.c. */\n#include \"preboot/font.h\"\n\n");
	print_face(library, argv[1], "regular", 0);
	print_face(library, argv[2], "bold", 1);
	FT_Done_FreeType(library);
	return fflush(stdout) || ferror(stdout);
}
