"""What is known of the API, one row per fact, each with its grade, its source and its check."""

from tests.sandbox.facts import (
    answers,
    edits,
    failures,
    not_modelled,
    parameters,
    siblings,
    sizes,
    streams,
)
from tests.sandbox.facts.fact import GRADES, Fact

FACTS: tuple[Fact, ...] = (
    *parameters.FACTS,
    *sizes.FACTS,
    *edits.FACTS,
    *answers.FACTS,
    *streams.FACTS,
    *siblings.FACTS,
    *failures.FACTS,
    *not_modelled.FACTS,
)

__all__ = ["FACTS", "GRADES", "Fact"]
