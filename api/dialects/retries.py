"""Whether a client says that it sends a request again."""

from starlette.datastructures import Headers


def says_it_repeats(headers: Headers) -> bool:
    """Whether the client counts its tries, as Stainless' do, and this is not the first."""
    count = headers.get("x-stainless-retry-count", "0")
    return count.isdecimal() and int(count) > 0
