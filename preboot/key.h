/* Key: one key as a keyboard or a terminal reported it. */
#ifndef HOLDFAST_PREBOOT_KEY_H
#define HOLDFAST_PREBOOT_KEY_H

#include <stdint.h>

struct key {
	uint16_t scan;     /* enum key_scan; 0 for characters */
	uint16_t unicode;  /* a character as firmware says it (US layout), or a control character; both 0:
			    * the ISO key beside left Shift */
	uint8_t modifiers; /* enum layout_modifier */
	uint8_t terminal;  /* from a serial terminal, which has applied its own layout */
};

/* UEFI 2.10, table 107. */
enum key_scan {
	KEY_SCAN_UP = 0x01,
	KEY_SCAN_DOWN = 0x02,
	KEY_SCAN_DELETE = 0x08,
	KEY_SCAN_F1 = 0x0b,
	KEY_SCAN_F2 = 0x0c,
	KEY_SCAN_F3 = 0x0d,
	KEY_SCAN_F4 = 0x0e,
	KEY_SCAN_F5 = 0x0f,
	KEY_SCAN_F6 = 0x10,
	KEY_SCAN_F7 = 0x11,
	KEY_SCAN_F8 = 0x12,
	KEY_SCAN_ESC = 0x17,
};

enum key_control {
	KEY_CTRL_F = 0x06,
	KEY_BACKSPACE = 0x08,
	KEY_TAB = 0x09,
	KEY_CTRL_K = 0x0b,
	KEY_CTRL_L = 0x0c,
	KEY_ENTER = 0x0d,
	KEY_CTRL_P = 0x10,
	KEY_CTRL_R = 0x12,
	KEY_CTRL_T = 0x14,
	KEY_CTRL_U = 0x15,
	KEY_ESC = 0x1b,
	KEY_DELETE = 0x7f,
};

#endif
