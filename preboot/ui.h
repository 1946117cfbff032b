/* UI: the one page that the person sees, on the panel (screen.h) and as text on serial terminals
 * (terminal.h), or on the firmware's text console where there are no graphics. Whoever has something to
 * show changes the page here; keys come from here too, so that the keys that work everywhere (layout,
 * typed text shown, contrast and size of type) are handled in one place. */
#ifndef HOLDFAST_UI_H
#define HOLDFAST_UI_H

#include "common/store.h"
#include "line.h"
#include "message.h"
#include "typing.h"

/* Screen, terminals, keyboards. Before it everything is silent. */
void ui_start(void);

/* The store is read (a hint): organisation, banner, logo, name, tag; layout and appearance. */
void ui_store(const struct store *s);

/* A new page: fields, challenge and busy are gone. The message stays, as it says what led here. body and
 * challenge may be "". */
void ui_page(const char *title, const char *body, const char *challenge);

/* The page's body becomes another one; terminals get the line that is new in it. */
void ui_body(const char *body, const char *line);

/* The keys that the page offers; the first field adds those that work wherever something is typed. */
void ui_offer(const struct view_key *keys, unsigned count);

/* A message: on the page until the next one, and on the terminals for good. */
void ui_tell(enum message_id id, ...);
/* The same for what is shown only while it lasts ("Next try in 3 s."); terminals write it over itself. */
void ui_tick(enum message_id id, ...);
/* Take the message away; ui_busy does so too. */
void ui_quiet(void);

/* Ask for a line in a new field of the page; echo it while it is typed. */
void ui_field(const char *label, int is_code);
enum ui_echo { UI_CLEAR, UI_HIDDEN };
void ui_echo(const struct line *l, enum ui_echo how);       /* after each key; hidden unless F5 was pressed */
void ui_echo_code(const struct line *l, size_t letters);    /* in groups, letters in all */
void ui_field_done(void);                                   /* the cursor leaves it */

/* A spinner moves beside the text until ui_idle. */
void ui_busy(const char *text);
void ui_idle(void);

/* Wait for a key that means something on the page: F4 to F6 are done before it returns. While waiting,
 * work is called again and again until it returns 0. */
void ui_key(struct typed *ret);
void ui_while_idle(int (*work)(void));
uint64_t ui_last_key_ms(void);

/* Wait, counting down; keys typed meanwhile are thrown away. */
void ui_count_down(unsigned seconds);
/* Wait for any key, at most so long. */
void ui_pause(unsigned seconds);

/* Nothing typed or drawn is left, the screen is black: before the kernel, a restart, power off. */
void ui_stop(void);

#endif
