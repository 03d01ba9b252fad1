"""`python -m api.probe`: the container's health check, so light that it can run every 10 s."""

import http.client
import os
import sys

_SECONDS = 4.0  # for an answer; Docker gives the check 5


def main() -> int:
    """0 if /health/live is 200 on `API_PORT`, `PORT` or 8000; else 1 and why."""
    port = int(os.environ.get("API_PORT") or os.environ.get("PORT") or 8000)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/health/live")
        status = connection.getresponse().status
    except OSError as error:
        print(f"The API does not answer on port {port}: {error}")
        return 1
    finally:
        connection.close()
    if status != 200:
        print(f"The API answers {status} on port {port}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
