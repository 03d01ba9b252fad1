"""Why an operator's command did nothing."""


class Refused(Exception):
    """One sentence that says what to do instead."""
