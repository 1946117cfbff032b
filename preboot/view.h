/* View: what the person is shown, as plain data. ui.c keeps it; screen.c draws it with pixels. It may
 * hold typed secrets (when shown on request): wiped by ui_stop. */
#ifndef HOLDFAST_VIEW_H
#define HOLDFAST_VIEW_H

#include <stddef.h>

#include "common/code.h"
#include "common/rules.h"

#define STORE_NAME_BYTES 56
#define VIEW_TEXT_MAX 400
#define VIEW_FIELD_MAX (4 * 260)
#define VIEW_FIELDS_MAX 3
#define VIEW_KEYS_MAX 7

enum view_tone { VIEW_PLAIN, VIEW_GOOD, VIEW_WARNING, VIEW_ERROR };

struct view_field {
	const char *label;              /* "User name" */
	char text[VIEW_FIELD_MAX];      /* UTF-8 as it is to be drawn: dots for what is hidden; the end is
					 * what matters when it does not fit */
	int is_code;                    /* drawn in cells of one width */
};

struct view_key {
	const char *key, *does; /* "F2", "One-time code" */
};

struct view {
	const struct rules *rules;      /* organisation, banner, logo; NULL: none yet */
	char laptop[STORE_NAME_BYTES];  /* name of the laptop; "" */
	char tag[2 * CODE_GROUP_LETTERS + 2]; /* device tag; "" */
	char title[64];                 /* "Unlock this laptop" */
	char body[VIEW_TEXT_MAX];       /* what to do; lines ended by "\n", wrapped where they do not fit */
	char challenge[CODE_TEXT_MAX];  /* drawn large; "" */
	struct view_field fields[VIEW_FIELDS_MAX];
	unsigned field_count;
	unsigned active;                /* the field with the cursor; field_count: none */
	enum view_tone tone;
	char message[VIEW_TEXT_MAX];    /* outcome of what was done; "" */
	char code[8];                   /* the message's code for the helpdesk, "HF-123"; "" */
	char ticking[64];               /* what is counted down, "Next try in 3 s."; "" */
	const char *busy;               /* beside a moving spinner; NULL: idle */
	struct view_key keys[VIEW_KEYS_MAX];
	unsigned key_count;
	char layout[16];                /* keyboard layout's name */
	int caps;                       /* Caps Lock is on */
	int high_contrast, large_type;
};

#endif
