"""Uploads, inputs and outputs: their rows, their bytes, and their signed addresses.

What the heart asks of it, `files.py`'s class `Files`:

    save(content, *, tenant_id, kind, name, prediction_id=None, content_type=None, expires_at=None)
        -> StoredFile      content: bytes or an async iterator of bytes; kind: input or output;
                           row and bytes are on disk when it returns
    find(file_id) -> StoredFile | None
    read(file) -> AsyncIterator[bytes]
    of_prediction(prediction_id) -> list[StoredFile]
    address(file, origin, expires_at) -> str      signed; the same for the same arguments
    own(url, tenant) -> StoredFile | None         the file that an address of ours means, by its
                                                  path, if the tenant owns it or the signature holds
    remove(file_ids)                              bytes first, then rows
"""
