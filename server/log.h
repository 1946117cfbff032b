/* Log: one line a failure on standard error, saying what failed, on what, and what to do.
 * Never a secret, never a rejected input. */
#ifndef HOLDFAST_SERVER_LOG_H
#define HOLDFAST_SERVER_LOG_H

/* Name of the process, put before each line; "main" until it is called. */
void log_name(const char *process);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
