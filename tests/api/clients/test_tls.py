"""Behind TLS outputs are https addresses, which every client takes for files and reads."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from dev.servers.api import Api
from tests.api.clients.front import front_of
from tests.api.clients.published import MODEL, Client, Server
from tests.api.conftest import LOOPBACK_ALLOWED, CogBehind
from tests.api.kept import Kept

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def tls_server(
    cog_behind: CogBehind, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("api")
    trusted, tls = data / "trusted.pem", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(trusted))
    api = Api(data, cog_behind.server.url, cog_behind.worker_port, cog_behind.outputs)
    with front_of(api.url, tls) as front:
        url = f"https://127.0.0.1:{front.port}"
        own = {"API_PUBLIC_URL": url, "API_PRIVATE_NETWORKS": LOOPBACK_ALLOWED}
        api.settings |= kept.settings | own
        try:
            api.start()
            yield Server(url, api.token, trusted)
        finally:
            api.stop()


def test_python_1_reads_file_outputs(python_1: Client, tls_server: Server) -> None:
    told = python_1.run(
        """
        picture, = replicate.run(given["model"], input={"prompt": "A fox"})
        tell([type(picture).__name__, picture.url, picture.read()[8:12].decode()])
        """,
        tls_server,
        model=MODEL,
    )
    assert told == ["FileOutput", told[1], "WEBP"]
    assert_is_file_of(tls_server, told[1])


def test_python_2_reads_outputs(python_2: Client, tls_server: Server) -> None:
    told = python_2.run(
        """
        run, used = replicate.run(given["model"], input={"prompt": "A fox"})[0], None
        used, = replicate.use(given["model"])(prompt="A fox")
        tell([run.url, run.read()[8:12].decode(), open(used, "rb").read()[8:12].decode()])
        """,
        tls_server,
        model=MODEL,
    )
    assert told[1:] == ["WEBP", "WEBP"]
    assert_is_file_of(tls_server, told[0])


def test_javascript_reads_file_outputs(javascript: Client, tls_server: Server) -> None:
    told = javascript.run(
        """
        import Replicate from "replicate";
        const auth = env.REPLICATE_API_TOKEN;
        const replicate = new Replicate({ auth, baseUrl: env.REPLICATE_BASE_URL });
        const [picture] = await replicate.run(given.model, { input: { prompt: "A fox" } });
        const blob = await picture.blob();
        tell([picture.constructor.name, picture.url().href, blob.type,
              await blob.slice(8, 12).text()]);
        """,
        tls_server,
        model=MODEL,
    )
    assert told == ["FileOutput", told[1], "image/webp", "WEBP"]
    assert_is_file_of(tls_server, told[1])


@pytest.mark.parametrize(
    ("provider", "sdk"), [("@ai-sdk/replicate", "ai"), ("ai-sdk-replicate-2", "ai-6")]
)
def test_the_ai_sdk_reads_outputs(
    provider: str, sdk: str, javascript: Client, tls_server: Server
) -> None:
    told = javascript.run(
        """
        const { createReplicate } = await import(given.provider);
        const { generateImage } = await import(given.sdk);
        const replicate = createReplicate({
            apiToken: env.REPLICATE_API_TOKEN, baseURL: env.REPLICATE_BASE_URL,
        });
        const { image } = await generateImage({
            model: replicate.image(given.model), prompt: "A fox",
        });
        tell([image.mediaType, Buffer.from(image.uint8Array).subarray(8, 12).toString()]);
        """,
        tls_server,
        model=MODEL,
        provider=provider,
        sdk=sdk,
    )
    assert told == ["image/webp", "WEBP"]


def assert_is_file_of(server: Server, url: str) -> None:
    assert url.startswith(f"{server.url}/files/")
    assert Path(url).suffix == ".webp"
