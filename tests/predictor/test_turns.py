"""A burst of predictions reaches the upstream spread out, and in the order in which it came."""

import asyncio

from gpt_image.turns import Turns

STEPS_UNTIL_SENT = 5  # rounds of the event loop that opening a connection takes


def burst(size: int, turns: Turns | None) -> list[tuple[str, int]]:
    """What happens when `size` predictions start at once: each is "begun" and later "sent"."""
    events: list[tuple[str, int]] = []

    async def prediction(number: int) -> None:
        if turns:
            await turns.take()
        events.append(("begun", number))
        for _ in range(STEPS_UNTIL_SENT):
            await asyncio.sleep(0)
        events.append(("sent", number))

    async def all_at_once() -> None:
        await asyncio.gather(*[prediction(number) for number in range(size)])

    asyncio.run(all_at_once())
    return events


def test_the_first_of_a_burst_is_sent_long_before_the_last_begins() -> None:
    size = 50
    events = burst(size, Turns())

    assert events.index(("sent", 0)) < STEPS_UNTIL_SENT + 2
    assert events.index(("sent", size // 2)) < events.index(("begun", size - 1))
    assert [number for what, number in events if what == "sent"] == list(range(size))


def test_without_turns_none_is_sent_before_all_have_begun() -> None:
    events = burst(50, None)
    assert [what for what, _ in events] == ["begun"] * 50 + ["sent"] * 50


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    async def some_give_up() -> int:
        turns = Turns()
        waiting = [asyncio.create_task(turns.take()) for _ in range(9)]
        await asyncio.sleep(0)
        for task in waiting[::2]:
            task.cancel()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        await turns.take()
        return done.count(None)

    assert asyncio.run(some_give_up()) == 4
