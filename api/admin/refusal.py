"""Why a command of the operator's did nothing."""


class Refused(Exception):
    """One sentence that says what to do instead."""
