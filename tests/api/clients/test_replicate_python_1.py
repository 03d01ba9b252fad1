"""replicate 1.0.7 for Python."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.api.clients.published import MODEL, Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

SLOW = "A slow lighthouse [sandbox:slow seconds=20]"


def test_run_gives_pictures(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        output = replicate.run(given["model"], input={"prompt": "A fox", "number_of_images": 2})
        tell([[type(picture).__name__, picture.url[:23], picture.read()[8:12].decode()]
              for picture in output])
        """,
        server,
        model=MODEL,
    )
    assert told == [["FileOutput", "data:image/webp;base64,", "WEBP"]] * 2


def test_run_polls_where_it_does_not_wait(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        picture, = replicate.run(given["model"], input={"prompt": "A fox"}, wait=False)
        tell(picture.read()[8:12].decode())
        """,
        server,
        model=MODEL,
    )
    assert told == "WEBP"


def test_run_goes_on_polling_when_the_wait_is_over(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        picture, = replicate.run(
            given["model"], input={"prompt": "A fox [sandbox:slow seconds=3]"}, wait=1
        )
        tell(picture.read()[8:12].decode())
        """,
        server,
        model=MODEL,
    )
    assert told == "WEBP"


def test_a_prediction_is_created_waited_for_and_reloaded(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        prediction = replicate.predictions.create(model=given["model"], input={"prompt": "A fox"})
        first = prediction.status
        prediction.wait()
        same = replicate.predictions.get(prediction.id)
        tell([first, prediction.status, len(prediction.output), same.dict() == prediction.dict(),
              "Sid " + prediction.id in prediction.logs, prediction.progress is None,
              prediction.metrics["output_token_count"], prediction.input])
        """,
        server,
        model=MODEL,
    )
    assert told == [
        "starting",
        "succeeded",
        1,
        True,
        True,
        True,
        196,
        {"prompt": "A fox"},
    ]


def test_a_version_runs_as_well(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        model = replicate.models.get(given["model"])
        version = model.latest_version
        picture, = replicate.run(f"{given['model']}:{version.id}", input={"prompt": "A fox"})
        listed = [each.id for each in model.versions.list()]
        inputs = version.openapi_schema["components"]["schemas"]["Input"]["properties"]
        tell([picture.read()[8:12].decode(), listed == [version.id], "prompt" in inputs,
              model.owner + "/" + model.name, model.versions.get(version.id).id == version.id])
        """,
        server,
        model=MODEL,
    )
    assert told == ["WEBP", True, True, MODEL, True]


def test_a_running_prediction_is_cancelled(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        import time
        prediction = replicate.predictions.create(
            model=given["model"], input={"prompt": given["prompt"]}
        )
        while prediction.status != "processing":
            time.sleep(0.05)
            prediction.reload()
        prediction.cancel()
        prediction.wait()
        tell([prediction.status, prediction.output, prediction.error])
        """,
        server,
        model=MODEL,
        prompt=SLOW,
    )
    assert told == ["canceled", None, None]


def test_a_failure_is_a_model_error_with_its_sentence(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        from replicate.exceptions import ModelError
        try:
            replicate.run(given["model"], input={"prompt": "A fox [sandbox:moderation]"})
        except ModelError as error:
            tell([str(error), error.prediction.status, error.prediction.error])
        """,
        server,
        model=MODEL,
    )
    assert told[0] == told[2]
    assert told[1] == "failed"
    assert "moderation" in told[0].lower()


