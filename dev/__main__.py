"""`python -m dev predict` and `python -m dev serve`: a command, with its end by Ctrl-C.

Kept apart from the commands, since Ctrl-C must not show a traceback while they are being loaded.
"""

import signal
import sys
from importlib import import_module

COMMANDS = ("predict", "serve")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The command's own exit code, or 130 with a sentence when it is stopped."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)  # ends us without a word; nothing is running yet
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # scripts/dev held them back until here
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS:
        print(f"Usage: python -m dev {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 1
    command = import_module(f"dev.{name}").main
    try:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)
        return int(command(arguments))
    except KeyboardInterrupt as stop:
        said = f"Stopped; nothing is left running. {stop}".strip()
        print(said, file=sys.stderr)
        return 130
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
