/* Keyboard conf: the keyboard layout that this laptop has in Linux, from the files that the distributions
 * keep it in: default/keyboard (Debian), else vconsole.conf (systemd). */
#ifndef HOLDFAST_KEYBOARD_CONF_H
#define HOLDFAST_KEYBOARD_CONF_H

#include "common/layout.h"

#define KEYBOARD_CONF_ETC "/etc"

struct keyboard_conf {
	char layout[LAYOUT_NAME_MAX + 1]; /* a built-in one; "us" when nothing is said */
	int exact;                        /* 0: Linux has one that is not built in; this one is the nearest */
	char configured[64];              /* what Linux says: "de(neo)", or a console keymap's name; or "" */
};

/* etc: KEYBOARD_CONF_ETC, or a test's folder. Of several layouts the first counts. What cannot be read or
 * understood counts as not said. */
void keyboard_conf_read(struct keyboard_conf *ret, const char *etc);

#endif
