"""Rules that no fact is known about; those of the API itself are in ``facts``."""

from tests.sandbox.conftest import MODEL, Api


def test_the_references_of_a_json_edit_are_checked_after_the_prompt_and_before_n(api: Api) -> None:
    def param(**fields: object) -> str | None:
        body = {"prompt": "x", "images": [{"image_url": 7}], "n": 11, **fields}
        answer = api.http.post(f"{api.url}/images/edits", json=body, timeout=60)
        error: dict[str, str | None] = answer.json()["error"]
        return error["param"]

    assert param() == "model"
    assert param(model=MODEL, style="vivid") == "style"
    assert param(model=MODEL) == "images[0].image_url"
    assert param(model=MODEL, images=None) == "images"


def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    for body in (b"{", b"[]", b"\xff", b"[" * 200_000):
        answer = api.http.post(
            f"{api.url}/images/generations",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"
