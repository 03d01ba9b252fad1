"""docs/sandbox.md lists what the code has; `make docs` writes its tables anew."""

from collections import Counter

import pytest
from pydantic.fields import FieldInfo

from sandbox.faults import FAULTS
from sandbox.gateway import QUIRKS
from sandbox.markers import MODIFIERS
from sandbox.settings import Settings
from tests.sandbox.facts import FACTS, GRADES
from tests.support.generated_docs import assert_documented, table

pytestmark = pytest.mark.docs
DOCUMENT = "docs/sandbox.md"


def test_every_fault_is_in_the_document() -> None:
    rows = [
        (f"`{fault.name}`", fault.does, fault.options, "yes" if fault.billed else "no")
        for fault in FAULTS.values()
    ]
    assert_documented(
        DOCUMENT, "faults", table(("marker", "what happens", "options (default)", "billed"), rows)
    )


def test_every_quirk_of_gateways_is_in_the_document() -> None:
    rows = [(f"`{name}`", does) for name, does in QUIRKS.items()]
    assert_documented(DOCUMENT, "quirks", table(("marker", "what the gateway does"), rows))


def test_every_other_marker_is_in_the_document() -> None:
    rows = [(f"`{name}`", does) for name, does in MODIFIERS.items()]
    assert_documented(DOCUMENT, "modifiers", table(("marker", "what it does"), rows))


def test_every_setting_is_in_the_document() -> None:
    rows = [
        (f"`SANDBOX_{name.upper()}`", _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    assert all(description for _, _, description in rows)
    assert_documented(DOCUMENT, "settings", table(("setting", "default", "what it does"), rows))


def test_the_document_says_how_many_facts_there_are_and_which_are_not_modelled() -> None:
    modelled = Counter(fact.grade for fact in FACTS if fact.check)
    rows = [(meaning, str(modelled[grade])) for grade, meaning in GRADES.items()]
    rows.append(("all", str(modelled.total())))
    assert_documented(DOCUMENT, "facts", table(("what is known because it was", "rows"), rows))
    missing = [f"- {fact.says} ({fact.source})" for fact in FACTS if not fact.check]
    assert_documented(DOCUMENT, "not modelled", "\n".join(missing))


def _default(field: FieldInfo) -> str:
    if field.default is None or field.default == ():
        return ""
    shown = field.default
    if isinstance(shown, bool):
        shown = str(shown).lower()
    return f"`{','.join(shown) if isinstance(shown, tuple) else shown}`"