def test_a_large_picture_is_uploaded_and_reaches_the_upstream_as_it_is(
    python_1: Client, server: Server, large_picture: Path, sandbox: Sandbox
) -> None:
    told = python_1.run(
        """
        with open(given["picture"], "rb") as picture:
            result, = replicate.run(
                given["model"], input={"prompt": "The same at night", "input_images": [picture]}
            )
        file, = replicate.files.list()
        tell([result.read()[8:12].decode(), file.name, file.content_type, file.size,
              file.checksums["sha256"], file.urls["get"].endswith(file.id)])
        replicate.files.delete(file.id)
        """,
        server,
        model=MODEL,
        picture=str(large_picture),
    )
    content = large_picture.read_bytes()
    digest = sha256(content).hexdigest()
    assert told == ["WEBP", "large picture.png", "image/png", len(content), digest, True]
    (sent,) = sandbox.request.files
    assert sent["size"] == len(content)


def test_pictures_may_also_come_as_data_uris(
    python_1: Client, server: Server, large_picture: Path
) -> None:
    told = python_1.run(
        """
        with open(given["picture"], "rb") as picture:
            result, = replicate.run(
                given["model"], input={"prompt": "The same", "input_images": [picture]},
                file_encoding_strategy="base64",
            )
        tell([result.read()[8:12].decode(), replicate.files.list()])
        """,
        server,
        model=MODEL,
        picture=str(large_picture),
    )
    assert told == ["WEBP", []]


def test_files_are_created_with_metadata_found_and_deleted(
    python_1: Client, server: Server, large_picture: Path
) -> None:
    told = python_1.run(
        """
        from replicate.exceptions import ReplicateError
        file = replicate.files.create(given["picture"], metadata={"customer": {"id": 123}})
        found = replicate.files.get(file.id)
        deleted = replicate.files.delete(file.id)
        try:
            replicate.files.get(file.id)
        except ReplicateError as error:
            tell([found == file, file.metadata, bool(file.etag), deleted, error.status])
        """,
        server,
        picture=str(large_picture),
    )
    assert told == [True, {"customer": {"id": 123}}, True, True, 404]


def test_predictions_are_listed_page_by_page(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        made = [
            replicate.predictions.create(
                model=given["model"], input={"prompt": given["prompt"]}
            ) for _ in range(102)
        ]
        for prediction in made:
            prediction.cancel()
        pages = []
        for page in replicate.paginate(replicate.predictions.list):
            pages.append([prediction.id for prediction in page])
            if len(pages) == 2:
                break
        newest_first = [prediction.id for prediction in reversed(made)]
        listed = [id for page in pages for id in page]
        tell([len(pages[0]), listed[:102] == newest_first])
        """,
        server,
        model=MODEL,
        prompt=SLOW,
    )
    assert told == [100, True]


def test_errors_are_said_in_replicates_words(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        from replicate.exceptions import ReplicateError

        def failure(call):
            try:
                call()
            except ReplicateError as error:
                return [error.status, error.title, error.detail]

        run = replicate.run
        stranger = replicate.Client(api_token="r8_" + "0" * 37)
        tell({
            "token": failure(stranger.predictions.list),
            "input": failure(lambda: run(given["model"], input={"aspect_ratio": "9:9"})),
            "model": failure(lambda: replicate.models.get("openai/gpt-image-3")),
            "version": failure(lambda: run("openai/gpt-image-2:" + "0" * 64, input={})),
            "prediction": failure(lambda: replicate.predictions.get("0" * 26)),
        })
        """,
        server,
        model=MODEL,
    )
    assert told["token"] == [
        401,
        "Unauthenticated",
        "You did not pass a valid authentication token",
    ]
    assert told["input"][:2] == [422, "Input validation failed"]
    assert "- input: prompt is required\n" in told["input"][2]
    assert told["model"][0] == 404
    assert told["version"][:2] == [422, "Invalid version or not permitted"]
    assert told["prediction"][0] == 404


def test_account_and_hardware_are_there(python_1: Client, server: Server) -> None:
    told = python_1.run(
        """
        account = replicate.Client().accounts.current()
        tell([account.type, account.name, account.username,
              [hardware.sku for hardware in replicate.hardware.list()]])
        """,
        server,
    )
    assert told[0] in {"user", "organization"}
    assert all(told)
