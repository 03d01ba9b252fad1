"""An image behind a URL is fetched: it is paid for, and the URL is a stranger's."""

import threading
from pathlib import Path

import pytest

from dev.servers import predictor_server
from tests.support.cog_client import Cog
from tests.support.loopback import Answer, Received, StandIn
from tests.support.sandbox_client import Sandbox
from tests.support.signed_images import signed
from tests.support.written_answers import FORMATS, fetches, in_base64, notes, serve, webp


@pytest.mark.parametrize("output_format", FORMATS)
def test_an_image_behind_a_url_is_fetched_and_kept_as_it_is(
    here: Cog, upstream: StandIn, output_format: str
) -> None:
    file = signed(output_format)
    serve(upstream, f"{upstream.root}/picture", files=lambda _: Answer(file))

    prediction = here.predict(output_format=output_format, aspect_ratio="auto")

    assert prediction.files == [file]
    assert notes(prediction) == []


@pytest.mark.parametrize("fault", ["url-404-once", "url-500-once"])
def test_a_fetch_that_fails_is_repeated_and_not_the_paid_request(
    cog: Cog, sandbox: Sandbox, fault: str
) -> None:
    prediction = cog.predict(prompt=f"A lighthouse [sandbox:{fault}]", number_of_images=2)

    assert len(prediction.images) == 2
    assert sum(entry["images_billed"] for entry in sandbox.ledger) == 2


def test_a_url_that_always_fails_does_not_take_the_other_images_with_it(
    here: Cog, upstream: StandIn
) -> None:
    urls = [f"{upstream.root}/{name}" for name in ("one", "lost", "three")]
    serve(
        upstream,
        *urls,
        files=lambda request: Answer(status=403) if request.path == "/lost" else Answer(webp()),
    )

    prediction = here.predict(number_of_images=3)

    assert len(prediction.images) == 2
    assert notes(prediction) == [
        "1 of 3 images were unusable: image 2 could not be fetched (HTTP 403)"
    ]
    assert [request.path for request in fetches(upstream)].count("/lost") == 4


def test_a_fetch_sends_no_login_of_the_machine_and_no_key(upstream: StandIn, home: Path) -> None:
    # Another name of the same server, because logins are looked up again for each host.
    elsewhere = upstream.root.replace("127.0.0.1", "localhost")

    def files(request: Received) -> Answer:
        if request.path == "/moved":
            return Answer(status=302, headers={"Location": f"{elsewhere}/picture"})
        return Answer(webp())

    serve(upstream, f"{upstream.root}/moved", f"{upstream.root}/picture", files=files)
    with predictor_server(
        HOME=str(home),
        OPENAI_PROXY_URL=f"{upstream.root}/v1",
        OPENAI_PROXY_KEY="test-key-proxy",
        OPENAI_FETCH_NETWORKS="127.0.0.1, ::1",
    ) as server:
        prediction = Cog(server.url).predict(number_of_images=2)

    assert len(prediction.images) == 2
    assert [request.path for request in fetches(upstream)].count("/picture") == 2
    for request in fetches(upstream):
        assert set(request.headers) <= {
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
            "connection",
        }


@pytest.mark.parametrize(
    "address",
    ["file:///etc/hostname", "ftp://127.0.0.1/picture", "//127.0.0.1/picture", "/etc/hostname"],
)
def test_an_address_that_is_not_http_is_not_opened(
    here: Cog, upstream: StandIn, address: str
) -> None:
    serve(upstream, address, webp())

    prediction = here.predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert notes(prediction) == [
        "1 of 2 images were unusable: image 1 came as an address that is neither http nor https"
    ]


def test_a_redirect_to_a_file_of_the_machine_is_not_followed(here: Cog, upstream: StandIn) -> None:
    serve(
        upstream,
        f"{upstream.root}/moved",
        webp(),
        files=lambda _: Answer(status=302, headers={"Location": "file:///etc/hostname"}),
    )

    prediction = here.predict(number_of_images=2)

    assert len(prediction.images) == 1
    assert "image 1 came as an address that is neither http nor https" in notes(prediction)[0]
    assert len(fetches(upstream)) == 1


def test_redirects_without_end_are_given_up(here: Cog, upstream: StandIn) -> None:
    serve(
        upstream,
        f"{upstream.root}/again",
        webp(),
        files=lambda _: Answer(status=302, headers={"Location": "/again"}),
    )

    prediction = here.predict(number_of_images=2)

    assert "image 1 was redirected too often" in notes(prediction)[0]
    assert len(fetches(upstream)) == 10


def test_a_signed_address_may_be_long_and_stays_as_it_is(here: Cog, upstream: StandIn) -> None:
    signature = "/picture?key=a%2Fb%2fc+d&signature=" + "x%3D" * 5000

    def files(request: Received) -> Answer:
        if request.path == "/moved":
            return Answer(status=302, headers={"Location": signature})
        return Answer(webp())

    serve(upstream, f"{upstream.root}/moved", files=files)

    assert here.predict().files == [webp()]
    assert fetches(upstream)[-1].path == signature


def test_a_file_that_breaks_off_is_fetched_again(here: Cog, upstream: StandIn) -> None:
    file = webp()

    def files(_: Received) -> Answer:
        if len(fetches(upstream)) > 1:
            return Answer(file)
        return Answer([file[:100]], headers={"Content-Length": str(len(file))})

    serve(upstream, f"{upstream.root}/picture", files=files)

    assert here.predict().files == [file]
    assert len(fetches(upstream)) == 2


def test_files_are_fetched_side_by_side(here: Cog, upstream: StandIn) -> None:
    all_ten = threading.Barrier(10)

    def files(_: Received) -> Answer:
        all_ten.wait(timeout=20)
        return Answer(webp())

    serve(upstream, *[f"{upstream.root}/{number}" for number in range(10)], files=files)

    assert len(here.predict(number_of_images=10).images) == 10


@pytest.mark.parametrize("head", ["data:image/webp;base64,", "data:;base64,"])
def test_a_data_uri_in_place_of_a_url_is_taken(here: Cog, upstream: StandIn, head: str) -> None:
    serve(upstream, head + in_base64(webp()))
    assert here.predict().files == [webp()]


def test_gateways_that_send_both_fields_leave_one_of_them_empty(
    here: Cog, upstream: StandIn
) -> None:
    red, blue = webp("red"), webp("blue")
    serve(
        upstream,
        {"url": "", "b64_json": in_base64(red)},
        {"url": f"{upstream.root}/blue", "b64_json": ""},
        {"url": f"{upstream.root}/blue", "b64_json": None},
        files=lambda _: Answer(blue),
    )
    assert here.predict(number_of_images=3).files == [red, blue, blue]
