"""replicate 1.4 for JavaScript; its base URL ends in /v1."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.api.clients.published import MODEL, Client, Server
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.clients

SLOW = "A slow lighthouse [sandbox:slow seconds=20]"
REPLICATE = """
import Replicate, { validateWebhook } from "replicate";
const replicate = new Replicate({ auth: env.REPLICATE_API_TOKEN, baseUrl: env.REPLICATE_BASE_URL });
const kind = async (picture) => (await (await picture.blob()).slice(8, 12).text());
"""


def run(javascript: Client, program: str, server: Server, **given: object) -> object:
    return javascript.run(REPLICATE + program, server, model=MODEL, slow=SLOW, **given)


def test_run_gives_pictures(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: "A fox", number_of_images: 2 };
        const output = await replicate.run(given.model, { input });
        tell(await Promise.all(output.map(async (picture) => [
            picture.constructor.name, await kind(picture), picture.url().href.slice(0, 23),
        ])));
        """,
        server,
    )
    assert told == [["FileOutput", "WEBP", "data:image/webp;base64,"]] * 2


def test_run_polls_and_tells_of_progress(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: "A fox [sandbox:slow seconds=2]" };
        const seen = new Set();
        const wait = { mode: "poll", interval: 100 };
        const [picture] = await replicate.run(given.model, { input, wait }, (prediction) => {
            seen.add(prediction.status);
        });
        tell([await kind(picture), [...seen]]);
        """,
        server,
    )
    assert told == ["WEBP", ["starting", "processing", "succeeded"]]


def test_run_goes_on_polling_when_the_wait_is_over(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: "A fox [sandbox:slow seconds=3]" };
        const wait = { mode: "block", timeout: 1, interval: 100 };
        const [picture] = await replicate.run(given.model, { input, wait });
        tell(await kind(picture));
        """,
        server,
    )
    assert told == "WEBP"


def test_a_prediction_is_created_waited_for_and_found(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: "A fox" };
        const prediction = await replicate.predictions.create({ model: given.model, input });
        const ended = await replicate.wait(prediction, { interval: 100 });
        const found = await replicate.predictions.get(prediction.id);
        const waited = await replicate.predictions.create(
            { model: given.model, input, wait: true });
        tell([prediction.status, ended.status, JSON.stringify(found) === JSON.stringify(ended),
              waited.status, waited.output.length]);
        """,
        server,
    )
    assert told == ["starting", "succeeded", True, "succeeded", 1]


def test_a_version_runs_as_well(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const [owner, name] = given.model.split("/");
        const model = await replicate.models.get(owner, name);
        const versions = (await replicate.models.versions.list(owner, name)).results;
        const version = await replicate.models.versions.get(owner, name, versions[0].id);
        const input = { prompt: "A fox" };
        const [picture] = await replicate.run(`${given.model}:${version.id}`, { input });
        tell([await kind(picture), model.latest_version.id === version.id, model.run_count >= 0]);
        """,
        server,
    )
    assert told == ["WEBP", True, True]


def test_an_aborted_run_cancels_its_prediction(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: given.slow };
        const stop = new AbortController();
        const wait = { mode: "poll", interval: 100 };
        let id;
        const running = replicate.run(given.model, { input, wait, signal: stop.signal }, (now) => {
            id = now.id;
            if (now.status === "processing") stop.abort();
        });
        const output = await running.catch((error) => error.name);
        let ended;
        do {
            ended = await replicate.predictions.get(id);
        } while (["starting", "processing"].includes(ended.status));
        tell([ended.status, ended.output]);
        """,
        server,
    )
    assert told == ["canceled", None]


def test_a_prediction_is_cancelled(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: given.slow };
        const prediction = await replicate.predictions.create({ model: given.model, input });
        const canceled = await replicate.predictions.cancel(prediction.id);
        tell([canceled.status, (await replicate.wait(canceled, { interval: 100 })).status]);
        """,
        server,
    )
    assert told == ["canceled", "canceled"]


