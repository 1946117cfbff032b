/* Terminal: text, line by line, on serial terminals; on the firmware's text console as well where there
 * is no graphical screen. */
#ifndef HOLDFAST_TERMINAL_H
#define HOLDFAST_TERMINAL_H

/* Find them and clear them. graphics: the panel is drawn by screen.c, so the firmware's console, which
 * would write there too, is left alone but for its serial terminals. Before it everything is silent. */
void terminal_start(int graphics);

/* Print as it is; UTF-8, "\n" begins a line, "\b" goes back one place. Texts of up to TERMINAL_TEXT_MAX
 * bytes; formats of phrase.h. */
#define TERMINAL_TEXT_MAX 1100
void terminal_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print a text broken between words into lines of at most 79 columns; ends with "\n". */
void terminal_paragraph(const char *text);

#endif
