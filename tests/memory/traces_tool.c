/* Searches all of a machine's memory for traces of what was typed: as characters of any width, in arrays of
 * structs, and as the codes that keyboards send. A piece of the text is a trace too.
 *   memory_tool FILE NAME=TEXT...    letters and digits only; prints what it finds, a line each, once */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECES_MAX 512
#define PIECE_BYTES 8
/* A ring of sixteen keys that began anew in the middle of the text has eight in a row. */
#define CODES 6

static const size_t strides[] = { 1, 2, 4, 8, 12, 16 };
#define STRIDES (sizeof(strides) / sizeof(strides[0]))

static struct piece {
	const char *name, *how;
	uint8_t bytes[PIECE_BYTES];
	size_t len;
	uint8_t found[STRIDES];
} pieces[PIECES_MAX];
static size_t count;
static uint8_t begins[256]; /* does a piece begin with it? */

/* Scan code of a key, set 1, and its usage on a USB keyboard. */
static uint8_t ps2_code(char c)
{
	static const struct {
		const char *keys;
		uint8_t first;
	} rows[] = { { "1234567890", 0x02 }, { "qwertyuiop", 0x10 }, { "asdfghjkl", 0x1e }, { "zxcvbnm", 0x2c } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strchr(rows[i].keys, c);

		if (at)
			return (uint8_t)(rows[i].first + (at - rows[i].keys));
	}
	fprintf(stderr, "memory_tool: no letter or digit: %c\n", c);
	exit(2);
}

static uint8_t usb_code(char c)
{
	if (c == '0')
		return 0x27;
	return (uint8_t)(c >= '1' && c <= '9' ? c - '1' + 0x1e : c - 'a' + 0x04);
}

static uint8_t character(char c)
{
	return (uint8_t)c;
}

static void add(const char *name, const char *how, const char *text, size_t len, uint8_t (*code)(char))
{
	struct piece *p = &pieces[count++];

	if (count == PIECES_MAX || strlen(text) < len)
		exit(2);
	*p = (struct piece){ .name = name, .how = how, .len = len };
	for (size_t i = 0; i < len; i++)
		p->bytes[i] = code(text[i]);
	begins[p->bytes[0]] = 1;
}

static void add_text(char *option)
{
	char *text = strchr(option, '=');

	if (!text)
		exit(2);
	*text++ = 0;
	for (size_t i = 0; i + PIECE_BYTES <= strlen(text); i++)
		add(option, "characters", text + i, PIECE_BYTES, character);
	for (size_t i = 0; i + CODES <= strlen(text); i++) {
		add(option, "PS/2 scan codes", text + i, CODES, ps2_code);
		add(option, "USB usages", text + i, CODES, usb_code);
	}
}

static int stands(const uint8_t *at, size_t room, size_t stride, const struct piece *p)
{
	if ((p->len - 1) * stride >= room)
		return 0;
	for (size_t i = 0; i < p->len; i++)
		if (at[i * stride] != p->bytes[i])
			return 0;
	return 1;
}

static void look(const uint8_t *at, size_t room)
{
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; pieces[i].bytes[0] == *at && s < STRIDES; s++)
			pieces[i].found[s] |= (uint8_t)stands(at, room, strides[s], &pieces[i]);
}

static int said_before(size_t piece, size_t stride)
{
	for (size_t i = 0; i < piece; i++)
		if (pieces[i].found[stride] && !strcmp(pieces[i].name, pieces[piece].name) &&
		    !strcmp(pieces[i].how, pieces[piece].how))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;
	const uint8_t *memory;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "usage: memory_tool FILE NAME=TEXT...\n");
		return 2;
	}
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return 2;
	for (int i = 2; i < argc; i++)
		add_text(argv[i]);
	for (size_t at = 0; at < (size_t)st.st_size; at++)
		if (begins[memory[at]])
			look(memory + at, (size_t)st.st_size - at);
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < STRIDES; s++)
			if (pieces[i].found[s] && !said_before(i, s))
				printf("a piece of %s: %s, %zu bytes apart\n", pieces[i].name, pieces[i].how,
				       strides[s]);
	return 0;
}