def test_a_failure_is_an_error_with_its_sentence(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: "A fox [sandbox:moderation]" };
        tell(await replicate.run(given.model, { input }).catch((error) => error.message));
        """,
        server,
    )
    assert isinstance(told, str)
    assert told.startswith("Prediction failed: ")
    assert "moderation" in told.lower()


@pytest.mark.parametrize("form", ["fs.readFileSync(given.picture)", "await blob()"])
def test_a_large_picture_is_uploaded_and_reaches_the_upstream_as_it_is(
    form: str, javascript: Client, server: Server, large_picture: Path, sandbox: Sandbox
) -> None:
    told = run(
        javascript,
        """
        const blob = async () => new Blob([fs.readFileSync(given.picture)]);
        const input = { prompt: "The same at night", input_images: [FORM] };
        const [picture] = await replicate.run(given.model, { input });
        const { results } = await replicate.files.list();
        const [file] = results;
        tell([await kind(picture), results.length, file.content_type, file.size,
              file.checksums.sha256]);
        await replicate.files.delete(file.id);
        """.replace("FORM", form),
        server,
        picture=str(large_picture),
    )
    content = large_picture.read_bytes()
    assert told == ["WEBP", 1, "image/png", len(content), sha256(content).hexdigest()]
    (sent,) = sandbox.request.files
    assert sent["size"] == len(content)


def test_files_are_created_with_metadata_found_and_deleted(
    javascript: Client, server: Server, large_picture: Path
) -> None:
    told = run(
        javascript,
        """
        const content = new Blob([fs.readFileSync(given.picture)]);
        const file = await replicate.files.create(content, { customer: { id: 123 } });
        const found = await replicate.files.get(file.id);
        const deleted = await replicate.files.delete(file.id);
        const gone = await replicate.files.get(file.id).catch((error) => error.response.status);
        tell([JSON.stringify(found) === JSON.stringify(file), file.metadata, deleted, gone]);
        """,
        server,
        picture=str(large_picture),
    )
    assert told == [True, {"customer": {"id": 123}}, True, 404]


def test_predictions_are_listed_page_by_page(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const input = { prompt: given.slow };
        const made = [];
        for (let count = 0; count < 102; count++) {
            const { id } = await replicate.predictions.create({ model: given.model, input });
            await replicate.predictions.cancel(id);
            made.unshift(id);
        }
        const pages = [];
        for await (const page of replicate.paginate(replicate.predictions.list)) {
            pages.push(page.map((prediction) => prediction.id));
            if (pages.length === 2) break;
        }
        const listed = pages.flat().slice(0, made.length);
        tell([pages[0].length, JSON.stringify(listed) === JSON.stringify(made)]);
        """,
        server,
    )
    assert told == [100, True]


def test_errors_carry_the_answer(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const failure = (call) => call.catch((error) => [error.name, error.response.status]);
        const baseUrl = env.REPLICATE_BASE_URL;
        const stranger = new Replicate({ auth: "r8_" + "0".repeat(37), baseUrl });
        tell([
            await failure(stranger.accounts.current()),
            await failure(replicate.run(given.model, { input: { aspect_ratio: "9:9" } })),
            await failure(replicate.predictions.get("0".repeat(26))),
        ]);
        """,
        server,
    )
    assert told == [["ApiError", 401], ["ApiError", 422], ["ApiError", 404]]


def test_account_hardware_and_webhook_secret_are_there(javascript: Client, server: Server) -> None:
    told = run(
        javascript,
        """
        const account = await replicate.accounts.current();
        const hardware = await replicate.hardware.list();
        const secret = await replicate.webhooks.default.secret.get();
        tell([account.username, hardware.length, secret.key.slice(0, 6)]);
        """,
        server,
    )
    assert isinstance(told, list)
    assert all(told)
    assert told[2] == "whsec_"
