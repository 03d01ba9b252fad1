"""Which file store the settings name."""

from api.files.directory import Directory
from api.files.store import Store
from api.settings import Settings


def open_store(settings: Settings) -> Store:
    """A bucket where one is named, else the directory of files."""
    if settings.files is None:
        return Directory(settings.files_directory)
    from api.files.bucket import Bucket

    return Bucket(settings.files, settings.files_public_endpoint)
