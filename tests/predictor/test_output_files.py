"""Where output files lie, and what happens where there is no place for them."""

import io
import resource
from pathlib import Path

import psutil
from PIL import Image

from dev.servers import Server, predictor_server
from tests.support.cog_client import Cog, picture
from tests.support.loopback import Answer, StandIn
from tests.support.written_answers import SQUARE, serve, webp


def test_output_files_have_ascii_names_of_their_own_and_nothing_else_stays(
    here: Cog, upstream: StandIn, home: Path
) -> None:
    serve(
        upstream,
        picture("PNG", SQUARE),
        f"{upstream.root}/picture",
        {"b64_json": "%%%"},
        f"{upstream.root}/lost",
        files=lambda request: Answer(webp()) if request.path == "/picture" else Answer(b"no"),
    )
    before = set((home / "outputs").iterdir())

    body = {
        "input": {"prompt": "A lighthouse", "number_of_images": 4},
        "context": {"prediction_id": "é/../b7"},
    }
    assert len(here.send(body).images) == 2

    (directory,) = set((home / "outputs").iterdir()) - before
    names = sorted(file.name for file in directory.iterdir())
    assert names == [f"{directory.name}-0.webp", f"{directory.name}-1.webp"]
    assert directory.name.isascii()


def test_a_failed_prediction_leaves_no_directory(here: Cog, upstream: StandIn, home: Path) -> None:
    serve(upstream, b"no image", picture("GIF")[:30])
    before = set((home / "outputs").iterdir())

    assert here.predict(number_of_images=2).status == "failed"

    assert set((home / "outputs").iterdir()) == before


def test_a_limit_that_free_space_does_not_show_costs_one_prediction(upstream: StandIn) -> None:
    file = noise(SQUARE)
    limit = 200_000
    assert len(file) > limit
    serve(upstream, file)
    with predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server:
        limit_files(server, limit)
        here = Cog(server.url)
        lost, sick = here.predict(output_format="png"), here.health()
        refused = here.predict(output_format="png")

    assert lost.error.startswith("OutputNotSaved: ")
    assert "it may have been billed" in lost.error
    assert "OUTPUT_DIRECTORY" in lost.error
    assert sick["status"] == "UNHEALTHY"
    assert refused.error.startswith("MachineFault: There is no room for the images")
    assert "(File too large)" in refused.error
    assert len(upstream.requests) == 1


def test_images_that_the_disk_took_before_it_was_full_are_returned(upstream: StandIn) -> None:
    small, large = picture("PNG", SQUARE), noise((1500, 1500))
    limit = 500_000
    assert len(small) < limit < len(large)
    serve(upstream, small, large)
    with predictor_server(OPENAI_PROXY_URL=f"{upstream.root}/v1") as server:
        limit_files(server, limit)
        prediction = Cog(server.url).predict(output_format="png", number_of_images=2)

    assert prediction.files == [small]
    assert "could not all be stored (File too large)" in "\n".join(prediction.logs)


def noise(size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 100).save(file, "PNG")
    return file.getvalue()


def limit_files(server: Server, limit: int) -> None:
    for process in psutil.Process(server.process.pid).children(recursive=True):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))


def test_without_a_place_for_outputs_nothing_is_asked_of_the_upstream(
    upstream: StandIn, tmp_path: Path
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    with predictor_server(
        OPENAI_PROXY_URL=f"{upstream.root}/v1", OUTPUT_DIRECTORY=str(occupied / "outputs")
    ) as server:
        prediction = Cog(server.url).predict()

    assert prediction.error.startswith("BadSettings: There is no place for output files")
    assert "OUTPUT_DIRECTORY" in prediction.error
    assert not upstream.requests


def test_each_prediction_proves_its_place_before_it_is_paid_for(
    upstream: StandIn, tmp_path: Path
) -> None:
    serve(upstream, webp())
    outputs = tmp_path / "outputs"
    with predictor_server(
        OPENAI_PROXY_URL=f"{upstream.root}/v1", OUTPUT_DIRECTORY=str(outputs)
    ) as server:
        here = Cog(server.url)
        assert here.predict().status == "succeeded"
        outputs.rename(tmp_path / "elsewhere")
        outputs.write_text("a file in its place")
        refused, again = here.predict(), here.predict()
        asked = len(upstream.requests)
        outputs.unlink()
        mended = here.predict()

    assert refused.error.startswith("BadSettings: There is no place for output files")
    assert again.error == refused.error
    assert asked == 1
    assert mended.status == "succeeded"
