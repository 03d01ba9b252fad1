"""The sandbox does what is known of the API: one walk over the table of facts."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.facts import FACTS, GRADES, Fact
from tests.support.loopback import file_server


def failure(fact: Fact, api: Api) -> str | None:
    """Why a fact does not hold; None where it does."""
    assert fact.check is not None
    try:
        fact.check(api)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the other rows are walked too
        return f"{fact.says} [{fact.grade}, {fact.source}]: {type(error).__name__} {error}"
    return None


@pytest.mark.long
def test_every_modelled_fact_holds(
    api: Api, record_property: Callable[[str, object], None]
) -> None:
    modelled = [fact for fact in FACTS if fact.check is not None]
    failures = {fact: found for fact in modelled if (found := failure(fact, api))}
    held = Counter(fact.grade for fact in modelled if fact not in failures)
    by_grade = Counter(fact.grade for fact in modelled)
    counts = ", ".join(
        f"{held[grade]} of {by_grade[grade]} {meaning}" for grade, meaning in GRADES.items()
    )
    record_property(
        "summary",
        f"Facts: {held.total()} of {len(modelled)} held ({counts}); "
        f"{len(FACTS) - len(modelled)} more are known and not modelled.",
    )
    assert not failures, "\n" + "\n".join(failures.values())


@pytest.mark.long
def test_no_check_passes_with_a_server_that_is_not_the_api() -> None:
    with file_server({}) as url:
        other = Api(f"{url}/v1")
        with other.http:
            passed = [fact.says for fact in FACTS if fact.check and not failure(fact, other)]
    assert passed == []


def test_each_fact_stands_once_with_a_source() -> None:
    assert [says for says, times in Counter(fact.says for fact in FACTS).items() if times > 1] == []
    assert all(fact.source for fact in FACTS)
