"""Conversions take turns by prediction, and not by image."""

import asyncio
from collections.abc import Awaitable, Callable

from gpt_image.conversion.places import Places


class Crowd:
    """Predictions that convert one image after the other, and the order in which they did."""

    def __init__(self, places: int) -> None:
        self.places = Places(places)
        self.order: list[str] = []
        self.at_once = self.most_at_once = 0

    async def predict(self, name: str, images: int) -> None:
        for turn in range(images):
            async with self.places.place(turn):
                self.order.append(name)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                await one_pass()
                self.at_once -= 1


async def one_pass() -> None:
    """The time that one conversion takes; counted and not measured, so that no load moves it."""
    for _ in range(5):
        await asyncio.sleep(0)


def run(scenario: Callable[[Crowd], Awaitable[object]], places: int = 2) -> Crowd:
    async def all_of_it() -> Crowd:
        crowd = Crowd(places)
        await scenario(crowd)
        return crowd

    return asyncio.run(all_of_it())


def test_so_many_convert_at_once_and_no_more() -> None:
    async def twelve(crowd: Crowd) -> None:
        await asyncio.gather(*[crowd.predict(str(n), 10) for n in range(12)])

    crowd = run(twelve)
    assert crowd.most_at_once == 2
    assert len(crowd.order) == 120


def test_who_comes_with_one_image_waits_for_the_images_in_work_only() -> None:
    async def late(crowd: Crowd) -> None:
        many = [asyncio.create_task(crowd.predict("many", 10)) for _ in range(12)]
        while len(crowd.order) < 20:
            await one_pass()
        before = len(crowd.order)
        await crowd.predict("one", 1)
        assert len(crowd.order) - before <= 3
        await asyncio.gather(*many)

    assert run(late).order.count("many") == 120


def test_who_came_first_goes_first_among_those_with_as_many_turns() -> None:
    async def three(crowd: Crowd) -> None:
        await asyncio.gather(*[crowd.predict(name, 2) for name in "abc"])

    assert run(three, places=1).order == list("abcabc")


def test_a_cancelled_prediction_keeps_no_place() -> None:
    async def cancelled(crowd: Crowd) -> None:
        tasks = [asyncio.create_task(crowd.predict(str(n), 3)) for n in range(6)]
        for _ in range(3):
            await one_pass()
            for task in tasks[1:5]:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(1):
            await asyncio.gather(crowd.predict("after", 1), crowd.predict("after", 1))

    assert run(cancelled).order[-2:] == ["after", "after"]


def test_a_place_that_falls_free_to_somebody_cancelled_at_that_moment_is_passed_on() -> None:
    async def at_that_moment(crowd: Crowd) -> None:
        async with crowd.places.place(0):
            waiting = asyncio.create_task(crowd.predict("cancelled", 1))
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with asyncio.timeout(1):
            await crowd.predict("after", 1)

    assert run(at_that_moment, places=1).order == ["after"]
