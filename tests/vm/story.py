"""How tests tell what they see: a line for each observation, a failure with its reason, and an end in any case."""
import signal
import sys
import time
import traceback

BEGIN = time.monotonic()


def show(text):
    print(f"{time.monotonic() - BEGIN:7.1f} s  {text}", flush=True)


def check(condition, text):
    """An observation that must hold."""
    if not condition:
        raise AssertionError(f"NOT observed: {text}")
    show(f"ok  {text}")


def main(*stories, limit_seconds=900):
    """Run the stories of a test program; exit status 0 when all held."""
    def too_long(*_):
        raise TimeoutError(f"the test took longer than {limit_seconds} s")

    signal.signal(signal.SIGALRM, too_long)
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, lambda *_: sys.exit(143))
    signal.alarm(limit_seconds)
    failed = 0
    for story in stories:
        show(f"--  {(story.__doc__ or story.__name__).strip().splitlines()[0]}")
        try:
            story()
        except Exception:  # the next story is worth telling as well
            failed += 1
            traceback.print_exc(file=sys.stdout)
            show(f"FAILED  {story.__name__}")
    signal.alarm(0)
    sys.exit(1 if failed else 0)
